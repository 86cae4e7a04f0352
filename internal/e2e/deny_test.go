package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/testnet"
)

// TestDeny: a rule holds on every interface, by the kernel where the gate is and
// by the gateway where it is not; it outlives the daemon, and ends.
func TestDeny(t *testing.T) {
	t.Parallel()
	cert, key := gatetest.Certificate(t, t.TempDir())
	g := network(t, 3)
	lists := filepath.Join(t.TempDir(), "deny.txt")
	if err := os.WriteFile(lists, []byte("# nobody yet\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	more := "trusted_proxies: [10.77.3.0/24]\nkernel_gate: {interfaces: [veth1], pin_dir: PINS, deny_files: [" + lists + "]}"
	g.prepare(t, host{more: more, also: `  - {name: secure, address: ":8443", tls: {certificates: [{cert: "` + cert + `", key: "` + key + `"}]}}` + "\n"})
	g.start()
	g.free(t, 10)
	type outcome struct {
		status int
		kernel bool
	}
	see := func(n int) outcome {
		t.Helper()
		status, header, body := g.visit(n, public, "/prod/free")
		if status == 0 {
			t.Fatalf("client %d: %s", n, body)
		}
		return outcome{status, byKernel(header)}
	}
	want := func(when string, all ...outcome) {
		t.Helper()
		for i, w := range all {
			if got := see(i + 1); got != w {
				t.Errorf("%s: client %d gets %+v, want %+v", when, i+1, got, w)
			}
		}
	}
	served, denied, byGateway := outcome{200, false}, outcome{403, true}, outcome{403, false}
	want("at first", served, served, served)

	g.cli("gate", "deny", "10.77.1.0/24", "--reason", "testing")
	g.cli("gate", "deny", g.clients[2].IPv4.String())
	if out := g.cli("gate", "deny", "10.64.0.0/10", "--status", "429", "--for", "1h"); !strings.Contains(out, "warning: 10.77.3.0/24 stays allowed") {
		t.Errorf("deny around a trusted proxy: %s", out)
	}
	if out, err := g.tryCLI("gate", "deny", g.clients[3].IPv4.String()); err == nil || !strings.Contains(out, "never shut out") {
		t.Errorf("deny a trusted proxy: %v %s", err, out)
	}
	want("denied", denied, byGateway, served)
	secure := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: g.clients[2].Namespace.Dial,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if _, err := secure.Get("https://" + g.ends[2].IPv4.String() + ":8443/prod/free"); err == nil {
		t.Error("the gateway shakes hands with a denied source")
	}

	// The rules outlive the daemon, and the next one starts with them in force.
	g.terminate(10 * time.Second)
	g.start()
	want("after a restart", denied, byGateway, served)
	g.kill()
	g.start()
	want("after a kill", denied, byGateway, served)

	if out := g.cli("gate", "allow", "10.77.1.0/24"); !strings.Contains(out, "10.77.1.0/24 is not denied any more") || !strings.Contains(out, "warning: 10.64.0.0/10 still denies it") {
		t.Errorf("allow: %s", out)
	}
	want("allowed in part", outcome{429, true}, byGateway, served)
	g.cli("gate", "allow", "10.64.0.0/10")
	want("allowed", served, served, served)

	// A rule ends by itself; so it does in the kernel.
	for i := 1; i <= 2; i++ {
		if _, err := g.client.Deny(t.Context(), g.clients[i].IPv4.String(), 2*time.Second, "", 0); err != nil {
			t.Fatal(err)
		}
	}
	want("denied for two seconds", denied, byGateway)
	time.Sleep(2100 * time.Millisecond)
	want("two seconds later", served, served)

	// Lists are read again at a reload, and so are interfaces.
	if err := os.WriteFile(lists, []byte("10.77.0.0/16 # everybody but trusted proxies\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g.reload("host file applied")
	want("on a list", denied, byGateway, served)
	if err := os.WriteFile(lists, []byte("10.77.0.0/16\nbots\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g.reload("deny.txt:2: \\\"bots\\\" is not a network")
	want("after a list that cannot be read", denied, byGateway, served)
	if err := os.WriteFile(lists, []byte("10.77.1.0/24\n10.77.2.0/24\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	next := g.host
	next.more = strings.Replace(next.more, "interfaces: [veth1]", "interfaces: [veth2]", 1)
	g.write(next)
	g.reload("host file applied")
	want("with the gate on the other interface", byGateway, denied, served)
	next.more = strings.Replace(next.more, "interfaces: [veth2]", "interfaces: []", 1)
	g.write(next)
	g.reload("host file applied")
	want("without the gate", byGateway, byGateway, served)
	if left := testnet.Files(t, filepath.Dir(g.pins)); len(left) > 1 {
		t.Errorf("pinned without a gate: %v", left)
	}
}

// TestExpiryWithoutDaemon: the kernel ends a sentence by its own clock when the
// daemon was killed.
func TestExpiryWithoutDaemon(t *testing.T) {
	t.Parallel()
	g := guard(t, 1, host{more: "kernel_gate: {interfaces: [veth1], pin_dir: PINS, sentences: {denials: 5, first: 3s, longest: 3s}}"})
	key := g.free(t, 1)
	c, err := dialIn(g.clients[1].Namespace, g.ends[1].IPv4.String()+public)
	if err != nil {
		t.Fatal(err)
	}
	exhaust(t, c, key)
	began := time.Now()
	_ = c.conn.Close()
	g.kill()
	go http.Serve(g.net.Listen("tcp", public), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // somebody else's
		w.Header().Set("x-amzn-RequestId", "another server")
	}))
	for refused := 0; ; refused++ {
		status, header, body := g.visit(1, public, "/prod/free")
		took := time.Since(began)
		if (status == 0 || status == 429 && byKernel(header)) && took < 8*time.Second {
			continue
		}
		if status != 200 || took < 2900*time.Millisecond || refused < 10 {
			t.Errorf("after %v and %d refusals: %d %s", took, refused, status, body)
		}
		return
	}
}

// TestUpgradeUnderTraffic: the daemon is replaced while a source that is kept out
// knocks without a pause. Were one packet decided by an empty map, it would get
// in.
func TestUpgradeUnderTraffic(t *testing.T) {
	t.Parallel()
	g := guard(t, 2, host{more: "kernel_gate: {interfaces: [veth1, veth2], pin_dir: PINS}"})
	g.free(t, 10)
	g.cli("gate", "deny", g.clients[1].IPv4.String(), "--status", "429")
	var stop atomic.Bool
	var refused, nobody atomic.Int64
	done := make(chan string)
	go func() {
		for !stop.Load() {
			switch status, header, body := g.visit(1, public, "/prod/free"); {
			case status == 429 && byKernel(header):
				refused.Add(1)
			case status == 0: // nothing listens, or no longer did when the request came
				nobody.Add(1)
			default:
				done <- fmt.Sprintf("%d %s", status, body)
				return
			}
		}
		done <- ""
	}()
	for i := range 4 {
		if i%2 == 0 {
			g.terminate(10 * time.Second)
		} else {
			g.kill()
		}
		g.start()
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGHUP} {
			_ = g.cmd.Process.Signal(sig)
			time.Sleep(50 * time.Millisecond)
		}
		if status, _, body := g.visit(2, public, "/prod/free"); status != 200 {
			t.Errorf("the neighbour: %d %s", status, body)
		}
	}
	stop.Store(true)
	if how := <-done; how != "" {
		t.Errorf("a source that is kept out got in during an upgrade: %s", how)
	}
	t.Logf("%d refused by the kernel, %d while nothing listened", refused.Load(), nobody.Load())
	if refused.Load() < 50 {
		t.Errorf("only %d attempts were refused", refused.Load())
	}
}
