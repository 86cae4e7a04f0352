package steer

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/tidegate/tidegate/internal/need"
	"golang.org/x/sys/unix"
)

// lookup is struct bpf_sk_lookup.
type lookup struct {
	Cookie         uint64
	Family         uint32
	Protocol       uint32
	RemoteIP4      [4]byte
	RemoteIP6      [16]byte
	RemotePort     [2]byte
	_              [2]byte
	LocalIP4       [4]byte
	LocalIP6       [16]byte
	LocalPort      uint32
	IngressIfindex uint32
	_              [4]byte
}

// BenchmarkLookup is one lookup by BPF_PROG_TEST_RUN, with 100 bindings of 4
// interfaces. "empty" is the same program without any.
func BenchmarkLookup(b *testing.B) {
	need.Root(b)
	var bindings []Binding
	for i := range 100 {
		bindings = append(bindings, Binding{
			Name:       fmt.Sprint(i),
			Interfaces: []string{"a", "b", "c", "d"},
			Addr:       netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 443),
		})
	}
	bindings = append(bindings, Binding{Name: "far", Interfaces: []string{"b"}, Addr: netip.MustParseAddrPort("10.0.0.100:443")})
	bindings = append(bindings, Binding{Name: "wild", Interfaces: []string{"a"}, Addr: netip.MustParseAddrPort("0.0.0.0:8443")})
	build := func(bindings []Binding) *generation {
		t, err := compile(bindings)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range t.rows {
			listeners, err := Listen(r.Addr, 1)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { listeners[0].Close() })
			raw, err := listeners[0].SyscallConn()
			if err != nil {
				b.Fatal(err)
			}
			r.sockets = &group{}
			if err := withDescriptor(raw, r.sockets.add); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(r.sockets.close)
			// The kernel tests with single sockets only.
			if err := unix.SetsockoptInt(r.sockets.descriptors[0], unix.SOL_SOCKET, unix.SO_REUSEPORT, 0); err != nil {
				b.Fatal(err)
			}
			r.first = t.sockets
			t.sockets++
		}
		g, err := load(t)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(g.close)
		if err := g.fill(map[string]int{"a": 0, "b": 12, "c": 13, "d": 14}); err != nil {
			b.Fatal(err)
		}
		return g
	}
	full, empty := build(bindings), build(nil)
	to := func(host byte, port uint32) lookup { // ingress: the kernel lets tests have 0 only
		return lookup{
			Family: 2, Protocol: 6, RemoteIP4: [4]byte{192, 0, 2, 1}, LocalIP4: [4]byte{10, 0, 0, host}, LocalPort: port,
		}
	}
	udp := to(1, 443)
	udp.Protocol = 17
	for _, bench := range []struct {
		name    string
		g       *generation
		ctx     lookup
		verdict uint32
		steered bool
	}{
		{"udp", full, udp, 1, false},
		{"empty", empty, to(1, 443), 1, false},
		{"public", full, to(1, 80), 1, false},
		{"public/same port", full, to(200, 443), 1, false},
		{"refused", full, to(100, 443), 0, false},
		{"steered", full, to(1, 443), 1, true},
		{"steered/wildcard", full, to(200, 8443), 1, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var out lookup
			verdict, err := bench.g.objects.Steer.Run(&ebpf.RunOptions{Context: &bench.ctx, ContextOut: &out, Repeat: uint32(b.N)})
			if err != nil {
				b.Fatal(err)
			}
			if verdict != bench.verdict || out.Cookie != 0 != bench.steered {
				b.Fatalf("verdict %d, socket %v", verdict, out.Cookie)
			}
		})
	}
}
