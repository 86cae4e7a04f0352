package websocket_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"

	oracle "github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// dialTo is a Dial to addresses.
func dialTo(addrs ...string) websocket.Dial {
	d := websocket.Dial{Head: []byte("GET /backend HTTP/1.1\r\nHost: backend\r\n"), Connect: 5 * time.Second}
	for _, a := range addrs {
		d.Addrs = append(d.Addrs, netip.MustParseAddrPort(a))
	}
	return d
}

// passTo makes a server pass through to an address.
func passTo(addr string, edit ...func(*websocket.Dial)) func(*serverOptions) {
	return func(o *serverOptions) {
		o.dial = func() websocket.Dial {
			d := dialTo(addr)
			for _, e := range edit {
				e(&d)
			}
			return d
		}
	}
}

// oracleBackend is an echo of fasthttp/websocket.
func oracleBackend(t testing.TB, config *tls.Config) string {
	t.Helper()
	up := oracle.FastHTTPUpgrader{Subprotocols: []string{"echo"}, CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		_ = up.Upgrade(ctx, func(c *oracle.Conn) {
			for {
				kind, message, err := c.ReadMessage()
				if err != nil || c.WriteMessage(kind, message) != nil {
					return
				}
			}
		})
	}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		go func() { _ = server.Serve(tls.NewListener(ln, config)) }()
	} else {
		go func() { _ = server.Serve(ln) }()
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

// TestOracleBackend passes through from the oracle's client to the oracle's
// server.
func TestOracleBackend(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		var config *tls.Config
		edit := func(*websocket.Dial) {}
		if secure {
			config = serverTLS(t)
			edit = func(d *websocket.Dial) { d.TLS = anyCertificate }
		}
		backend := oracleBackend(t, config)
		s := newServer(t, passTo(backend, edit), func(o *serverOptions) {
			o.loops, o.tls = 2, config
			o.limits.Frame, o.limits.Fragments = 128<<10, 1000
		})
		url := map[bool]string{false: "ws://", true: "wss://"}[secure] + s.addr + "/"
		d := oracle.Dialer{Subprotocols: []string{"other", "echo"}, EnableCompression: true, TLSClientConfig: anyCertificate}
		for client := range uint64(6) {
			c, _, err := d.Dial(url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Subprotocol() != "echo" {
				t.Errorf("subprotocol %q", c.Subprotocol())
			}
			talk(t, c, client)
			c.Close()
		}
		s.stats("all closed", func(x websocket.Stats) bool {
			return x.Open == 0 && x.Backends == 0 && x.Held == 0 && x.Queued == 0 && x.Closes(websocket.Normal) == 6
		})
	}
}

// TestConformanceOfPassThrough: what passes through is as strict as what ends
// here.
func TestConformanceOfPassThrough(t *testing.T) {
	// A backend's echo of the longest message is one frame, which the limit of a
	// frame would be in the way of.
	l := testLimits()
	l.Frame = l.Message
	longFrames := func(o *serverOptions) { o.limits = l }
	backend := newServer(t, longFrames)
	s := newServer(t, longFrames, passTo(backend.addr))
	wstest.Run(t, wstest.Options{Frame: l.Message, Message: l.Message, Fragments: l.Fragments, Remote: true},
		func() (*wstest.Client, error) { return wstest.Dial(s.addr, "/") })
}

// TestClosesPass: the end of one side is told to the other with its code.
func TestClosesPass(t *testing.T) {
	backend := newServer(t)
	s := newServer(t, passTo(backend.addr))
	pair := func() (*wstest.Client, *session, *session) {
		c, x := s.connect()
		return c, x, backend.session()
	}
	want := func(x *session, code websocket.Code, reason string, by websocket.By) {
		t.Helper()
		if e := x.end(); e.Code != code || string(e.Reason) != reason || e.By != by {
			t.Errorf("ended with %d %q by %s, want %d %q by %s", e.Code, e.Reason, e.By, code, reason, by)
		}
	}
	for _, code := range []int{1000, 1001, 1008, 1011, 3000, 4999} {
		c, x, b := pair()
		say(t, c, wstest.CloseFrame(code, "client"))
		expectClose(t, c, websocket.Code(code))
		want(x, websocket.Code(code), "client", websocket.ByPeer)
		want(b, websocket.Code(code), "client", websocket.ByPeer)

		c, x, b = pair()
		backend.loops[0].Do(func() {
			b.Send(websocket.OpText, []byte("last"))
			b.Close(websocket.Code(code), "backend")
		})
		expect(t, c, wstest.T("last"), wstest.CloseFrame(code, "backend"))
		want(x, websocket.Code(code), "backend", websocket.ByBackend)
	}
	c, x, b := pair()
	say(t, c, wstest.CloseFrame(0, ""))
	expectClose(t, c, websocket.NoStatus)
	want(x, websocket.NoStatus, "", websocket.ByPeer)
	want(b, websocket.NoStatus, "", websocket.ByPeer)

	// The client breaks a rule, or is lost.
	c, x, b = pair()
	say(t, c, wstest.T("\xff"))
	expectClose(t, c, websocket.InvalidPayload)
	want(x, websocket.InvalidPayload, "", websocket.ByGateway)
	want(b, websocket.GoingAway, "", websocket.ByPeer)
	c, x, b = pair()
	c.Close()
	want(x, websocket.Abnormal, "", websocket.ByLoss)
	want(b, websocket.GoingAway, "", websocket.ByPeer)

	// We end it. Nobody may speak in between, though it has an id.
	c, x, b = pair()
	if o := s.send(x.text, "x"); o != websocket.Gone {
		t.Errorf("outcome %d of a message into a pass-through", o)
	}
	s.loops[0].Do(func() { x.Close(websocket.GoingAway, "drain") })
	expectClose(t, c, websocket.GoingAway)
	want(x, websocket.GoingAway, "drain", websocket.ByGateway)
	want(b, websocket.GoingAway, "", websocket.ByPeer)

	// The backend is lost.
	c, x, b = pair()
	backend.hub.CloseAll()
	b.end()
	expectClose(t, c, websocket.BadGateway)
	want(x, websocket.BadGateway, "", websocket.ByBackend)
	c.Close()
	s.stats("nothing is left", func(st websocket.Stats) bool { return st.Backends == 0 && st.Held == 0 && st.Queued == 0 })
}

// TestBadBackends: what a backend may not say ends with 1014.
func TestBadBackends(t *testing.T) {
	for name, frames := range map[string][]byte{
		"masked":     wstest.Bytes(wstest.T("x")),
		"reserved":   {0xC1, 0},
		"opcode":     {0x83, 0},
		"text":       {0x81, 1, 0xff},
		"too long":   wstest.Header(wstest.T(""), 1<<20, 0, false),
		"cut off":    {0x81, 5, 'x'},
		"bad close":  {0x88, 1, 0},
		"after text": {0x81, 1, 'x', 0x80, 0},
	} {
		addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
			_, _ = conn.Write(append([]byte(agreement(r)), frames...))
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		})
		s := newServer(t, passTo(addr))
		c, x := s.connect()
		if name == "after text" {
			expect(t, c, wstest.T("x"))
		}
		expectClose(t, c, websocket.BadGateway)
		if e := x.end(); e.By != websocket.ByBackend {
			t.Errorf("%s: %+v", name, e)
		}
		c.Close()
		s.stats(name, func(st websocket.Stats) bool { return st.Open == 0 && st.Backends == 0 && st.Held == 0 })
	}
}

// TestBackPressure: when one side does not read, the other is not read either,
// nothing piles up here, and all of it arrives in the end.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	const frames, size = 1500, 20_000
	payload := bytes.Repeat([]byte("p"), size)
	start := make(chan struct{})
	counted := make(chan int, 1)
	count := func(r *bufio.Reader, masked bool) (n int) {
		for n < frames {
			h := make([]byte, 4)
			if masked {
				h = make([]byte, 8)
			}
			if _, err := io.ReadFull(r, h); err != nil {
				return n
			}
			if _, err := r.Discard(size); err != nil {
				return n
			}
			n++
		}
		return n
	}
	addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
		_, _ = conn.Write([]byte(agreement(r)))
		go func() {
			frame := append(wstest.Header(wstest.Frame{Op: wstest.Binary}, size, 0, false), payload...)
			for range frames {
				if _, err := conn.Write(frame); err != nil {
					return
				}
			}
		}()
		<-start
		counted <- count(bufio.NewReaderSize(conn, 1<<16), true)
		_, _ = io.Copy(io.Discard, conn)
	})
	s := newServer(t, passTo(addr))
	c, x := s.connect()
	frame := wstest.Bytes(wstest.Frame{Op: wstest.Binary, Payload: payload})
	go func() {
		for range frames {
			if c.SayBytes(frame, 0) != nil {
				return
			}
		}
	}()
	s.stats("both sides are blocked", func(st websocket.Stats) bool { return st.Queued == 2 })
	for range 20 {
		time.Sleep(10 * time.Millisecond)
		if st := s.hub.Stats(); st.Held > 4*64<<10 {
			t.Fatalf("%d bytes are held", st.Held)
		}
	}
	close(start)
	if n := count(c.R, false); n != frames {
		t.Errorf("%d frames came to the client", n)
	}
	if n := <-counted; n != frames {
		t.Errorf("%d frames came to the backend", n)
	}
	s.loops[0].Do(func() {
		if in, out := x.Messages(); in != frames || out != frames {
			t.Errorf("in %d, out %d", in, out)
		}
	})
	s.stats("nothing is queued", func(st websocket.Stats) bool { return st.Queued == 0 && st.Held == 0 })
}

// TestPassThroughTimeouts: idle time, age, pings and a side that takes nothing
// end a pass-through as they end others.
func TestPassThroughTimeouts(t *testing.T) {
	t.Parallel()
	backend := newServer(t)
	for name, edit := range map[string]func(*websocket.Limits){
		"idle": func(l *websocket.Limits) { l.Idle = 300 * time.Millisecond },
		"old":  func(l *websocket.Limits) { l.Life = 300 * time.Millisecond },
	} {
		s := newServer(t, passTo(backend.addr), func(o *serverOptions) { edit(&o.limits) })
		c, _ := s.connect()
		expectClose(t, c, websocket.GoingAway)
		if e := backend.session().end(); e.Code != websocket.GoingAway || e.By != websocket.ByPeer {
			t.Errorf("%s: the backend sees %+v", name, e)
		}
	}
	deaf := rawBackend(t, func(conn net.Conn, r *http.Request) {
		_, _ = conn.Write([]byte(agreement(r)))
		time.Sleep(2 * time.Second)
	})
	s := newServer(t, passTo(deaf), func(o *serverOptions) { o.limits.Ping = 100 * time.Millisecond })
	c, _ := s.connect()
	for {
		f, err := c.Hear()
		if err != nil {
			t.Fatal(err)
		}
		if f.Op == wstest.Ping { // of the gateway's own; the backend's do not come
			say(t, c, wstest.Frame{Op: wstest.Pong, Payload: f.Payload})
			continue
		}
		if wstest.CodeOf(f) != 1014 {
			t.Errorf("closed with %d", wstest.CodeOf(f))
		}
		break
	}
}

// TestPassThroughLeaks: upgrades that work and such that fail leave nothing.
func TestPassThroughLeaks(t *testing.T) {
	backend := newServer(t)
	refusing := rawBackend(t, func(conn net.Conn, _ *http.Request) { _, _ = conn.Write([]byte("HTTP/1.1 403 No\r\n\r\n")) })
	s := newServer(t, func(o *serverOptions) {
		n := 0
		o.dial = func() websocket.Dial {
			if n++; n%2 == 0 {
				return dialTo(refusing)
			}
			return dialTo(backend.addr)
		}
	})
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for i := range 60 {
		c, err := wstest.Dial(s.addr, "/")
		if (err == nil) != (i%2 == 0) {
			t.Fatalf("%d: %v", i, err)
		}
		if err != nil {
			continue
		}
		if i%4 == 0 {
			say(t, c, wstest.T("x"), wstest.CloseFrame(1000, ""))
			expect(t, c, wstest.T("x"), wstest.CloseFrame(1000, ""))
		}
		c.Close()
	}
	none := func(st websocket.Stats) bool { return st.Open == 0 && st.Backends == 0 && st.Held == 0 }
	s.stats("none is left", none)
	backend.stats("none is left", none)
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || descriptors(t) > files; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines of %d, %d descriptors of %d", runtime.NumGoroutine(), goroutines, descriptors(t), files)
		}
	}
}
