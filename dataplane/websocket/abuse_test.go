package websocket_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// abuseBound is the most memory that one abusive connection may have us hold, in
// bytes.
const abuseBound = 64 << 10

// awsServer has AWS's limits as they are.
func awsServer(t testing.TB, edit ...func(*serverOptions)) *server {
	return newServer(t, append([]func(*serverOptions){func(o *serverOptions) { o.limits = websocket.AWSLimits() }}, edit...)...)
}

// TestFloods: what a client may not send at will ends with the right code, and
// holds no more memory than the bound.
func TestFloods(t *testing.T) {
	flood := func(frame []byte) []byte { return bytes.Repeat(frame, 1<<20/len(frame)) }
	fragment := wstest.Bytes(wstest.Frame{Op: wstest.Continuation, More: true})
	compressed := wstest.Frame{Op: wstest.Text, RSV: 4, Payload: []byte("\x4a\x4c\x84\x31\x00")} // "aaaa…", deflated
	for name, c := range map[string]struct {
		say  []byte
		code websocket.Code
	}{
		"empty pings":       {flood(wstest.Bytes(wstest.Frame{Op: wstest.Ping})), websocket.PolicyViolation},
		"long pings":        {flood(wstest.Bytes(wstest.Frame{Op: wstest.Ping, Payload: make([]byte, 125)})), websocket.PolicyViolation},
		"pongs":             {flood(wstest.Bytes(wstest.Frame{Op: wstest.Pong})), websocket.PolicyViolation},
		"empty fragments":   {append(wstest.Bytes(wstest.Frame{Op: wstest.Text, More: true}), flood(fragment)...), websocket.PolicyViolation},
		"deflate bomb":      {flood(wstest.Bytes(compressed)), websocket.ProtocolError},
		"one endless frame": {append(wstest.Header(wstest.Frame{Op: wstest.Text}, 1<<40, 8, true), make([]byte, 1<<20)...), websocket.TooBig},
		"binary":            {flood(wstest.Bytes(wstest.Frame{Op: wstest.Binary, Payload: make([]byte, 1000)})), websocket.UnsupportedData},
		"garbage":           {bytes.Repeat([]byte{0xff}, 1<<20), websocket.ProtocolError},
	} {
		s := awsServer(t)
		c0, x := s.connect()
		go func() { _ = c0.SayBytes(c.say, 0) }()
		if e := x.end(); e.Code != c.code || e.By != websocket.ByGateway {
			t.Errorf("%s: ended with %d by %s, want %d", name, e.Code, e.By, c.code)
		}
		if held := s.hub.HeldNow(); held > abuseBound {
			t.Errorf("%s: %d bytes are held", name, held)
		}
		for { // what came before is answered, and then comes the close
			f, err := c0.Hear()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if f.Op == wstest.Close {
				if wstest.CodeOf(f) != int(c.code) {
					t.Errorf("%s: closed with %d, want %d", name, wstest.CodeOf(f), c.code)
				}
				break
			}
		}
		c0.Close()
	}
}

// TestDeflateIsNotAgreed: no offer of compression is taken.
func TestDeflateIsNotAgreed(t *testing.T) {
	s := awsServer(t)
	c := s.dial("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame")
	say(t, c, wstest.Frame{Op: wstest.Text, RSV: 4, Payload: []byte("x")})
	expectClose(t, c, websocket.ProtocolError)
}

// replies counts what became of messages.
type replies struct {
	sync.WaitGroup
	of [5]atomic.Int64
}

func (r *replies) Replied(o websocket.Outcome) {
	r.of[o].Add(1)
	r.Done()
}

// TestSlowReaders: a thousand peers that do not read are closed one by one with
// 1013, hold no more memory each than the bound, and keep others waiting little.
func TestSlowReaders(t *testing.T) {
	n := 1000
	if websocket.UnderRace {
		n = 100
	}
	s := awsServer(t, func(o *serverOptions) {
		o.loops, o.limits.Closing = 2, 500*time.Millisecond
		o.limits.QueueBytes = abuseBound - 4<<10 // four times as fast as a queue of 64 small messages
	})
	s.sessions = make(chan *session)
	var fds []int
	for range n {
		fd, err := rawClient(s.addr, 4096)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	var refs []websocket.Ref
	s.hub.Each(func(c *websocket.Conn) {
		ref, _ := s.hub.Parse(c.ID(nil))
		refs = append(refs, ref)
	})
	other := s.dial()
	echo := func() time.Duration {
		start := time.Now()
		say(t, other, wstest.T("x"))
		expect(t, other, wstest.T("x"))
		return time.Since(start)
	}
	quiet := make([]time.Duration, 200)
	for i := range quiet {
		quiet[i] = echo()
	}
	payload := []byte(strings.Repeat("x", 4000))
	var r replies
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r.of[websocket.Slow].Load() < int64(n) {
			r.Add(len(refs))
			for _, ref := range refs {
				s.hub.Send(ref, websocket.OpText, payload, &r)
			}
			r.Wait()
		}
	}()
	var busy []time.Duration
	peak := int64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			busy = append(busy, echo())
			peak = max(peak, s.hub.HeldNow())
		}
	}
	if per := peak / int64(n); per > abuseBound {
		t.Errorf("%d bytes are held for each", per)
	}
	if slow := r.of[websocket.Slow].Load(); slow != int64(n) {
		t.Errorf("%d of %d were found too slow", slow, n)
	}
	slices.Sort(quiet)
	slices.Sort(busy)
	t.Logf("%d bytes held for each; echo of another: median %s and p99 %s before, %s and %s during", peak/int64(n),
		quiet[len(quiet)/2], quiet[len(quiet)*99/100], busy[len(busy)/2], busy[len(busy)*99/100])
	s.stats("all were cut off", func(st websocket.Stats) bool {
		return st.Open == 1 && st.Held == 0 && st.Queued == 0 && st.Slow == int64(n) && st.Closes(websocket.TryAgainLater) == int64(n)
	})
	echo()
	for _, fd := range fds {
		unix.Close(fd)
	}
}
