package steer

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/testnet"
)

// TestMatrix dials every address of the host from every interface, in both
// families, at every kind of port. Each cell is one listener or a reset.
func TestMatrix(t *testing.T) {
	h := newHost(t)
	s := h.open()
	for _, port := range []string{"443", "8443", "80"} {
		h.ListenName("tcp", "[::]:"+port, "public") // at 8443 a stray one, of somebody else's
	}
	at := func(n int, port uint16) (v4, v6 string) {
		return netip.AddrPortFrom(h.ends[n].IPv4, port).String(), netip.AddrPortFrom(h.ends[n].IPv6, port).String()
	}
	only4, only6 := at(1, 8443)
	one4, one6 := at(2, 7443)
	set(t, s,
		h.private("shared", "[::]:443", 1).by("veth1").shared(),
		h.private("alone4", only4, 1).by("veth1"),
		h.private("alone6", only6, 1).by("veth1"),
		h.private("first", "[::]:9443", 1).by("veth1"),
		h.private("second", "[::]:9443", 1).by("veth2", "lo"),
		h.private("any4", "0.0.0.0:7443", 1).by("veth1", "veth2"),
		h.private("any6", "[::]:6443", 1).by("veth1", "veth2"),
		h.private("one4", one4, 1).by("veth1"),
		h.private("one6", strings.Replace(one6, "7443", "6443", 1), 1).by("veth1").shared(),
	)
	// want is the specification, once more and without maps.
	want := func(from, owner int, to netip.Addr, port uint16) string {
		switch port {
		case 80:
			return "public"
		case 443:
			if from == 1 {
				return "shared"
			}
			return "public"
		case 8443:
			switch {
			case owner != 1:
				return "public"
			case from != 1:
				return reset
			case to.Is4():
				return "alone4"
			}
			return "alone6"
		case 9443:
			return [...]string{"second", "first", "second", reset}[from]
		case 7443: // the address itself goes first and is not shared; nothing for IPv6
			switch {
			case to.Is6() || from == 0 || from == public:
				return reset
			case owner != 2:
				return "any4"
			case from == 1:
				return "one4"
			}
			return reset
		case 6443: // the address itself goes first and is shared with the wildcard
			switch {
			case from == 0 || from == public:
				return reset
			case owner == 2 && from == 1 && to.Is6():
				return "one6"
			}
			return "any6"
		}
		panic(port)
	}
	var cells int
	for from := 0; from <= public; from++ {
		for owner := range h.ends {
			for _, to := range []netip.Addr{h.ends[owner].IPv4, h.ends[owner].IPv6} {
				for _, port := range []uint16{80, 443, 8443, 9443, 7443, 6443} {
					cells++
					if got, want := h.dial(from, to, port), want(from, owner, to, port); got != want {
						t.Errorf("from %d to %s: %s, want %s", from, netip.AddrPortFrom(to, port), got, want)
					}
				}
			}
		}
	}
	for _, to := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		for port, want := range map[uint16]string{443: "public", 8443: "public", 9443: "second", 7443: reset, 6443: reset} {
			cells++
			if got := h.dial(0, to, port); got != want {
				t.Errorf("on the loopback to %s: %s, want %s", netip.AddrPortFrom(to, port), got, want)
			}
		}
	}
	t.Logf("%d cells", cells)
}

// TestLocalProcesses has this host's own processes pretend to come in by the
// bound interface. The program sees through it, or the filter does.
func TestLocalProcesses(t *testing.T) {
	h := newHost(t)
	s := h.open()
	set(t, s, h.private("private", "[::]:443", 1).by("veth1"))
	h.wants(1, 443, map[int]string{1: "private"})
	for _, to := range []netip.Addr{h.ends[1].IPv4, h.ends[1].IPv6} {
		for _, device := range []string{"", "veth1", "veth3", "lo"} {
			for _, source := range []netip.Addr{{}, h.ends[1].IPv4, h.ends[2].IPv4, h.ends[1].IPv6, h.ends[2].IPv6} {
				if source.IsValid() && source.Is4() != to.Is4() {
					continue
				}
				got := h.knock(h.Namespace, device, source, netip.AddrPortFrom(to, 443))
				if got != reset && got != silence {
					t.Errorf("device %q, source %v, to %s: %s", device, source, to, got)
				}
				if device == "" && !source.IsValid() && got != reset {
					t.Errorf("an ordinary local process to %s: %s, want %s", to, got, reset)
				}
			}
		}
	}
}

// TestHiddenAddress finds no private socket at the address it listens at, even
// where someone made that address a local one.
func TestHiddenAddress(t *testing.T) {
	h := newHost(t)
	s := h.open()
	bindings := []Binding{
		h.private("private4", "0.0.0.0:443", 1).by("veth1"),
		h.private("private6", netip.AddrPortFrom(h.ends[1].IPv6, 443).String(), 1).by("veth1"),
		h.private("both", "[::]:8443", 1).by("veth1"),
	}
	set(t, s, bindings...)
	probe := func(when string) {
		for _, b := range bindings {
			hidden := b.Sockets[0].(*net.TCPListener).Addr().(*net.TCPAddr).AddrPort()
			for from, n := range map[int]*testnet.Namespace{0: h.Namespace, 1: h.peers[1], 2: h.peers[2], 3: h.peers[3]} {
				if from == 1 && when != "as it is" {
					continue // bound all the same
				}
				if got := h.knock(n, "", netip.Addr{}, hidden); got != reset && got != silence {
					t.Errorf("%s, from %d to %s: %s", when, from, hidden, got)
				}
			}
		}
	}
	probe("as it is")
	h.IP("addr", "add", hidden4.String()+"/32", "dev", "veth1")
	h.IP("addr", "add", hidden6.String()+"/128", "dev", "veth1", "nodad")
	probe("with the address on the interface")
}
