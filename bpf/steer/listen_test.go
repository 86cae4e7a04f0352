package steer

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/tidegate/tidegate/internal/testnet"
	"golang.org/x/sys/unix"
)

// TestListenControl is the fallback: no program, one socket for each interface.
func TestListenControl(t *testing.T) {
	h := newHost(t)
	listen := func(device, address, name string) error {
		return h.Do(func() error {
			config := net.ListenConfig{Control: ListenControl(device)}
			l, err := config.Listen(t.Context(), "tcp", address)
			if err != nil {
				return err
			}
			t.Cleanup(func() { l.Close() })
			testnet.Greet(l, name)
			return nil
		})
	}
	one4, one6 := netip.AddrPortFrom(h.ends[1].IPv4, 443).String(), netip.AddrPortFrom(h.ends[1].IPv6, 443).String()
	if err := errors.Join(
		listen("veth1", one4, "private"), // before the public one, and
		listen("", "[::]:443", "public"),
		listen("veth1", one6, "private"), // after it
		listen("veth2", one4, "private"),
		listen("veth2", one6, "private"),
		listen("veth1", "[::]:8443", "alone"),
	); err != nil {
		t.Fatal(err)
	}
	h.wants(1, 443, map[int]string{1: "private", 2: "private", public: "public"})
	h.wants(2, 443, map[int]string{1: "public", 2: "public", public: "public"})
	h.wants(2, 8443, map[int]string{1: "alone", 2: reset, public: reset})
	for _, to := range []netip.Addr{h.ends[1].IPv4, h.ends[1].IPv6} {
		if got := h.knock(h.Namespace, "", netip.Addr{}, netip.AddrPortFrom(to, 8443)); got != reset && got != silence {
			t.Errorf("the host itself to %s: %s", to, got)
		}
	}
	for addr, want := range map[netip.Addr]bool{
		h.ends[1].IPv4: true, h.ends[2].IPv6: true, netip.MustParseAddr("127.0.0.5"): true, netip.IPv6Loopback(): true,
		h.ends[1].IPv4.Next(): false, h.ends[1].IPv6.Next(): false, netip.MustParseAddr("192.0.2.1"): false, netip.MustParseAddr("2001:db8::1"): false,
	} {
		if err := h.Do(func() error {
			if got := Local(addr); got != want {
				t.Errorf("%s is local: %v", addr, got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := listen("veth9", "[::]:443", "private"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("on an interface that is not there: %v, want ENODEV", err)
	}
}
