package control

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestGateDenyAndAllow(t *testing.T) {
	b := newBench(t)
	c := Dial(b.socket)
	defer c.Close()
	ctx := context.Background()
	out, err := c.Deny(ctx, "192.0.2.7", 90*time.Second, "asked for it", 429)
	if err != nil || out.Network != "192.0.2.7" || out.Status != 429 || out.Until == nil || !out.Until.Equal(noon.Add(90*time.Second)) || len(out.Warnings) != 0 {
		t.Errorf("deny: %+v, %v", out, err)
	}
	if out, err = c.Deny(ctx, "10.0.0.0/8", 0, "", 0); err != nil || out.Until != nil || out.Status != 403 ||
		!reflect.DeepEqual(out.Warnings, []string{"10.0.0.0/24 stays allowed: it is never shut out"}) {
		t.Errorf("deny around a protected network: %+v, %v", out, err)
	}
	// The same again, by another time, is one rule; what has ended goes with it.
	b.gateway.catalog = b.gateway.catalog.With(definition.Change{PutAccount: &definition.Account{Deny: append(b.gateway.catalog.Account.Deny,
		definition.DenyRule{CIDR: "203.0.113.0/24", Until: in(-time.Second)})}})
	if _, err := c.Deny(ctx, "192.0.2.7/32", time.Hour, "again", 0); err != nil {
		t.Fatal(err)
	}
	want := []definition.DenyRule{{CIDR: "10.0.0.0/8", Status: 403}, {CIDR: "192.0.2.7/32", Reason: "again", Status: 403, Until: in(time.Hour)}}
	if got := b.gateway.Catalog().Account.Deny; !reflect.DeepEqual(got, want) {
		t.Errorf("rules %+v, want %+v", got, want)
	}
	b.gateway.gate.sentences = []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32"), netip.MustParsePrefix("2001:db8::/64")}
	entries, err := c.GateEntries(ctx)
	if err != nil || len(entries) != 4 || entries[1].Network != "192.0.2.7" || entries[3].Network != "2001:db8::/64" {
		t.Errorf("list: %+v, %v", entries, err)
	}

	allowed, err := c.Allow(ctx, "192.0.2.0/24")
	if want := (&AllowResult{Removed: []string{"192.0.2.7"}, Released: []string{"192.0.2.9"}}); err != nil || !reflect.DeepEqual(allowed, want) {
		t.Errorf("allow: %+v, %v", allowed, err)
	}
	before := b.gateway.Catalog()
	allowed, err = c.Allow(ctx, "10.1.2.3")
	if want := "10.0.0.0/8 still denies it: allow all of that, or add 10.1.2.3 to kernel_gate.never of the host file"; err != nil ||
		len(allowed.Removed)+len(allowed.Released) != 0 || len(allowed.Warnings) != 1 || allowed.Warnings[0] != want {
		t.Errorf("allow within what is denied: %+v, %v", allowed, err)
	}
	if !reflect.DeepEqual(b.gateway.Catalog().Account, before.Account) {
		t.Error("that changed the rules")
	}
	if allowed, err = c.Allow(ctx, "198.51.100.1"); err != nil || len(allowed.Warnings) != 1 || !strings.Contains(allowed.Warnings[0], "deny list of the host file") {
		t.Errorf("allow what a list denies: %+v, %v", allowed, err)
	}
	for _, want := range []string{"operation=DenyNetwork", "network=192.0.2.7/32", "operation=AllowNetwork", "network=192.0.2.0/24"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, b.log)
		}
	}
}

func TestGateRefusals(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ body, message string }{
		{`{}`, `Invalid cidr: "" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`},
		{`{"cidr":"192.0.2.7/24"}`, `Invalid cidr: "192.0.2.7/24" has bits beyond the prefix; write 192.0.2.0/24`},
		{`{"cidr":"0.0.0.0/0"}`, `Invalid cidr: "0.0.0.0/0" is every address; name the networks you mean`},
		{`{"cidr":"10.0.0.5"}`, "10.0.0.5 is within 10.0.0.0/24, which is never shut out: loopback, trusted_proxies and kernel_gate.never of the host file"},
		{`{"cidr":"::1"}`, "::1 is within ::1/128, which is never shut out: loopback, trusted_proxies and kernel_gate.never of the host file"},
		{`{"cidr":"192.0.2.7","seconds":-1}`, "Invalid seconds: -1. It must be from 1 to 315360000, or 0 for no end"},
		{`{"cidr":"192.0.2.7","status":418}`, "Invalid status: 418. It must be 403 or 429"},
		{`{"cidr":"192.0.2.7","reason":"` + strings.Repeat("x", 65) + `"}`, "Invalid reason: it has at most 64 bytes and no control characters"},
		{`{"cidr":"192.0.2.7","reason":"a\nb"}`, "Invalid reason: it has at most 64 bytes and no control characters"},
		{`{"cidr":"192.0.2.7","for":"10m"}`, `Invalid request body: unknown member "for"`},
	} {
		b.wantError("POST", "/tidegate/gate/deny", c.body, 400, CodeBadRequest, c.message)
	}
	b.wantError("POST", "/tidegate/gate/allow", `{"cidr":"x"}`, 400, CodeBadRequest, `Invalid cidr: "x" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`)
	b.wantError("GET", "/tidegate/gate/trace?every=0", "", 400, CodeBadRequest, `Invalid every: "0". It must be a number, 1 for all packets`)
	full := definition.Account{}
	for i := range maxDenyRules {
		full.Deny = append(full.Deny, definition.DenyRule{CIDR: fmt.Sprintf("172.16.%d.%d/32", i/256, i%256)})
	}
	b.gateway.catalog = b.gateway.catalog.With(definition.Change{PutAccount: &full})
	if a := b.call("POST", "/tidegate/gate/deny", `{"cidr":"192.0.2.7"}`); a.status != 429 || !strings.Contains(a.body, "kernel_gate.deny_files") {
		t.Errorf("one rule too many: %+v", a)
	}
	b.want(201, "POST", "/tidegate/gate/deny", `{"cidr":"172.16.0.1"}`) // in place of one
}

func TestGateStatusAndStats(t *testing.T) {
	b := newBench(t)
	c := Dial(b.socket)
	defer c.Close()
	status, err := c.GateStatus(context.Background())
	if err != nil || !status.On || status.Interfaces[0] != (GateInterface{"eth0", GateGeneric}) {
		t.Errorf("status: %+v, %v", status, err)
	}
	stats, err := c.GateStats(context.Background())
	if err != nil || len(stats.Reasons) != 2 || stats.Reasons[0] != (GateCount{"pass_clean", 5, 500}) {
		t.Errorf("stats: %+v, %v", stats, err)
	}
}

// A trace streams, one at a time, until the client or the server ends it.
func TestGateTrace(t *testing.T) {
	b := newBench(t)
	c := Dial(b.socket)
	defer c.Close()
	gate := b.gateway.gate
	ended := func(done chan error) {
		t.Helper()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the trace goes on")
		}
		for i := 0; gate.isTraced(); i++ {
			if i == 500 {
				t.Fatal("the gate is traced for nobody")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	run := func(ctx context.Context) (got chan GateEvent, done chan error) {
		got, done = make(chan GateEvent, 10), make(chan error, 1)
		go func() { done <- c.GateTrace(ctx, 7, func(e GateEvent) { got <- e }) }()
		return got, done
	}
	ctx, cancel := context.WithCancel(context.Background())
	got, done := run(ctx)
	want := GateEvent{Time: noon, Source: "192.0.2.7:4000", Port: 8080, Interface: "eth0", Bytes: 74, Reason: "drop_sentence", Why: "THROTTLED"}
	for range 3 {
		gate.events <- want
		if e := <-got; e != want {
			t.Errorf("got %+v", e)
		}
	}
	if gate.every != 7 {
		t.Errorf("one of every %d", gate.every)
	}
	var refused *Error
	if err := c.GateTrace(context.Background(), 1, nil); !errors.As(err, &refused) || refused.Status != 409 || !strings.Contains(refused.Message, "another trace is running") {
		t.Errorf("a second trace: %v", err)
	}
	cancel()
	ended(done)

	// The server ends it too.
	_, done = run(context.Background())
	for !gate.isTraced() {
		time.Sleep(time.Millisecond)
	}
	b.http.CloseIdleConnections()
	stop, cancelStop := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelStop()
	if err := b.server.Shutdown(stop); err != nil {
		t.Errorf("shutdown with a trace: %v", err)
	}
	ended(done)
}

func TestGateTraceOff(t *testing.T) {
	b := newBench(t)
	b.gateway.gate.off = true
	b.wantError("GET", "/tidegate/gate/trace", "", 409, CodeConflict, "There is nothing to trace: the kernel gate is off")
}
