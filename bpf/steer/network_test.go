package steer

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testnet"
	"golang.org/x/sys/unix"
)

// host is a namespace under test, with neighbours that can reach all of its
// addresses, each by an interface of its own: veth1, veth2, veth3.
type host struct {
	*testnet.Namespace
	t      *testing.T
	folder string
	ends   map[int]*testnet.End // of the host
	peers  map[int]*testnet.Namespace
}

const public = 3 // the neighbour that no test binds a private listener to

func newHost(t *testing.T) *host {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= goroutines {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("%d goroutines before the test, %d after", goroutines, runtime.NumGoroutine())
	})
	h := &host{t: t, ends: map[int]*testnet.End{}, peers: map[int]*testnet.Namespace{}}
	h.Namespace = testnet.New(t)
	testnet.NoLeaks(t)
	h.folder = testnet.FS(t) + "/steer"
	for n := 1; n <= public; n++ {
		h.connect(n)
	}
	return h
}

// connect adds a neighbour, or the interface to it once more.
func (h *host) connect(n int) {
	h.t.Helper()
	if h.peers[n] == nil {
		h.peers[n] = testnet.New(h.t)
	}
	end, _ := testnet.Connect(h.Namespace, h.peers[n], uint8(n))
	h.ends[n] = end
	h.peers[n].IP("route", "add", "default", "via", end.IPv4.String())
	h.peers[n].IP("route", "add", "default", "via", end.IPv6.String())
}

// open is Open inside the namespace, closed with the test.
func (h *host) open() *Steer {
	h.t.Helper()
	var s *Steer
	if err := h.Do(func() (err error) {
		s, err = Open(Options{Folder: h.folder})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { s.Close() })
	return s
}

// private opens sockets that greet with name, or with name and a number.
func (h *host) private(name, addr string, n int) (b Binding) {
	h.t.Helper()
	b = Binding{Name: name, Addr: netip.MustParseAddrPort(addr)}
	if err := h.Do(func() error {
		listeners, err := Listen(b.Addr, n)
		for i, l := range listeners {
			h.t.Cleanup(func() { l.Close() })
			b.Sockets = append(b.Sockets, l)
			greeting := name
			if n > 1 {
				greeting += strconv.Itoa(i)
			}
			testnet.Greet(l, greeting)
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (b Binding) by(interfaces ...string) Binding {
	b.Interfaces = interfaces
	return b
}

func (b Binding) shared() Binding {
	b.Shared = true
	return b
}

const (
	reset   = "reset"
	silence = "silence"
)

// dial returns who answers the neighbour (0: the host itself), or reset.
func (h *host) dial(from int, to netip.Addr, port uint16) string {
	n := h.Namespace
	if from != 0 {
		n = h.peers[from]
	}
	name, err := n.DialName("tcp", netip.AddrPortFrom(to, port).String())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return reset
	}
	if err != nil {
		return err.Error()
	}
	return name
}

// wants dials an address of the host's both families by each interface.
func (h *host) wants(owner int, port uint16, answers map[int]string) {
	h.t.Helper()
	for from, want := range answers {
		for _, to := range []netip.Addr{h.ends[owner].IPv4, h.ends[owner].IPv6} {
			if got := h.dial(from, to, port); got != want {
				h.t.Errorf("from %d to %s: %s, want %s", from, netip.AddrPortFrom(to, port), got, want)
			}
		}
	}
}

// eventually waits for what follows a netlink event.
func (h *host) eventually(from int, to netip.Addr, port uint16, want string) {
	h.t.Helper()
	var got string
	for range 100 {
		if got = h.dial(from, to, port); got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Errorf("from %d to %s: %s, want %s", from, netip.AddrPortFrom(to, port), got, want)
}

func set(t *testing.T, s *Steer, bindings ...Binding) {
	t.Helper()
	if err := s.Set(bindings); err != nil {
		t.Fatal(err)
	}
}

func status(t *testing.T, s *Steer) Status {
	t.Helper()
	status, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// knock is dial by a process that binds an interface and a source address
// before, and does not wait long.
func (h *host) knock(n *testnet.Namespace, device string, source netip.Addr, to netip.AddrPort) string {
	d := net.Dialer{Timeout: 200 * time.Millisecond, Control: control(func(fd int) error {
		if device == "" {
			return nil
		}
		return unix.BindToDevice(fd, device)
	})}
	if source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = d.Dial("tcp", to.String())
		return err
	})
	if errors.Is(err, syscall.ECONNREFUSED) {
		return reset
	}
	if err != nil {
		return silence
	}
	defer conn.Close()
	name, err := io.ReadAll(conn)
	if err != nil {
		return "connected, then " + err.Error()
	}
	return string(name)
}

// batch runs many commands of the ip tool at once.
func (h *host) batch(script string) {
	h.t.Helper()
	file := h.t.TempDir() + "/script"
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.IP("-batch", file)
}
