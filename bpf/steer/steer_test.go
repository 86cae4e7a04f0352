package steer

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/internal/testnet"
)

// TestLoopsShareConnections counts on the kernel to spread them over the group.
func TestLoopsShareConnections(t *testing.T) {
	h := newHost(t)
	s := h.open()
	b := h.private("loop", "[::]:443", 2).by("veth1")
	set(t, s, b)
	for _, to := range []netip.Addr{h.ends[1].IPv4, h.ends[1].IPv6} {
		got := map[string]int{}
		for range 40 {
			got[h.dial(1, to, 443)]++
		}
		if len(got) != 2 || got["loop0"] < 5 || got["loop1"] < 5 {
			t.Errorf("to %s: %v, want both loops", to, got)
		}
	}
	if n := status(t, s).Bindings[0].Sockets; n != 2 {
		t.Errorf("%d sockets, want 2", n)
	}
}

// TestSocketsThatClosed is a listener whose owner is gone with its copies: what
// remains of the group serves, and then nobody.
func TestSocketsThatClosed(t *testing.T) {
	h := newHost(t)
	h.ListenName("tcp", "[::]:443", "public")
	s := h.open()
	b := h.private("loop", "[::]:443", 2).by("veth1").shared()
	set(t, s, b)
	g := s.now.rows[0].sockets
	for i, want := range []string{"loop1", reset} {
		b.Sockets[i].(*net.TCPListener).Close()
		syscall.Close(g.descriptors[0])
		g.descriptors = g.descriptors[1:]
		for range 10 {
			h.wants(1, 443, map[int]string{1: want, 2: "public"})
		}
	}
	if n := status(t, s).Bindings[0].Unserved; n != 20 {
		t.Errorf("%d unserved, want 20", n)
	}
}

func TestCounters(t *testing.T) {
	h := newHost(t)
	s := h.open()
	h.ListenName("tcp", "[::]:8443", "public")
	bindings := []Binding{
		h.private("one", "0.0.0.0:443", 1).by("veth1"),
		h.private("two", "0.0.0.0:443", 1).by("veth2"),
		h.private("shared", "[::]:8443", 1).by("veth1").shared(),
	}
	set(t, s, bindings...)
	dials := func() {
		to := h.ends[1].IPv4
		h.dial(1, to, 443)
		h.dial(2, to, 443)
		h.dial(2, to, 443)
		h.dial(public, to, 443)
		h.dial(1, to, 8443)
		h.dial(public, h.ends[1].IPv6, 8443)
		h.dial(public, to, 8443)
		h.dial(public, to, 9443)
	}
	dials()
	set(t, s, bindings...) // counts go on
	dials()
	type counted struct{ steered, unserved, refused, passed uint64 }
	for i, want := range []counted{{2, 0, 2, 0}, {4, 0, 2, 0}, {2, 0, 0, 4}} {
		b := status(t, s).Bindings[i]
		if got := (counted{b.Steered, b.Unserved, b.Refused, b.Passed}); got != want {
			t.Errorf("%s: %+v, want %+v", b.Name, got, want)
		}
	}
}

// TestSetKeepsSockets changes the interfaces of a binding without its sockets.
func TestSetKeepsSockets(t *testing.T) {
	h := newHost(t)
	s := h.open()
	b := h.private("private", "0.0.0.0:443", 1)
	set(t, s, b.by("veth1"))
	b.Sockets = nil
	set(t, s, b.by("veth2"))
	h.wants4(443, map[int]string{1: reset, 2: "private"})
	set(t, s)
	h.wants4(443, map[int]string{1: reset, 2: reset})
	if err := s.Set([]Binding{b.by("veth2")}); err == nil || !strings.Contains(err.Error(), "no sockets") {
		t.Errorf("a binding that was left out has sockets still: %v", err)
	}
}

func (h *host) wants4(port uint16, answers map[int]string) {
	h.t.Helper()
	for from, want := range answers {
		if got := h.dial(from, h.ends[1].IPv4, port); got != want {
			h.t.Errorf("from %d: %s, want %s", from, got, want)
		}
	}
}

// TestSetRefuses has one mistake for each row, and afterwards all as before.
func TestSetRefuses(t *testing.T) {
	h := newHost(t)
	s := h.open()
	good := h.private("good", "0.0.0.0:443", 1).by("veth1")
	set(t, s, good)
	other := h.private("other", "0.0.0.0:443", 1).by("veth2")
	six := h.private("six", "[fd77::1]:443", 1).by("veth2")
	dual := h.private("dual", "[::]:443", 1).by("veth2")
	open := h.Listen("tcp4", "0.0.0.0:8443")
	edit := func(b Binding, f func(b *Binding)) Binding {
		f(&b)
		return b
	}
	for want, bindings := range map[string][]Binding{
		"no name":                {edit(other, func(b *Binding) { b.Name = "" })},
		"given twice":            {good, edit(other, func(b *Binding) { b.Name = "good" })},
		"no interface":           {other.by()},
		"not an address":         {edit(other, func(b *Binding) { b.Addr = netip.AddrPort{} })},
		"with a port":            {edit(other, func(b *Binding) { b.Addr = netip.AddrPortFrom(b.Addr.Addr(), 0) })},
		"has a zone":             {edit(six, func(b *Binding) { b.Addr = netip.MustParseAddrPort("[fe80::1%veth2]:443") })},
		"has interface veth1":    {good, other.by("veth1", "veth2")},
		"interface veth1 at":     {good, dual.by("veth1")},
		"otherwise about":        {good, other.shared()},
		"no sockets":             {edit(other, func(b *Binding) { b.Sockets = nil })},
		"family of [::]:443":     {edit(dual, func(b *Binding) { b.Sockets = six.Sockets })},
		"family of 0.0.0.0:443":  {edit(other, func(b *Binding) { b.Sockets = six.Sockets })},
		"the sockets of":         {good, edit(other, func(b *Binding) { b.Sockets = good.Sockets })},
		"same SO_REUSEPORT":      {edit(other, func(b *Binding) { b.Sockets = append(good.Sockets[:1:1], other.Sockets...) })},
		"not of a SO_REUSEPORT":  {edit(other, func(b *Binding) { b.Sockets = []syscall.Conn{plain(t, h, false)} })},
		"anybody may find it":    {edit(other, func(b *Binding) { b.Sockets = []syscall.Conn{plain(t, h, true)} })},
		"not plain TCP":          {edit(other, func(b *Binding) { b.Sockets = []syscall.Conn{open.(*net.TCPListener)} })},
		"more than 64":           {edit(other, func(b *Binding) { b.Interfaces = make([]string, 65) })},
		"more than 256":          {edit(other, func(b *Binding) { b.Sockets = make([]syscall.Conn, 257) })},
		"use of closed network ": {edit(other, func(b *Binding) { b.Sockets = []syscall.Conn{closedListener(t)} })},
	} {
		if err := s.Set(bindings); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		h.wants4(443, map[int]string{1: "good", 2: reset})
	}
}

// plain is a listening socket as others open it.
func plain(t *testing.T, h *host, reuse bool) syscall.Conn {
	t.Helper()
	config := net.ListenConfig{}
	config.SetMultipathTCP(false)
	if reuse {
		config.Control = ListenControl("")
	}
	var l net.Listener
	if err := h.Do(func() (err error) {
		l, err = config.Listen(t.Context(), "tcp4", "0.0.0.0:0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func closedListener(t *testing.T) syscall.Conn {
	t.Helper()
	listeners, err := Listen(netip.MustParseAddrPort("127.0.0.1:1"), 1)
	if err != nil {
		t.Fatal(err)
	}
	listeners[0].Close()
	return listeners[0]
}

// TestReplaceWhileConnecting sets bindings anew, and hands over to the next
// process, while neighbours connect: no connection goes astray.
func TestReplaceWhileConnecting(t *testing.T) {
	h := newHost(t)
	h.ListenName("tcp", "[::]:443", "stray")
	h.ListenName("tcp", "[::]:8443", "public")
	private := []Binding{
		h.private("alone", "[::]:443", 2).by("veth1"),
		h.private("shared", "[::]:8443", 2).by("veth1").shared(),
	}
	s := h.open()
	set(t, s, private...)
	done := make(chan struct{})
	var dials atomic.Int64
	var neighbours sync.WaitGroup
	for _, from := range []int{1, public} {
		neighbours.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				to := h.ends[2].IPv4
				if i%2 == 1 {
					to = h.ends[2].IPv6
				}
				alone, shared := strings.TrimRight(h.dial(from, to, 443), "01"), strings.TrimRight(h.dial(from, to, 8443), "01")
				want := map[int][2]string{1: {"alone", "shared"}, public: {reset, "public"}}[from]
				if got := [2]string{alone, shared}; got != want {
					t.Errorf("from %d: %v, want %v", from, got, want)
				}
				dials.Add(2)
			}
		})
	}
	const rounds = 30
	for i := range rounds {
		if i%3 == 0 { // the process after
			s.Close()
			s = h.open()
		}
		set(t, s, private...)
	}
	close(done)
	neighbours.Wait()
	t.Logf("%d connections in %d replacements", dials.Load(), rounds)
}

// TestRemoveFailsClosed takes the program away under open private sockets.
func TestRemoveFailsClosed(t *testing.T) {
	h := newHost(t)
	s := h.open()
	set(t, s, h.private("private", "[::]:443", 1).by("veth1"))
	h.wants(1, 443, map[int]string{1: "private"})
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	h.wants(1, 443, map[int]string{0: reset, 1: reset, 2: reset, 3: reset})
	if files := testnet.Files(t, h.folder); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
	if err := s.Set(nil); err == nil {
		t.Error("Set works after Remove")
	}
	if _, err := s.Status(); err == nil {
		t.Error("Status works after Remove")
	}
	if err := errors.Join(s.Remove(), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestProcessEnds has the program guard what a process left, until the next.
func TestProcessEnds(t *testing.T) {
	h := newHost(t)
	h.ListenName("tcp", "[::]:443", "stray")
	s := h.open()
	b := h.private("private", "[::]:443", 1).by("veth1")
	set(t, s, b)
	s.Close()
	b.Sockets[0].(*net.TCPListener).Close()
	h.wants(1, 443, map[int]string{0: reset, 1: reset, 2: reset, 3: reset})

	s = h.open() // and before Set
	if status(t, s).InForce {
		t.Error("in force before Set")
	}
	h.wants(1, 443, map[int]string{0: reset, 1: reset, 2: reset, 3: reset})
	set(t, s, h.private("next", "[::]:443", 1).by("veth2"))
	h.wants(1, 443, map[int]string{0: reset, 1: reset, 2: "next", 3: reset})
	if st := status(t, s); !st.InForce || len(st.Tag) != 16 {
		t.Errorf("%+v", st)
	}
}
