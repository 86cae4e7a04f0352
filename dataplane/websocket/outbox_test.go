package websocket_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestSlowReader: what a peer does not take waits, up to the bound, and then the
// connection is closed with 1013. What it had begun to take it gets whole.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 4000, 20_000, 100_000} {
		s := newServer(t)
		c, x := s.connect()
		message := bytes.Repeat([]byte("m"), size)
		sent := 0
		s.loops[0].Do(func() {
			for {
				o := x.Send(websocket.OpBinary, message)
				if o == websocket.Slow {
					break
				}
				if o != websocket.Sent {
					t.Fatalf("outcome %d", o)
				}
				sent++
				if q := x.Queued(); q > s.options.limits.QueueBytes {
					t.Fatalf("%d bytes are queued", q)
				}
			}
		})
		if e := x.end(); e.Code != websocket.TryAgainLater || e.By != websocket.ByGateway {
			t.Fatalf("ended with %d by %s", e.Code, e.By)
		}
		got := 0
		for {
			f, err := c.Hear()
			if err != nil {
				t.Fatal(err)
			}
			if f.Op == wstest.Close {
				if wstest.CodeOf(f) != 1013 {
					t.Errorf("closed with %d", wstest.CodeOf(f))
				}
				break
			}
			if !bytes.Equal(f.Payload, message) {
				t.Fatalf("message %d is broken: %d bytes", got, len(f.Payload))
			}
			got++
		}
		if got > sent || sent-got > s.options.limits.QueueMessages {
			t.Errorf("%d of %d messages of %d bytes came", got, sent, size)
		}
		s.stats("counted", func(st websocket.Stats) bool { return st.Slow == 1 && st.Queued == 0 && st.Held == 0 })
	}
}

// TestStalledReader: a peer that takes nothing for a time is closed although the
// queue has room.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.limits.Send, o.limits.Closing = 300*time.Millisecond, 300*time.Millisecond })
	_, x := s.connect()
	s.loops[0].Do(func() {
		for x.Queued() == 0 {
			x.Send(websocket.OpBinary, make([]byte, 100_000))
		}
	})
	if e := x.end(); e.Code != websocket.TryAgainLater {
		t.Errorf("ended with %d", e.Code)
	}
	s.stats("cut off", func(st websocket.Stats) bool { return st.Open == 0 && st.Held == 0 })
}

// TestQueueDrains: a peer that reads late gets everything, in order, however it
// was written.
func TestQueueDrains(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := newServer(t, func(o *serverOptions) {
			o.limits.QueueMessages, o.limits.QueueBytes = 10_000, 64<<20
			if secure {
				o.tls = serverTLS(t)
			}
		})
		var conn net.Conn
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if secure {
			conn = tls.Client(conn, anyCertificate)
		}
		c, _, err := wstest.Upgrade(conn, "x", "/")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		x := s.session()
		var want []string
		s.loops[0].Do(func() {
			for i := range 200 {
				m := fmt.Sprintf("%d:%s", i, strings.Repeat("x", i*i*3%60_000))
				want = append(want, m)
				if o := x.Send(websocket.OpText, []byte(m)); o != websocket.Sent {
					t.Fatalf("message %d: outcome %d", i, o)
				}
			}
			if x.Queued() == 0 {
				t.Error("nothing is queued: the test is too small")
			}
			x.Close(websocket.Normal, "")
		})
		for _, m := range want {
			expect(t, c, wstest.T(m))
		}
		expectClose(t, c, websocket.Normal)
	}
}

// TestPause: a paused connection is not read, and what waits is read afterwards,
// though the peer is gone by then.
func TestPause(t *testing.T) {
	s := newServer(t)
	c, x := s.connect()
	s.loops[0].Do(x.Pause)
	say(t, c, wstest.T("one"), wstest.CloseFrame(1000, "end"))
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	time.Sleep(50 * time.Millisecond)
	select {
	case e := <-x.ended:
		t.Fatalf("read while paused: %+v", e)
	default:
	}
	s.loops[0].Do(x.Resume)
	expect(t, c, wstest.T("one"))
	expectClose(t, c, 1000)
	if e := x.end(); string(e.Reason) != "end" {
		t.Errorf("%+v", e)
	}
}

// TestBufferBudget: when the loop has no more to give, what asks for more is
// closed with 1013, and others go on.
func TestBufferBudget(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.hub.Buffer = 1 << 20 })
	other := s.dial()
	var codes []int
	for range 40 { // of 32 KiB each
		c := s.dial()
		frame := wstest.Bytes(wstest.Frame{Op: wstest.Binary, More: true, Payload: make([]byte, 30_000)})
		_ = c.SayBytes(frame, 0)
		_ = c.SayBytes(wstest.Bytes(wstest.Frame{Op: wstest.Ping}), 0)
		f, err := c.Hear()
		if err != nil {
			t.Fatal(err)
		}
		if f.Op == wstest.Close {
			codes = append(codes, wstest.CodeOf(f))
		}
	}
	if len(codes) < 5 || codes[0] != 1013 || codes[len(codes)-1] != 1013 {
		t.Errorf("closed with %d", codes)
	}
	say(t, other, wstest.T("still"))
	expect(t, other, wstest.T("still"))
}
