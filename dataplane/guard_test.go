package dataplane

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
)

// The longest network decides, whoever speaks of it; loopback and trusted proxies
// are never kept out.
func TestDenials(t *testing.T) {
	host := configs.Defaults()
	host.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	g := &Gateway{}
	g.denials.Store(newDenials(host, []definition.DenyRule{
		{CIDR: "10.0.0.0/8", Until: &soon}, {CIDR: "10.1.2.3/32"}, {CIDR: "192.0.2.0/24", Until: &past}, {CIDR: "126.0.0.0/7"}, {CIDR: "2001:db8::/32"},
	}, prefixlist.Compile([]prefixlist.Entry{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}, {Prefix: netip.MustParsePrefix("2001:db8:1::/48")}})))
	for addr, want := range map[string]bool{
		"10.2.0.1": true, "::ffff:10.2.0.1": true, "10.1.2.3": false, "10.1.9.9": false, "192.0.2.1": false, "198.51.100.9": true,
		"127.0.0.1": false, "126.0.0.1": true, "2001:db8::1": true, "2001:db8:1::1": true, "2001:db9::1": false,
	} {
		if got := g.denied(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: denied %v", addr, got)
		}
	}
	g.denials.Store(newDenials(host, nil, prefixlist.Compile(nil)))
	if n := testing.AllocsPerRun(100, func() { g.denied(host.TrustedProxies[0].Addr()) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"10.0.0.1:443", "10.0.0.1:443", true}, {"10.0.0.1:443", "10.0.0.1:80", false}, {"10.0.0.1:443", "10.0.0.2:443", false},
		{"10.0.0.1:443", "0.0.0.0:443", true}, {"10.0.0.1:443", "[::]:443", true}, {"[fd00::1]:443", "0.0.0.0:443", false},
		{"[fd00::1]:443", "[::]:443", true}, {"0.0.0.0:443", "[::]:443", true},
	} {
		a, b := netip.MustParseAddrPort(c.a), netip.MustParseAddrPort(c.b)
		if overlap(a, b) != c.want || overlap(b, a) != c.want {
			t.Errorf("%s and %s: want %v", a, b, c.want)
		}
	}
}

func TestReloadableListeners(t *testing.T) {
	old := []configs.Listener{{Name: "a", Address: ":80", Refusal: "drop"}, {Name: "b", Address: ":443", Interfaces: []string{"eth0"}, Endpoint: "vpce-1"}}
	same := []configs.Listener{{Name: "a", Address: ":80", Refusal: "reset"}, {Name: "b", Address: ":443", Interfaces: []string{"eth1", "eth2"}, Endpoint: "vpce-1"}}
	if !reflect.DeepEqual(fixedPart(old), fixedPart(same)) {
		t.Error("refusals and interfaces take a restart")
	}
	for _, next := range []configs.Listener{{Name: "b", Address: ":443"}, {Name: "b", Address: ":444", Interfaces: []string{"eth0"}, Endpoint: "vpce-1"}, {Name: "b", Address: ":443", Interfaces: []string{"eth0"}, Endpoint: "vpce-2"}} {
		if reflect.DeepEqual(fixedPart(old), fixedPart([]configs.Listener{old[0], next})) {
			t.Errorf("%+v does not take a restart", next)
		}
	}
	if !strings.Contains(strings.Join(old[1].Interfaces, ""), "eth0") {
		t.Error("comparing changed the listeners")
	}
}

// Two gateways do not share a folder of pins; without a BPF file system there is
// none to share.
func TestClaimPins(t *testing.T) {
	need.Root(t)
	dir := filepath.Join(testnet.FS(t), "a", "b")
	first, err := claimPins(dir)
	if err != nil || first == nil {
		t.Fatalf("%v, %v", first, err)
	}
	if _, err := claimPins(dir); err == nil || !strings.Contains(err.Error(), "another gateway has it; give this one a kernel_gate.pin_dir of its own") {
		t.Errorf("the second: %v", err)
	}
	_ = first.Close()
	again, err := claimPins(dir)
	if err != nil {
		t.Errorf("after the first: %v", err)
	}
	_ = again.Close()
	plain := filepath.Join(t.TempDir(), "a")
	if lock, err := claimPins(plain); lock != nil || err != nil {
		t.Errorf("elsewhere: %v, %v", lock, err)
	}
}
