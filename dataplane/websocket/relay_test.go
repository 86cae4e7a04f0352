package websocket_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestFramesPassInOrder: whatever comes in one piece, in many, or with others, and
// whichever way a frame takes to the other end.
func TestFramesPassInOrder(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); wstest.Echo(conn) }()
		}
	}()
	s := newServer(t, passTo(ln.Addr().String()), func(o *serverOptions) { o.limits.Frame = o.limits.Message })
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		said, want := conversation(r)
		c, x := s.connect()
		cut := 0
		if seed%3 > 0 {
			cut = 1 + r.IntN(1<<(4*(1+seed%3)))
		}
		go func() { _ = c.SayBytes(wstest.Bytes(said...), cut) }()
		expect(t, c, want...)
		messages := 0
		for _, f := range want {
			if f.Op != wstest.Pong {
				messages++
			}
		}
		s.loops[0].Do(func() {
			if in, out := x.Messages(); int(in) != messages || int(out) != messages {
				t.Errorf("seed %d: in %d, out %d, want %d", seed, in, out, messages)
			}
		})
		c.Close()
	}
	s.stats("all closed", func(x websocket.Stats) bool { return x.Open == 0 && x.Backends == 0 && x.Held == 0 })
}

// conversation returns frames of messages, whole ones and in parts, with pings
// among them, and the frames of an echo of them.
func conversation(r *rand.Rand) (said, want []wstest.Frame) {
	sizes := []int{0, 1, 40, 125, 126, 128, 1000, 40_000, 70_000}
	part := func() []byte { return bytes.Repeat([]byte{byte('a' + r.IntN(26))}, sizes[r.IntN(len(sizes))]) }
	for range 40 {
		switch r.IntN(8) {
		case 0:
			f := wstest.Frame{Op: wstest.Ping, Payload: part()[:0]}
			said, want = append(said, f), append(want, wstest.Frame{Op: wstest.Pong, Payload: f.Payload})
		case 1: // in two parts, with a ping between them
			first, second := part()[:0], part()
			said = append(said, wstest.Frame{Op: wstest.Binary, More: true, Payload: first},
				wstest.Frame{Op: wstest.Ping, Payload: []byte("p")}, wstest.Frame{Op: wstest.Continuation, Payload: second})
			want = append(want, wstest.Frame{Op: wstest.Pong, Payload: []byte("p")}, wstest.Frame{Op: wstest.Binary, Payload: second})
		default:
			f := wstest.Frame{Op: wstest.Text, Payload: part()}
			said, want = append(said, f), append(want, f)
		}
	}
	return said, want
}

// TestFaultAfterSoundFrames: what came before a broken rule still arrives.
func TestFaultAfterSoundFrames(t *testing.T) {
	backend := newServer(t)
	s := newServer(t, passTo(backend.addr))
	c, x := s.connect()
	b := backend.session()
	say(t, c, wstest.T("one"), wstest.T("two"), wstest.Frame{Op: wstest.Text, RSV: 4, Payload: []byte("three")}, wstest.T("four"))
	expectClose(t, c, websocket.ProtocolError)
	if e := x.end(); e.Code != websocket.ProtocolError || e.By != websocket.ByGateway {
		t.Errorf("ended with %+v", e)
	}
	if e := b.end(); e.Code != websocket.GoingAway {
		t.Errorf("the backend heard %+v", e)
	}
	backend.loops[0].Do(func() {
		if in, _ := b.Messages(); in != 2 {
			t.Errorf("%d messages came to the backend", in)
		}
	})
}

// TestBurstsToASlowPeer: frames that leave from where they lie are whole and in
// order when the socket takes a part of them.
func TestBurstsToASlowPeer(t *testing.T) {
	for name, toBackend := range map[string]bool{"client": false, "backend": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conns, done := make(chan net.Conn, 1), make(chan struct{})
			addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
				_, _ = conn.Write([]byte(agreement(r)))
				conns <- conn
				<-done
			})
			defer close(done)
			s := newServer(t, passTo(addr))
			c, _ := s.connect()
			conn := <-conns
			speaker, listener, hear := conn, c.Conn, c.Hear
			if toBackend {
				r := bufio.NewReader(conn)
				speaker, listener, hear = c.Conn, conn, func() (wstest.Frame, error) { return unmasked(r) }
			}
			if err := listener.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
				t.Fatal(err)
			}
			go func() {
				for i := range bursts {
					if _, err := speaker.Write(burst(i*burstFrames, toBackend)); err != nil {
						return
					}
					time.Sleep(time.Millisecond / 2) // for it to come in one piece
				}
			}()
			s.stats("the peer is slow", func(st websocket.Stats) bool { return st.Queued > 0 })
			for i := range bursts * burstFrames {
				if f, err := hear(); err != nil || !bytes.Equal(f.Payload, numbered(i)) {
					t.Fatalf("frame %d: %v, %v", i, f, err)
				}
			}
			s.stats("nothing is queued", func(st websocket.Stats) bool { return st.Queued == 0 && st.Held == 0 })
		})
	}
}

// TestBurstsWithoutRoom: when there is no room for what a slow peer does not take,
// it still gets nothing but whole frames, and a close frame or the end.
func TestBurstsWithoutRoom(t *testing.T) {
	t.Parallel()
	conns := make(chan net.Conn, 1)
	addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
		_, _ = conn.Write([]byte(agreement(r)))
		conns <- conn
		_, _ = io.Copy(io.Discard, conn)
	})
	s := newServer(t, passTo(addr))
	c, x := s.connect()
	conn := <-conns
	s.hub.TakeRoom(s.options.hub.Buffer)
	go func() {
		for i := range bursts {
			if _, err := conn.Write(burst(i*burstFrames, false)); err != nil {
				return
			}
			time.Sleep(time.Millisecond / 2)
		}
	}()
	x.end()
	for i := 0; ; i++ {
		f, err := c.Hear()
		if err != nil {
			break
		}
		if f.Op == wstest.Close {
			// The other is for a frame that came cut, and could not be put together.
			if code := websocket.Code(wstest.CodeOf(f)); code != websocket.TryAgainLater && code != websocket.BadGateway {
				t.Errorf("closed with %d", code)
			}
			break
		}
		if !bytes.Equal(f.Payload, numbered(i)) {
			t.Fatalf("frame %d: %v", i, f)
		}
	}
	c.Close()
	s.hub.TakeRoom(-s.options.hub.Buffer)
	s.stats("all is gone", func(st websocket.Stats) bool {
		return st.Open == 0 && st.Backends == 0 && st.Queued == 0 && st.Held == 0
	})
}

// So many frames are read at once; so many times that is more than sockets of those who do not read take.
const (
	burstFrames = 40
	bursts      = 200
)

func burst(first int, masked bool) (b []byte) {
	for i := first; i < first+burstFrames; i++ {
		if f := numbered(i); masked {
			b = websocket.AppendMasked(b, true, websocket.OpText, f, uint32(i))
		} else {
			b = websocket.AppendFrame(b, true, websocket.OpText, f)
		}
	}
	return b
}

func numbered(i int) []byte { return fmt.Appendf(nil, "%0*d", 700+i%100, i) }

// unmasked reads a client's frame of a size that needs two bytes.
func unmasked(r *bufio.Reader) (f wstest.Frame, err error) {
	var h [8]byte
	if _, err = io.ReadFull(r, h[:]); err != nil {
		return f, err
	}
	f.Op, f.Payload = h[0]&0xF, make([]byte, binary.BigEndian.Uint16(h[2:]))
	_, err = io.ReadFull(r, f.Payload)
	for i := range f.Payload {
		f.Payload[i] ^= h[4+i%4]
	}
	return f, err
}
