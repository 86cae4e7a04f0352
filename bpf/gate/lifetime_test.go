package gate

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
	"golang.org/x/sys/unix"
)

func TestCloseLeavesNothing(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Drop))
	if err := n.gate.Close(); err != nil {
		t.Fatal(err)
	}
	if left := testnet.Files(t, filepath.Dir(n.dir)); len(left) != 0 {
		t.Errorf("pinned after Close: %v", left)
	}
	out, err := n.host.Namespace.Run("ip", "link", "show", n.host.Name)
	if err != nil || strings.Contains(out, "xdp") {
		t.Errorf("attached after Close: %v %s", err, out)
	}
	n.gate = n.open(t, Options{}) // for the cleanup
}

// A gate that was left is at work, and the next process knows what the last did.
func TestLeaveAndTakeOver(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Reset))
	n.serve(t)
	n.condemn(t, Rule{For: time.Hour, Answer: LimitExceeded, Reason: "quota of gold"})
	denied := netip.MustParsePrefix("192.0.2.0/24")
	if err := n.gate.Deny(denied, Rule{Reason: "asked for it"}); err != nil {
		t.Fatal(err)
	}
	list := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	if err := n.gate.ReplaceSet("waf/bots", list, Rule{For: time.Hour, Answer: TooManyRequests}); err != nil {
		t.Fatal(err)
	}
	if err := n.gate.Leave(); err != nil {
		t.Fatal(err)
	}
	url := "http://" + n.host.IPv4.String() + ":8080"
	if status, text := get(n.httpClient(false), url); status != 0 || !strings.Contains(text, "refused") {
		t.Errorf("left alone, the gate lets through: %d %s", status, text)
	}

	// The other limits make other maps, whose entries are to be moved.
	n.gate = n.open(t, Options{MaxPrefixes: 1000, MaxSentences: 1000})
	sentences, err := n.gate.Sentences()
	if err != nil || len(sentences) != 2 || sentences[0].Reason != "quota of gold" || sentences[0].Answer != LimitExceeded ||
		sentences[0].For < 59*time.Minute || sentences[0].For > time.Hour {
		t.Errorf("sentences after taking over: %+v, %v", sentences, err)
	}
	rules, err := n.gate.Rules()
	if err != nil || len(rules) != 1 || rules[0].Prefix != denied || rules[0].Reason != "asked for it" || rules[0].For != 0 {
		t.Errorf("rules after taking over: %+v, %v", rules, err)
	}
	sets, err := n.gate.Sets()
	if err != nil || len(sets) != 1 || sets[0].Name != "waf/bots" || sets[0].Prefixes != 2 || sets[0].Answer != TooManyRequests {
		t.Errorf("sets after taking over: %+v, %v", sets, err)
	}
	if status, _ := get(n.httpClient(false), url); status != 0 {
		t.Errorf("after taking over, the gate lets through: %d", status)
	}
}

// An upgrade replaces the program while a condemned client knocks without a
// pause. Were one packet decided by an empty map, the client would be welcome.
func TestReplaceUnderTraffic(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Respond))
	n.serve(t)
	n.condemn(t, Rule{For: time.Hour, Answer: TooManyRequests})
	var stop atomic.Bool
	knocked := make(chan int)
	go func() {
		count := 0
		client := n.httpClient(false)
		for ; !stop.Load(); count++ {
			if status, text := get(client, "http://"+n.host.IPv4.String()+":8080"); status != 429 {
				t.Errorf("during replacement: %d %s", status, text)
			}
		}
		knocked <- count
	}()
	for i := range 12 {
		// Every other time the maps are made anew and their entries moved.
		next := n.open(t, Options{MaxSentences: 1000 + i/2})
		if err := n.gate.Leave(); err != nil {
			t.Error(err)
		}
		n.gate = next
	}
	stop.Store(true)
	t.Logf("%d requests during 12 replacements, all refused", <-knocked)
}

// A failure leaves the old program at work and what is pinned as it was.
func TestFailedReplacementLeavesNoTrace(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Reset))
	n.serve(t)
	n.condemn(t, Rule{For: time.Hour})
	before := testnet.Files(t, n.dir)
	ours := errors.New("nothing to prepare")
	for name, o := range map[string]Options{
		"prepare":   {MaxSentences: 77, Prepare: func(*Gate) error { return ours }},
		"interface": {Interfaces: []string{n.host.Name, "absent0"}},
	} {
		g, err := n.tryOpen(o)
		if err == nil {
			g.Leave()
			t.Fatalf("%s: no error", name)
		}
		if after := testnet.Files(t, n.dir); strings.Join(after, " ") != strings.Join(before, " ") {
			t.Errorf("%s: pinned %v, before %v", name, after, before)
		}
	}
	if status, _ := get(n.httpClient(false), "http://"+n.host.IPv4.String()+":8080"); status != 0 {
		t.Errorf("after failed replacements the gate lets through: %d", status)
	}
}

// An interface that is no longer named is let go, and one that another program
// owns is refused.
func TestInterfaces(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Reset))
	first := n.gate
	other, _ := testnet.Connect(n.host.Namespace, testnet.New(t), 2)
	n.gate = n.open(t, Options{Interfaces: []string{other.Name, "lo"}})
	if err := first.Leave(); err != nil {
		t.Fatal(err)
	}
	status := n.status(t)
	if len(status.Interfaces) != 2 || len(status.Tag) != 16 {
		t.Errorf("status %+v", status)
	}
	for _, i := range status.Interfaces {
		if i.Mode != Generic {
			t.Errorf("%s runs in %s mode", i.Name, i.Mode)
		}
	}
	if out, _ := n.host.Namespace.Run("ip", "link", "show", n.host.Name); strings.Contains(out, "xdp") {
		t.Errorf("still attached: %s", out)
	}

	rival := &network{client: n.client, host: n.host, dir: n.dir + "-rival"}
	_, err := rival.tryOpen(Options{Interfaces: []string{"lo"}})
	if u := new(Unavailable); !errors.As(err, &u) || u.Interface != "lo" || !strings.Contains(err.Error(), "lo free of other XDP programs") {
		t.Errorf("a second program on lo: %v", err)
	}
	if _, err := os.Stat(rival.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the refused gate left %s: %v", rival.dir, err)
	}
}

func (n *network) status(t *testing.T) (s Status) {
	t.Helper()
	if err := n.host.Namespace.Do(func() (err error) {
		s, err = n.gate.Status()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// The capabilities of the systemd unit are enough for all the handle does.
func TestLeastPrivilege(t *testing.T) {
	need.Root(t)
	n := newNetwork(t)
	err := n.host.Namespace.Do(func() error {
		if err := keepCapabilities(unix.CAP_BPF, unix.CAP_NET_ADMIN); err != nil {
			return err
		}
		g, err := Open(Options{Dir: n.dir, Interfaces: []string{n.host.Name}})
		if err != nil {
			return err
		}
		_, stats := g.Stats()
		_, status := g.Status()
		err = errors.Join(
			g.SetListeners([]Listener{anyAddress(Respond)}),
			g.Condemn(n.client.IPv4, Rule{For: time.Minute}),
			g.Deny(netip.MustParsePrefix("2001:db8::/32"), Rule{}),
			g.ReplaceSet("waf", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Rule{}),
			g.Beat(), stats, status)
		return errors.Join(err, g.Leave())
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUnavailable(t *testing.T) {
	need.Root(t)
	n := newNetwork(t)
	err := n.host.Namespace.Do(func() error {
		if err := keepCapabilities(); err != nil {
			return err
		}
		_, err := Open(Options{Dir: t.TempDir(), Interfaces: []string{"absent0"}})
		return err
	})
	want := "the kernel gate is off, for lack of CAP_BPF, CAP_NET_ADMIN, a BPF file system above "
	if u := new(Unavailable); !errors.As(err, &u) || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ", interface absent0") {
		t.Errorf("without anything: %v", err)
	}
}

// keepCapabilities drops all others from the thread.
func keepCapabilities(keep ...int) error {
	var data [2]unix.CapUserData
	for _, c := range keep {
		data[c/32].Effective |= 1 << (c % 32)
		data[c/32].Permitted |= 1 << (c % 32)
	}
	return unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
}

// A connection of before the sentence goes on; a new one does not get in.
func TestOpenConnectionPasses(t *testing.T) {
	need.Root(t)
	n := newNetwork(t)
	n.serve(t)
	for style, refusal := range map[Style]func(int, string) bool{
		Drop:    func(status int, text string) bool { return status == 0 && isTimeout(text) },
		Reset:   func(status int, text string) bool { return status == 0 && strings.Contains(text, "refused") },
		Respond: func(status int, text string) bool { return status == 429 },
	} {
		if err := n.gate.SetListeners([]Listener{anyAddress(style)}); err != nil {
			t.Fatal(err)
		}
		for version, host := range n.hosts() {
			url := "http://" + host + ":8080"
			kept := n.httpClient(true)
			get(kept, url)
			n.condemn(t, Rule{For: time.Minute, Answer: TooManyRequests})
			resp, err := kept.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%s %s: on an open connection: %v, %v", style, version, resp, err)
			} else {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			fresh := n.httpClient(false)
			fresh.Timeout = 500 * time.Millisecond
			if status, text := get(fresh, url); !refusal(status, text) {
				t.Errorf("%s %s: a new connection: %d %s", style, version, status, text)
			}
			kept.CloseIdleConnections()
			n.release(t)
		}
	}
}

// A client that is condemned after its last connection may come from the very
// port of that one, of which the host keeps the memory for a minute.
func TestFormerConnectionIsOver(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Respond))
	n.serve(t)
	for version, server := range map[string]netip.Addr{"IPv4": n.host.IPv4, "IPv6": n.host.IPv6} {
		ask := func() (*http.Response, error) {
			conn, err := n.dialFrom(40000, server)
			if err != nil {
				return nil, err
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(2 * time.Second))
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err == nil {
				io.Copy(io.Discard, resp.Body)
				io.Copy(io.Discard, r) // until the server has closed: who closes first keeps the port
			}
			return resp, err
		}
		if resp, err := ask(); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: before the sentence: %v, %v", version, resp, err)
		}
		n.condemn(t, Rule{For: time.Minute, Answer: TooManyRequests})
		for range 2 {
			if resp, err := ask(); err != nil || resp.StatusCode != 429 {
				t.Errorf("%s: from the port of a former connection: %v, %v", version, resp, err)
			}
		}
		n.release(t)
	}
}

// dialFrom connects from that port of the client.
func (n *network) dialFrom(port uint16, server netip.Addr) (conn net.Conn, err error) {
	local := n.client.IPv4
	if server.Is6() {
		local = n.client.IPv6
	}
	d := net.Dialer{
		Timeout:   2 * time.Second,
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, port)),
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
		},
	}
	err = n.client.Namespace.Do(func() error {
		conn, err = d.Dial("tcp", netip.AddrPortFrom(server, testPort).String())
		return err
	})
	return conn, err
}

// The kernel ends a sentence by itself: the handle does nothing meanwhile.
func TestSentenceEnds(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Reset))
	n.serve(t)
	url := "http://" + n.host.IPv4.String() + ":8080"
	client := n.httpClient(false)
	start := time.Now()
	n.condemn(t, Rule{For: 300 * time.Millisecond})
	if err := n.gate.Leave(); err != nil {
		t.Fatal(err)
	}
	for time.Since(start) < 290*time.Millisecond {
		if status, _ := get(client, url); status == 200 && time.Since(start) < 290*time.Millisecond {
			t.Fatalf("free after %v", time.Since(start))
		}
	}
	time.Sleep(50 * time.Millisecond)
	if status, text := get(client, url); status != 200 {
		t.Errorf("after the sentence: %d %s", status, text)
	}
	n.gate = n.open(t, Options{})
}

// A minute after the last heartbeat sentences are void, rules are not.
func TestStaleHeartbeat(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Reset))
	n.serve(t)
	n.condemn(t, Rule{For: time.Hour})
	url, url6 := "http://"+n.host.IPv4.String()+":8080", "http://["+n.host.IPv6.String()+"]:8080"
	client := n.httpClient(false)
	beat := func(ago time.Duration) {
		n.gate.mu.Lock()
		defer n.gate.mu.Unlock()
		at, err := now()
		if err != nil {
			t.Fatal(err)
		}
		n.gate.control.Beat = at - uint64(ago)
		if err := n.gate.putControl(); err != nil {
			t.Fatal(err)
		}
	}
	beat(59 * time.Second)
	if status, _ := get(client, url); status != 0 {
		t.Error("free 59 s after the last heartbeat")
	}
	beat(61 * time.Second)
	if status, text := get(client, url); status != 200 {
		t.Errorf("61 s after the last heartbeat: %d %s", status, text)
	}
	if err := n.gate.Deny(netip.PrefixFrom(n.client.IPv6, 48), Rule{}); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(client, url6); status != 0 {
		t.Error("a rule is void without a heartbeat")
	}
	if err := n.gate.Beat(); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(client, url); status != 0 {
		t.Error("free although the heart beats again")
	}
}

var _ http.Handler
