package websocket_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// outcome waits for a reply.
type outcome chan websocket.Outcome

func (o outcome) Replied(x websocket.Outcome) { o <- x }

func (s *server) send(id string, text string) websocket.Outcome {
	s.t.Helper()
	ref, ok := s.hub.Parse([]byte(id))
	if !ok {
		s.t.Fatalf("%q is no id", id)
	}
	o := make(outcome, 1)
	s.hub.Send(ref, websocket.OpText, []byte(text), o)
	return <-o
}

// closer closes the connection it is run with.
type closer struct {
	code websocket.Code
	had  chan bool
}

func (c *closer) Run(x *websocket.Conn) {
	if x != nil {
		x.Close(c.code, "")
	}
	c.had <- x != nil
}

// TestSendByID: what is sent by id arrives from any goroutine, in order, and a
// connection is gone exactly from its end on.
func TestSendByID(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.loops = 2; o.hub.Instance = 77 })
	var clients []*wstest.Client
	var sessions []*session
	for range 8 {
		c, x := s.connect()
		clients, sessions = append(clients, c), append(sessions, x)
	}
	var wg sync.WaitGroup
	for i, x := range sessions {
		wg.Go(func() {
			for n := range 50 {
				if o := s.send(x.text, fmt.Sprintf("%d.%d", i, n)); o != websocket.Sent {
					t.Errorf("outcome %d", o)
				}
			}
		})
	}
	wg.Wait()
	for i, c := range clients {
		for n := range 50 {
			expect(t, c, wstest.T(fmt.Sprintf("%d.%d", i, n)))
		}
	}
	ref, _ := s.hub.Parse([]byte(sessions[0].text))
	if ref.Instance() != 77 {
		t.Errorf("instance %d", ref.Instance())
	}

	// Closed by id: at once gone for senders, though the peer has not answered.
	task := &closer{code: websocket.Normal, had: make(chan bool, 1)}
	if o := s.hub.Do(ref, task); o != websocket.Sent || !<-task.had {
		t.Fatalf("outcome %d, or no connection", o)
	}
	if o := s.send(sessions[0].text, "late"); o != websocket.Gone {
		t.Errorf("outcome %d for a connection that is being closed", o)
	}
	expectClose(t, clients[0], websocket.Normal)
	if o := s.hub.Do(ref, task); o != websocket.Sent || <-task.had {
		t.Errorf("outcome %d, or a connection that is gone", o)
	}
	// Closed by the peer.
	say(t, clients[1], wstest.CloseFrame(1000, ""))
	sessions[1].end()
	clients[1].Close()
	if o := s.send(sessions[1].text, "late"); o != websocket.Gone {
		t.Errorf("outcome %d for a connection that closed", o)
	}
	// Its place is used again, and its id is not.
	s.stats("closed", func(st websocket.Stats) bool { return st.Open == 7 })
	for range 8 {
		_, x := s.connect()
		if x.text == sessions[1].text {
			t.Fatal("an id came twice")
		}
	}
	if o := s.send(sessions[1].text, "late"); o != websocket.Gone {
		t.Errorf("outcome %d for a connection whose place is used again", o)
	}
	// Too large, and to another instance.
	if o := s.send(sessions[2].text, strings.Repeat("x", s.options.limits.Message+1)); o != websocket.TooLarge {
		t.Errorf("outcome %d for a message that is too large", o)
	}
	other := newServer(t, func(o *serverOptions) { o.hub.Instance = 78 })
	if o := other.send(sessions[2].text, "x"); o != websocket.Gone {
		t.Errorf("outcome %d for a connection of another instance", o)
	}
	foreign := newServer(t, func(o *serverOptions) { o.hub.Key[5] = 1 })
	if _, ok := foreign.hub.Parse([]byte(sessions[2].text)); ok {
		t.Error("an id of another key is taken")
	}
}

// TestBusy: what waits for a loop is bounded, and a loop that is closed answers.
func TestBusy(t *testing.T) {
	s := newServer(t)
	c, x := s.connect()
	ref, _ := s.hub.Parse([]byte(x.text))
	release := make(chan struct{})
	s.loops[0].Post(func() { <-release })
	var r replies
	for range 1<<16 + 10 {
		r.Add(1)
		s.hub.Send(ref, websocket.OpText, nil, &r)
	}
	if n := r.of[websocket.Busy].Load(); n != 10 {
		t.Errorf("%d are refused", n)
	}
	s.loops[0].Post(x.Conn.Abandon) // does nothing now
	close(release)
	r.Wait()
	if sent, slow, gone := r.of[websocket.Sent].Load(), r.of[websocket.Slow].Load(), r.of[websocket.Gone].Load(); sent < 64 || sent+slow+gone != 1<<16 {
		t.Errorf("%d were sent, %d found the peer slow and %d gone", sent, slow, gone)
	}
	c.Close()
	s.close()
	r.Add(1)
	s.hub.Send(ref, websocket.OpText, nil, &r)
	task := &closer{had: make(chan bool, 1)}
	if o := s.hub.Do(ref, task); o != websocket.Sent || <-task.had {
		t.Errorf("outcome %d of a closed loop", o)
	}
	r.Wait()
}

// TestReservedIsGone: between Reserve and Accept an id names nothing, as in AWS
// while $connect runs.
func TestReservedIsGone(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.hub.Connections = 2 })
	var a, b, c websocket.Conn
	s.loops[0].Do(func() {
		if s.hub.Reserve(s.loops[0], &a) != websocket.Admitted || s.hub.Reserve(s.loops[0], &b) != websocket.Admitted {
			t.Error("not admitted")
		}
		if x := s.hub.Reserve(s.loops[0], &c); x != websocket.TooMany {
			t.Errorf("admission %d of a third", x)
		}
	})
	id := string(a.ID(nil))
	if o := s.send(id, "x"); o != websocket.Gone {
		t.Errorf("outcome %d", o)
	}
	s.loops[0].Do(func() {
		a.Abandon()
		a.Abandon()
		if x := s.hub.Reserve(s.loops[0], &c); x != websocket.Admitted {
			t.Errorf("admission %d after one was abandoned", x)
		}
	})
	if string(c.ID(nil)) == id {
		t.Error("an id came twice")
	}
	s.stats("refusals are counted", func(st websocket.Stats) bool { return st.Refused == 1 && st.Open == 0 })
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	var left atomic.Int64
	left.Store(3)
	s := newServer(t, func(o *serverOptions) { o.hub.Admit = func(int64) bool { return left.Add(-1) >= 0 } })
	for i := range 5 {
		_, err := wstest.Dial(s.addr, "/")
		if (err == nil) != (i < 3) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	s.stats("refusals are counted", func(st websocket.Stats) bool { return st.Refused == 2 && st.Connects == 3 })
}

func TestNewHubRefuses(t *testing.T) {
	for _, c := range []websocket.HubConfig{{Buffer: 1 << 20}, {Connections: 1 << 23, Buffer: 1 << 20}, {Connections: 1, Buffer: 1}} {
		if _, err := websocket.NewHub(nil, c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// TestDrain: connections are closed with 1001 over the window, and new ones
// refused.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.loops = 2 })
	const n = 40
	var mu sync.Mutex
	var closed []time.Duration
	var wg sync.WaitGroup
	var start time.Time
	var clients []*wstest.Client
	for range n {
		clients = append(clients, s.dial())
	}
	s.stats("open", func(st websocket.Stats) bool { return st.Open == n })
	start = time.Now()
	for _, c := range clients {
		wg.Go(func() {
			f, err := c.Hear()
			if err != nil || f.Op != wstest.Close || wstest.CodeOf(f) != 1001 {
				t.Errorf("%v, %v", f, err)
			}
			mu.Lock()
			closed = append(closed, time.Since(start))
			mu.Unlock()
			_ = c.Say(wstest.CloseFrame(1001, ""))
			c.Close()
		})
	}
	const window = 1500 * time.Millisecond
	s.hub.Drain(window)
	if _, err := wstest.Dial(s.addr, "/"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("while draining: %v", err)
	}
	wg.Wait()
	slices.Sort(closed)
	if early, late := closed[n/4], closed[n*3/4]; late-early < window/5 {
		t.Errorf("a quarter is closed after %s and three after %s of %s", early, late, window)
	}
	s.stats("all gone", func(st websocket.Stats) bool { return st.Open == 0 && st.Closes(websocket.GoingAway) == n })
}

// TestRetire: who connects late is let in, and told to go away at once.
func TestRetire(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hub.Retire(0)
	c := s.dial()
	if f, err := c.Hear(); err != nil || f.Op != wstest.Close || wstest.CodeOf(f) != 1001 {
		t.Errorf("%v, %v", f, err)
	}
}

// TestEach: an operator sees every connection.
func TestEach(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.loops = 2 })
	want := map[string]bool{}
	for i := range 10 {
		c, x := s.connect()
		want[x.text] = true
		for range i {
			say(t, c, wstest.T("x"))
			expect(t, c, wstest.T("x"))
		}
	}
	seen, messages := map[string]bool{}, uint32(0)
	s.hub.Each(func(c *websocket.Conn) {
		seen[string(c.ID(nil))] = true
		in, out := c.Messages()
		if in != out || c.Opened() == 0 || c.Active() < c.Opened()-int64(time.Second) || c.Queued() != 0 {
			t.Errorf("in %d, out %d, opened %d, active %d", in, out, c.Opened(), c.Active())
		}
		messages += in
		if c.Handler().(*session).text != string(c.ID(nil)) {
			t.Error("another's handler")
		}
	})
	if len(seen) != len(want) || messages != 45 {
		t.Errorf("%d connections of %d, %d messages", len(seen), len(want), messages)
	}
	for id := range want {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
	s.stats("counted", func(st websocket.Stats) bool {
		return st.Connects == 10 && st.MessagesIn == 45 && st.MessagesOut == 45 && st.BytesIn == 45 && st.BytesOut == 45
	})
}

// TestSendersAndClosers: many goroutines send to connections that come and go;
// every reply is Sent or Gone, and what was Sent to one that stays arrives.
func TestSendersAndClosers(t *testing.T) {
	s := newServer(t, func(o *serverOptions) {
		o.loops = 2
		o.limits.QueueMessages, o.limits.QueueBytes = 1<<20, 64<<20
		o.message = func(*session, websocket.Opcode, []byte) {}
	})
	stays, x := s.connect()
	var mu sync.Mutex
	ids := []string{x.text}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c, err := wstest.Dial(s.addr, "/")
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case x := <-s.sessions:
					mu.Lock()
					ids = append(ids, x.text)
					mu.Unlock()
				default:
				}
				_ = c.Say(wstest.CloseFrame(1000, ""))
				c.Close()
			}
		})
	}
	var sent atomic.Int64
	var senders sync.WaitGroup
	for g := range 4 {
		senders.Go(func() {
			for i := range 2000 {
				mu.Lock()
				id := ids[(i*7+g)%len(ids)]
				mu.Unlock()
				switch o := s.send(id, "x"); {
				case o == websocket.Sent && id == x.text:
					sent.Add(1)
				case o != websocket.Sent && (o != websocket.Gone || id == x.text):
					t.Errorf("outcome %d", o)
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	wg.Wait()
	for range sent.Load() {
		expect(t, stays, wstest.T("x"))
	}
}

// TestNothingLeaks: connections that came and went in every way leave neither
// goroutines nor descriptors.
func TestNothingLeaks(t *testing.T) {
	s := newServer(t, func(o *serverOptions) { o.loops = 2 })
	s.dial().Close()
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for i := range 200 {
		c, err := wstest.Dial(s.addr, "/")
		if err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			say(t, c, wstest.CloseFrame(1000, ""))
		case 1:
			say(t, c, wstest.T("x"), wstest.T("\xff"))
		case 2:
			_ = c.SayBytes([]byte{0x81}, 0)
		}
		if i%4 < 2 && i%8 < 4 {
			_, _ = c.Hear()
		}
		c.Close()
	}
	s.stats("all gone", func(st websocket.Stats) bool { return st.Open == 0 && st.Held == 0 && st.Queued == 0 })
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || descriptors(t) > files; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines of %d, %d descriptors of %d", runtime.NumGoroutine(), goroutines, descriptors(t), files)
		}
	}
}

// TestPlainRequests: what is no upgrade is answered as HTTP.
func TestPlainRequests(t *testing.T) {
	s := newServer(t)
	r, err := http.Get("http://" + s.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 426 || r.Header.Get("Upgrade") != "websocket" {
		t.Errorf("%s, %v", r.Status, r.Header)
	}
}
