package front

import (
	"net/netip"
	"testing"
)

// TestSources: each source has so many connections, an IPv6 /64 is one, and those
// that are exempt or have no address are not counted.
func TestSources(t *testing.T) {
	exempt := netip.MustParseAddr("10.0.0.1")
	f := &Front{config: Config{PerSource: 2, Exempt: func(a netip.Addr) bool { return a == exempt }}}
	var left *source
	for _, c := range []struct {
		addr string
		ok   bool
	}{
		{"192.0.2.1", true}, {"192.0.2.1", true}, {"192.0.2.1", false}, {"192.0.2.2", true},
		{"2001:db8::1", true}, {"2001:db8::ffff:2", true}, {"2001:db8:0:0:3::", false}, {"2001:db8:0:1::1", true},
		{"fe80::1%eth0", true}, {"fe80::2%eth1", true}, {"fe80::3", false},
		{"10.0.0.1", true}, {"10.0.0.1", true}, {"10.0.0.1", true},
	} {
		s, ok := f.enter(netip.MustParseAddr(c.addr))
		if ok != c.ok {
			t.Errorf("%s: let in %v", c.addr, ok)
		}
		if c.addr == "192.0.2.1" && ok {
			left = s
		}
	}
	if s, ok := f.enter(netip.Addr{}); s != nil || !ok {
		t.Error("a Unix socket is counted")
	}
	left.leave()
	if _, ok := f.enter(netip.MustParseAddr("192.0.2.1")); !ok {
		t.Error("no room after one has left")
	}
}

// TestSourcesAreForgotten: addresses that come and go do not pile up, and those
// that are connected stay counted.
func TestSourcesAreForgotten(t *testing.T) {
	f := &Front{config: Config{PerSource: 1}}
	stays := netip.MustParseAddr("192.0.2.1")
	if _, ok := f.enter(stays); !ok {
		t.Fatal("the first is refused")
	}
	addr := netip.MustParseAddr("10.0.0.0")
	for range 100_000 {
		addr = addr.Next()
		s, ok := f.enter(addr)
		if !ok {
			t.Fatalf("%s is refused", addr)
		}
		s.leave()
	}
	if n := len(f.sources.of); n > 2048 {
		t.Errorf("%d sources are remembered", n)
	}
	if _, ok := f.enter(stays); ok {
		t.Error("who is connected was forgotten")
	}
}
