package front_test

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/overload"
)

// greeter answers each request, and keeps the connection if it may.
type greeter struct{ x *front.Exchange }

func (h *greeter) Serve() {
	if string(h.x.Request.Path) == "/rest" {
		h.x.Rest(time.Second)
	}
	head := "HTTP/1.1 204 No Content\r\n"
	if !h.x.KeepAlive() {
		head += "Connection: close\r\n"
	}
	h.x.Write([]byte(head+"\r\n"), nil)
	h.x.Finish()
}

func (h *greeter) Refuse(http1.Fault) { h.x.Abort() }
func (h *greeter) Body([]byte, bool)  {}
func (h *greeter) Drained()           {}
func (h *greeter) Gone()              {}

// pressed is a front whose host is short of what a test says.
type pressed struct {
	t     *testing.T
	front *front.Front
	state overload.State
	addr  string
}

func press(t *testing.T, edit func(*front.Config)) *pressed {
	t.Helper()
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pressed{t: t}
	config := front.Config{
		Limits: http1.Limits{Target: 1024, Header: 1024, Count: 10}, ConnectionBuffer: 1 << 16, LoopBuffer: 1 << 20,
		FirstByte: time.Hour, Head: time.Hour, Idle: time.Hour, Send: time.Hour, TLSHandshake: time.Hour,
		Overload: &p.state,
	}
	if edit != nil {
		edit(&config)
	}
	p.front = front.New(l, config, func(x *front.Exchange) front.Handler { return &greeter{x} })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := front.Listen("test", "", ln, nil, []*front.Front{p.front})
	if err != nil {
		t.Fatal(err)
	}
	p.addr = listener.Addr().String()
	t.Cleanup(func() {
		listener.Close()
		l.Do(p.front.CloseAll)
		l.Close()
	})
	return p
}

// dial opens a connection and has it answered, or only opens it.
func (p *pressed) dial(ask bool) net.Conn {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if ask {
		if got := p.ask(conn); got != "HTTP/1.1 204 No Content\r\n\r\n" {
			p.t.Fatalf("answer %q", got)
		}
	}
	return conn
}

func (p *pressed) ask(conn net.Conn) string {
	p.t.Helper()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	var text []byte
	for br := bufio.NewReader(conn); len(text) < 4 || string(text[len(text)-4:]) != "\r\n\r\n"; {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return err.Error()
		}
		text = append(text, line...)
	}
	return string(text)
}

func closed(conn net.Conn) bool {
	_, err := conn.Read(make([]byte, 1))
	return err == io.EOF || reset(err)
}

// TestPressureShortensTimeouts: what is left of the time of idle connections, also
// of those that were idle before, and of clients that say nothing is half of it.
func TestPressureShortensTimeouts(t *testing.T) {
	const limit = 6 * time.Second
	p := press(t, func(c *front.Config) { c.Idle, c.FirstByte = limit, limit })
	before := p.dial(true)
	p.state.Store(overload.MakeWord(0.49, 0))
	time.Sleep(300 * time.Millisecond) // a tick
	began := time.Now()
	silent, idle := p.dial(false), p.dial(true)
	for what, conn := range map[string]net.Conn{"before": before, "silent": silent, "idle": idle} {
		if !closed(conn) {
			t.Errorf("%s: open", what)
		}
	}
	if took := time.Since(began); took < limit/3 || took > limit*5/6 {
		t.Errorf("closed after %s, want half of %s", took, limit)
	}
}

// TestPressureCloses: from some level on idle connections are closed and answers
// say so; connections that have not asked yet stay.
func TestPressureCloses(t *testing.T) {
	p := press(t, nil)
	var idle []net.Conn
	for range 50 {
		idle = append(idle, p.dial(true))
	}
	fresh := p.dial(false)
	p.state.Store(overload.MakeWord(0.5, 0))
	for i, conn := range idle {
		if !closed(conn) {
			t.Fatalf("idle connection %d is open", i)
		}
	}
	if n := p.front.Relieved(); n != 50 {
		t.Errorf("%d were closed", n)
	}
	if got := p.ask(fresh); got != "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n" {
		t.Errorf("answer %q", got)
	}
	if !closed(fresh) {
		t.Error("open after its answer")
	}
	p.state.Store(0)
	time.Sleep(300 * time.Millisecond) // a tick
	p.dial(true)
}

// TestFullPressureAcceptsNobody: new connections wait, and are served when it is
// over.
func TestFullPressureAcceptsNobody(t *testing.T) {
	p := press(t, nil)
	open := p.dial(false)
	time.Sleep(50 * time.Millisecond)
	p.state.Store(overload.MakeWord(1, 1))
	accepted := p.front.Accepted()
	waiting := p.dial(false) // by the kernel
	time.Sleep(500 * time.Millisecond)
	if n := p.front.Accepted(); n != accepted {
		t.Errorf("%d were accepted", n-accepted)
	}
	if got := p.ask(open); got != "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n" {
		t.Errorf("who was connected got %q", got)
	}
	p.state.Store(0)
	if got := p.ask(waiting); got[:12] != "HTTP/1.1 204" {
		t.Errorf("who waited got %q", got)
	}
}

// TestRest: a connection that rests is read again when its time is over, also by
// the end of its client, and that of a trusted proxy does not rest.
func TestRest(t *testing.T) {
	trusted := false
	p := press(t, func(c *front.Config) { c.Exempt = func(netip.Addr) bool { return trusted } })
	again := func(conn net.Conn, request string) time.Duration {
		t.Helper()
		br := bufio.NewReader(conn)
		began := time.Now()
		for range 2 {
			_, _ = io.WriteString(conn, request)
			if line, err := br.ReadString('\n'); err != nil || line != "HTTP/1.1 204 No Content\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = br.ReadString('\n')
		}
		return time.Since(began)
	}
	const rest, plain = "GET /rest HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	conn := p.dial(false)
	if took := again(conn, rest); took < 900*time.Millisecond {
		t.Errorf("read again after %s", took)
	}
	_ = conn.(*net.TCPConn).CloseWrite() // while it rests
	if !closed(conn) {
		t.Error("open after its client has gone")
	}
	if took := again(p.dial(false), plain); took > 800*time.Millisecond {
		t.Errorf("without a rest: %s", took)
	}
	p.front.Loop.Do(func() { trusted = true })
	if took := again(p.dial(false), rest); took > 800*time.Millisecond {
		t.Errorf("a trusted proxy waited %s", took)
	}
}

// TestReservedDescriptors: a client that would take one of them is closed.
func TestReservedDescriptors(t *testing.T) {
	p := press(t, nil)
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	file, err := probe.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	first := int(file.Fd()) + 20
	p.front.Loop.Reserve(first)
	refused := 0
	for range 30 {
		conn, err := net.Dial("tcp", p.addr) // takes one here too
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if got := p.ask(conn); got != "HTTP/1.1 204 No Content\r\n\r\n" {
			refused++
		}
	}
	p.front.Loop.Do(func() {}) // it counts what it has closed
	if n := p.front.Refused(2); refused == 0 || int(n) != refused {
		t.Errorf("%d were refused, and %d counted as %s", refused, n, front.Refusals[2])
	}
	p.front.Loop.Reserve(0)
	p.dial(true)
}
