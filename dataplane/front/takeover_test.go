package front_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// taker is a handler that takes every connection over at once, or answers it
// when the target is /plain.
type taker struct {
	x     *front.Exchange
	taken chan *shouter
}

func (h *taker) Serve() {
	if string(h.x.Request.Path) == "/plain" {
		h.x.KeepAlive()
		h.x.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"), nil)
		h.x.Finish()
		return
	}
	h.x.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"), nil)
	s := &shouter{ended: make(chan struct{})}
	var early []byte
	s.stream, early = h.x.Takeover(s)
	s.shout(early)
	h.taken <- s
}

func (h *taker) Refuse(http1.Fault) { h.x.Abort() }
func (h *taker) Body([]byte, bool)  {}
func (h *taker) Drained()           {}
func (h *taker) Gone()              {}

// shouter sends back what it gets, in capitals.
type shouter struct {
	stream *loop.Stream
	ended  chan struct{}
}

func (s *shouter) shout(b []byte) { _, _ = s.stream.Write(bytes.ToUpper(b)) }

func (s *shouter) OnReadable() {
	buf := s.stream.Loop().ReadBuffer
	s.stream.BeginRead()
	if n, err := s.stream.Read(buf); err == nil && n > 0 {
		s.shout(buf[:n])
	}
}

func (s *shouter) OnWritable()      {}
func (s *shouter) OnDeadline(int64) {}
func (s *shouter) OnHangup() {
	s.OnReadable()
	s.stream.Close()
	close(s.ended)
}

// takerFront is a front whose handlers are takers.
func takerFront(t *testing.T) (*front.Front, *front.Listener, chan *shouter) {
	t.Helper()
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan *shouter, 10)
	f := front.New(l, front.Config{
		Limits: http1.Limits{Target: 1024, Header: 8192, Count: 10}, Body: 1024, ConnectionBuffer: 1 << 16, LoopBuffer: 1 << 20,
		FirstByte: time.Minute, Head: time.Minute, Idle: 300 * time.Millisecond, Send: time.Minute,
	}, func(x *front.Exchange) front.Handler { return &taker{x: x, taken: taken} })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := front.Listen("test", "", ln, nil, []*front.Front{f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Close()
		l.Do(f.CloseAll)
		l.Close()
	})
	return f, listener, taken
}

// TestTakeover: who takes a connection over gets its bytes, those that came
// with the request too, and the front forgets it; the exchange serves others.
func TestTakeover(t *testing.T) {
	f, listener, taken := takerFront(t)
	for range 3 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		say := func(text, want string) {
			t.Helper()
			send(t, conn, text)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
				t.Fatalf("%q: got %q, %v", text, got, err)
			}
		}
		const switching, plain = "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"
		say("GET /plain HTTP/1.1\r\nHost: h\r\n\r\n", plain)
		say("GET /plain HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nearly", plain+switching+"EARLY")
		s := <-taken
		say("more", "MORE")
		if f.Open() != 0 || listener.Open() != 0 {
			t.Errorf("the front still counts %d connections, the listener %d", f.Open(), listener.Open())
		}
		time.Sleep(600 * time.Millisecond) // past Idle, which is not the front's to keep any more
		say("still", "STILL")
		_ = conn.(*net.TCPConn).CloseWrite()
		<-s.ended
		ends(t, conn)
	}
}

// TestTakeoverOfAFullBuffer: a head that fills the buffer it was read into makes
// the front look for more, which is not its own any more.
func TestTakeoverOfAFullBuffer(t *testing.T) {
	_, listener, taken := takerFront(t)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	const before, after = "GET / HTTP/1.1\r\nHost: h\r\nX-Filler: ", "\r\n\r\n"
	send(t, conn, before+strings.Repeat("x", 4096-len(before)-len(after))+after+"early")
	const want = "HTTP/1.1 101 Switching Protocols\r\n\r\nEARLY"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	<-(<-taken).ended
}
