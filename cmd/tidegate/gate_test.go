package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

func TestGateStatus(t *testing.T) {
	f := newFixture(t)
	if out := f.must(t, "gate"); out != "gate      off; 0 sources shut out, 0 networks denied, 0 networks on lists\n" {
		t.Errorf("off: %q", out)
	}
	f.gate.status = control.GateStatus{
		On: true, Program: "0123456789abcdef", Sentences: 2, Denied: 1, Listed: 1000, Notes: []string{"the kernel gate waits for interface wg0"},
		Interfaces: []control.GateInterface{{Name: "eth0", Mode: "native"}, {Name: "wg0", Mode: "none"}},
		Private: []control.PrivateStatus{
			{Listener: "inside", Address: "[::]:443", Endpoint: "vpce-inside", Steered: true, Led: 7, Refused: 3, Interfaces: []control.InterfaceName{{Name: "eth1", There: true}, {Name: "eth2"}}},
			{Listener: "other", Address: "10.0.0.1:443", Endpoint: "vpce-other", Interfaces: []control.InterfaceName{{Name: "eth3", There: true}}},
		},
	}
	for _, command := range []string{"gate", "gate status", "status"} {
		printed(t, squeeze(f.must(t, strings.Fields(command)...)),
			"gate on eth0 (native), wg0 (none), program 0123456789abcdef; 2 sources shut out, 1 network denied, 1000 networks on lists\n",
			"\nPRIVATE ADDRESS ENDPOINT INTERFACES BY LED REFUSED UNSERVED\n",
			"inside [::]:443 vpce-inside eth1, eth2 (absent) kernel 7 3 0\n",
			"other 10.0.0.1:443 vpce-other eth3 socket - - -")
	}
	printed(t, f.must(t, "gate"), "\nnote: the kernel gate waits for interface wg0\n")
	if s := decoded[control.GateStatus](t, f.must(t, "gate", "status", "--json")); !s.On || len(s.Private) != 2 {
		t.Errorf("%+v", s)
	}
}

func TestGateDenyListAllow(t *testing.T) {
	f := newFixture(t)
	until := noon
	f.gate.sentences = []control.GateEntry{{Kind: "sentence", Network: "198.51.100.7", Status: 429, Reason: "THROTTLED", Until: &until}}
	if out := f.must(t, "gate", "deny", "192.0.2.7"); out != "192.0.2.7 is kept out until it is allowed\n" {
		t.Errorf("deny: %q", out)
	}
	printed(t, f.must(t, "gate", "deny", "2001:db8::/32", "--for", "90m", "--reason", "scraping", "--status", "429"), "2001:db8::/32 is kept out until 20")
	code, out, stderr := f.run("gate", "deny", "10.0.0.0/8", "--json")
	if code != exitOK || stderr != "warning: 10.0.0.0/24 stays allowed: it is never shut out\n" || len(decoded[control.DenyResult](t, out).Warnings) != 1 {
		t.Errorf("deny around a protected network: %d %q %q", code, out, stderr)
	}
	list := squeeze(f.must(t, "gate", "list"))
	printed(t, list+"\n", "KIND NETWORK STATUS REASON UNTIL\n", "deny 192.0.2.7 403 - -\n", "deny 2001:db8::/32 429 scraping 20",
		"sentence 198.51.100.7 429 THROTTLED 2026-03-04 12:00:00Z\n", "never 127.0.0.0/8 - - -\n")
	if entries := decoded[[]control.GateEntry](t, f.must(t, "gate", "list", "--json")); len(entries) != 5 {
		t.Errorf("%+v", entries)
	}
	if out := f.must(t, "gate", "allow", "192.0.2.0/24"); out != "192.0.2.7 is not denied any more\n" {
		t.Errorf("allow: %q", out)
	}
	if out := f.must(t, "gate", "allow", "198.51.100.7"); out != "the sentence of 198.51.100.7 is over\n" {
		t.Errorf("allow: %q", out)
	}
	if out := f.must(t, "gate", "allow", "198.51.100.7"); out != "nothing within 198.51.100.7 was kept out\n" {
		t.Errorf("allow again: %q", out)
	}
	code, out, stderr = f.run("gate", "allow", "10.1.2.3", "--json")
	if code != exitOK || !strings.HasPrefix(stderr, "warning: 10.0.0.0/8 still denies it") || decoded[control.AllowResult](t, out).Removed == nil {
		t.Errorf("allow within what is denied: %d %q %q", code, out, stderr)
	}
}

func TestGateRefusals(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		code int
		want string
		args string
	}{
		{exitUsage, `unexpected "eth0"`, "eth0"},
		{exitUsage, "or: tidegate gate deny CIDR", "dance"},
		{exitUsage, "missing CIDR", "deny"},
		{exitUsage, `"192.0.2.7/24" has bits beyond the prefix; write 192.0.2.0/24`, "deny 192.0.2.7/24"},
		{exitUsage, `"example.com" is not a network`, "allow example.com"},
		{exitUsage, "--for 1ms: write a second or more", "deny 192.0.2.7 --for 1ms"},
		{exitUsage, "--for -1s: write a second or more", "deny 192.0.2.7 --for -1s"},
		{exitUsage, "invalid value", "deny 192.0.2.7 --for soon"},
		{exitUsage, "--status 418: write 403 or 429", "deny 192.0.2.7 --status 418"},
		{exitUsage, "--every 0: write 1", "trace --every 0"},
		{exitRefused, "127.0.0.1 is within 127.0.0.0/8, which is never shut out", "deny 127.0.0.1"},
		{exitRefused, "Invalid reason: it has at most 64 bytes", "deny 192.0.2.7 --reason " + strings.Repeat("x", 65)},
	} {
		f.refused(t, c.code, c.want, append([]string{"gate"}, strings.Fields(c.args)...)...)
	}
	f.gate.off = true
	f.refused(t, exitRefused, "There is nothing to trace: the kernel gate is off", "gate", "trace")
}

func TestGateStats(t *testing.T) {
	f := newFixture(t)
	if out := f.must(t, "gate", "stats"); out != "the kernel gate is off\n" {
		t.Errorf("off: %q", out)
	}
	f.gate.stats = []control.GateStats{{On: true, Runs: 10, RunNanoseconds: 700, Reasons: []control.GateCount{
		{Reason: "pass_clean", Packets: 9, Bytes: 900}, {Reason: "drop_rule"}, {Reason: "drop_sentence", Packets: 1, Bytes: 74}}}}
	if out := squeeze(f.must(t, "gate", "stats")); out != "REASON PACKETS BYTES\npass_clean 9 900\ndrop_sentence 1 74\n70 ns a packet over 10 packets" {
		t.Errorf("stats printed\n%s", out)
	}
	if s := decoded[control.GateStats](t, f.must(t, "gate", "stats", "--json")); len(s.Reasons) != 3 {
		t.Errorf("%+v", s)
	}
	var both strings.Builder
	r := newRemote(&env{stdout: &both, now: func() time.Time { return noon }}, gateStatsCommand)
	next := f.gate.stats[0]
	next.Reasons = []control.GateCount{{Reason: "pass_clean", Packets: 12, Bytes: 1200}}
	if err := printWatched(r, &next, &f.gate.stats[0]); err != nil {
		t.Fatal(err)
	}
	printed(t, squeeze(both.String()), "REASON PACKETS BYTES SINCE\npass_clean 12 1200 +3\n")
}

func TestGateTrace(t *testing.T) {
	f := newFixture(t)
	f.gate.events = []control.GateEvent{
		{Time: noon, Source: "192.0.2.7:4000", Port: 8080, Interface: "eth0", Bytes: 74, Reason: "drop_sentence", Why: "THROTTLED"},
		{Time: noon, Source: "[2001:db8::1]:0", Port: 8080, Interface: "eth0", Bytes: 60, Reason: "drop_rule"},
	}
	want := "12:00:00.000000Z  drop_sentence    192.0.2.7:4000 -> :8080  eth0  74 bytes  THROTTLED\n" +
		"12:00:00.000000Z  drop_rule        [2001:db8::1]:0 -> :8080  eth0  60 bytes\n"
	if out := f.must(t, "gate", "trace"); out != want {
		t.Errorf("trace printed\n%s", out)
	}
	lines := strings.Split(strings.TrimSpace(f.must(t, "gate", "trace", "--json", "--every", "8")), "\n")
	if len(lines) != 2 || decoded[control.GateEvent](t, lines[0]) != f.gate.events[0] {
		t.Errorf("trace --json printed\n%s", lines)
	}
}
