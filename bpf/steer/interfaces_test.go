package steer

import (
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testnet"
)

// TestInterfacesFollowNames takes an interface through its life.
func TestInterfacesFollowNames(t *testing.T) {
	h := newHost(t)
	s := h.open()
	h.ListenName("tcp", "[::]:443", "public")
	set(t, s,
		h.private("private", "[::]:443", 1).by("veth1", "veth4", "tenant").shared(),
		h.private("alone", "[::]:8443", 1).by("veth4", "tenant"),
	)
	index := func(name string) int {
		for _, i := range status(t, s).Bindings[0].Interfaces {
			if i.Name == name {
				return i.Index
			}
		}
		t.Fatalf("no interface %s in the status", name)
		return 0
	}
	if index("veth4") != 0 {
		t.Error("veth4 is there before it is made")
	}
	to := h.ends[2].IPv4

	h.connect(4) // appears
	h.eventually(4, to, 443, "private")
	h.eventually(4, to, 8443, "alone")
	if got := index("veth4"); got != h.ends[4].Index {
		t.Errorf("veth4 is %d, want %d", got, h.ends[4].Index)
	}

	h.IP("link", "set", "veth4", "down")
	h.IP("link", "set", "veth4", "name", "other", "up") // loses the name
	h.eventually(4, to, 443, "public")
	h.eventually(4, to, 8443, reset)

	h.IP("link", "set", "other", "down")
	h.IP("link", "set", "other", "name", "tenant", "up") // takes another that is listed
	h.eventually(4, to, 443, "private")
	h.eventually(4, to, 8443, "alone")

	h.IP("link", "delete", "tenant") // goes
	for range 100 {
		if index("tenant") == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := index("tenant"); got != 0 {
		t.Errorf("tenant is %d after it was deleted", got)
	}
	h.connect(4) // and comes again, with another index
	h.eventually(4, to, 443, "private")
	h.eventually(4, to, 8443, "alone")
	h.wants(2, 443, map[int]string{0: "public", 1: "private", 2: "public", 3: "public", 4: "private"})
}

// TestInterfacesExchangeNames ends with each listener on the other interface.
func TestInterfacesExchangeNames(t *testing.T) {
	h := newHost(t)
	s := h.open()
	set(t, s,
		h.private("one", "0.0.0.0:443", 1).by("veth1"),
		h.private("two", "0.0.0.0:443", 1).by("veth2"),
	)
	to := h.ends[3].IPv4
	for _, step := range [][]string{{"veth1", "spare"}, {"veth2", "veth1"}, {"spare", "veth2"}} {
		h.IP("link", "set", step[0], "down")
		h.IP("link", "set", step[0], "name", step[1], "up")
	}
	h.eventually(1, to, 443, "two")
	h.eventually(2, to, 443, "one")

	// And at once, as after lost events.
	names := map[string]int{"veth1": h.ends[1].Index, "veth2": h.ends[2].Index}
	s.changed(names, nil)
	h.eventually(1, to, 443, "one")
	h.eventually(2, to, 443, "two")

	s.changed(nil, io.ErrUnexpectedEOF)
	h.eventually(1, to, 443, reset)
	if status(t, s).Failed == nil {
		t.Error("the status does not say that interfaces are no longer followed")
	}
}

// TestManyInterfaces makes the list longer than one netlink message.
func TestManyInterfaces(t *testing.T) {
	h := newHost(t)
	const pairs = 60
	var script strings.Builder
	for i := range pairs {
		script.WriteString("link add many" + strconv.Itoa(i) + " type veth peer name much" + strconv.Itoa(i) + "\n")
	}
	h.batch(script.String())
	s := h.open()
	b := h.private("private", "0.0.0.0:443", 1)
	for i := range pairs {
		b.Interfaces = append(b.Interfaces, "much"+strconv.Itoa(i))
	}
	set(t, s, b)
	seen := map[int]bool{}
	for _, i := range status(t, s).Bindings[0].Interfaces {
		seen[i.Index] = true
	}
	if len(seen) != pairs || seen[0] {
		t.Errorf("%d indexes, want %d", len(seen), pairs)
	}
}

// TestConnectionStaysOnItsInterface moves the client of an open connection to
// another interface of the host, from where its segments are ignored.
func TestConnectionStaysOnItsInterface(t *testing.T) {
	h := newHost(t)
	s := h.open()
	other, _ := testnet.Connect(h.Namespace, h.peers[1], 4)
	var l net.Listener
	b := Binding{Name: "private", Addr: netip.AddrPortFrom(h.ends[1].IPv4, 443)}
	if err := h.Do(func() error {
		listeners, err := Listen(b.Addr, 1)
		if err == nil {
			l = listeners[0]
			b.Sockets = append(b.Sockets, listeners[0])
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	set(t, s, b.by("veth1"))
	client, err := h.peers[1].Dial(t.Context(), "tcp", b.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if got := server.LocalAddr().String(); got != b.Addr.String() {
		t.Errorf("the connection's local address is %s, want %s", got, b.Addr)
	}
	hears := func() bool {
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		server.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := server.Read(make([]byte, 16))
		return err == nil
	}
	if !hears() {
		t.Fatal("the connection does not work")
	}
	h.peers[1].IP("route", "add", b.Addr.Addr().String()+"/32", "via", other.IPv4.String())
	if hears() {
		t.Error("a segment by another interface was taken")
	}
	h.peers[1].IP("route", "delete", b.Addr.Addr().String()+"/32")
	server.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := server.Read(make([]byte, 16)); err != nil {
		t.Errorf("back on its interface: %v", err)
	}
}
