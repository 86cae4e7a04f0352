package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// TestWAFSentence: a source that a web ACL blocks for its own address is shut out by
// the kernel, for as long as a rate says; one that a proxy speaks for never is.
func TestWAFSentence(t *testing.T) {
	t.Parallel()
	g := network(t, 3)
	g.prepare(t, host{more: fmt.Sprintf("trusted_proxies: [%s]\nkernel_gate: {interfaces: [veth1, veth2, veth3], pin_dir: PINS, sentences: {denials: 10, first: 1m, longest: 1m}}", g.clients[3].IPv4)})
	g.start()
	api := g.deploy("prod", keyed, nil)
	source, other, proxy := g.clients[1].IPv4.String(), g.clients[2].IPv4.String(), g.clients[3].IPv4.String()
	g.putIPSet("bad", source+"\n198.51.100.0/24\n"+proxy+"\n", false)
	g.putACL(api, "prod", "", aclRule("own", 1, toBlock, `{"IPSetReferenceStatement": {"ARN": "bad"}}`),
		aclRule("forwarded", 2, toBlock, `{"IPSetReferenceStatement": {"ARN": "bad", "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}}}`),
		aclRule("rate", 3, toBlock, `{"RateBasedStatement": {"Limit": 10, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"}}`),
		aclRule("query", 4, toBlock, hasText(inQuery, "evil")))
	// knock asks until the connection is closed, or so many times.
	knock := func(n, times int, target string, fields ...string) (last *answer) {
		t.Helper()
		c, err := dialIn(g.clients[n].Namespace, g.ends[n].IPv4.String()+public)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		for range times {
			if last, err = c.ask("GET", target, "", fields...); err != nil {
				t.Fatal(err)
			}
			if last.last {
				return last
			}
			time.Sleep(2 * time.Millisecond)
		}
		return last
	}
	// For what a request says of itself, or of another, nobody is shut out.
	if a := knock(2, 8, "/prod/free?evil"); a.status != 403 || a.last {
		t.Errorf("evil: %+v", a)
	}
	if a := knock(3, 60, "/prod/free", "X-Forwarded-For: 198.51.100.7"); a.status != 403 || a.last {
		t.Errorf("forwarded: %+v", a)
	}
	if got := g.sentences(); len(got) != 0 {
		t.Fatalf("shut out: %v", got)
	}
	if a := knock(1, 60, "/prod/free"); a.status != 403 || !a.last {
		t.Errorf("own address: %+v", a)
	}
	if got := g.sentences(); !slices.Equal(got, []string{source}) {
		t.Fatalf("shut out: %v, want %s", got, source)
	}
	if status, header, body := g.visit(1, public, "/prod/free"); status != 403 || !byKernel(header) || body != `{"message":"Forbidden"}` {
		t.Errorf("by the kernel: %d %v %s", status, header, body)
	}
	// Over the rate; the eight before count too.
	if a := knock(2, 60, "/prod/free"); a.status != 403 || !a.last {
		t.Errorf("over the rate: %+v", a)
	}
	if got := g.sentences(); !slices.Contains(got, other) || slices.Contains(got, proxy) {
		t.Errorf("shut out: %v, want %s too", got, other)
	}
	if out := g.cli("offenders"); !strings.Contains(out, "WAF_FILTERED") {
		t.Errorf("offenders:\n%s", out)
	}
	entries, err := g.client.GateEntries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries { // until the rate lets it in again, not for the first minute
		if e.Kind == control.GateSentence && e.Network == other && (e.Until == nil || time.Until(*e.Until) < 40*time.Second || e.Reason != "WAF_FILTERED") {
			t.Errorf("sentence %+v", e)
		}
	}
}

// TestWAFKernelGate: an IP set that is kept out of the host is kept out by the
// kernel where the gate is, by the gateway where it is not, and never a trusted
// proxy, until it is changed.
func TestWAFKernelGate(t *testing.T) {
	t.Parallel()
	g := network(t, 3)
	g.prepare(t, host{more: "trusted_proxies: [10.77.3.0/24]\nkernel_gate: {interfaces: [veth1], pin_dir: PINS}"})
	g.start()
	g.free(t, 10)
	type outcome struct {
		status int
		kernel bool
	}
	want := func(when string, all ...outcome) {
		t.Helper()
		for i, w := range all {
			if status, header, body := g.visit(i+1, public, "/prod/free"); (outcome{status, byKernel(header)}) != w {
				t.Errorf("%s: client %d gets %d %v %s, want %+v", when, i+1, status, header, body, w)
			}
		}
	}
	served, kernel, gateway := outcome{200, false}, outcome{403, true}, outcome{403, false}
	want("at first", served, served, served)
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, "198.%d.%d.%d/31\n", 18+i/32768, i/128%256, i%128*2)
	}
	out := g.cliWith(many.String()+"10.77.0.0/16\n", "waf", "ipset", "put", "drop", "-", "--kernel-gate")
	if !strings.Contains(out, "IP set drop has 50001 networks, 50001 added and 0 removed, kept out of the whole host") || !strings.Contains(out, "warning: 10.77.3.0/24 is not kept out") {
		t.Errorf("put: %s", out)
	}
	want("kept out", kernel, gateway, served)
	if list := g.cli("gate", "list"); !strings.Contains(list, "IP set drop") || !strings.Contains(list, "50001") {
		t.Errorf("gate list:\n%s", list)
	}
	g.kill()
	g.start()
	want("after a crash", kernel, gateway, served)
	g.cli("waf", "ipset", "remove", "drop", "10.77.0.0/16")
	want("removed", served, served, served)
	g.cli("waf", "ipset", "add", "drop", "10.77.1.0/24", "10.77.2.0/24")
	want("added", kernel, gateway, served)
	g.reload("host file applied")
	want("after a reload", kernel, gateway, served)
	g.cli("waf", "ipset", "put", "drop", "--kernel-gate=false")
	want("let in", served, served, served)
	g.cli("waf", "ipset", "put", "drop", "--kernel-gate=true")
	want("kept out again", kernel, gateway, served)
	g.cli("waf", "ipset", "delete", "drop")
	want("deleted", served, served, served)
}

// cliWith is cli with a standard input.
func (g *guarded) cliWith(stdin string, args ...string) string {
	g.t.Helper()
	cmd := g.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("tidegate %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
