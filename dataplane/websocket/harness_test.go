package websocket_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// server is event loops, fronts and a hub whose connections are sessions.
type server struct {
	t        testing.TB
	loops    []*loop.Loop
	fronts   []*front.Front
	hub      *websocket.Hub
	listener *front.Listener
	addr     string
	options  serverOptions
	sessions chan *session // those that begin, if there is room
}

type serverOptions struct {
	limits    websocket.Limits
	hub       websocket.HubConfig
	loops     int
	tls       *tls.Config
	protocols []string
	// message is what sessions do with a message; nil is to echo it.
	message func(*session, websocket.Opcode, []byte)
	// dial makes the server pass through, to the backend it returns.
	dial func() websocket.Dial
}

// session is one connection.
type session struct {
	websocket.Conn
	server *server
	text   string // its id
	ended  chan websocket.End
}

func (s *session) OnMessage(op websocket.Opcode, payload []byte) {
	if f := s.server.options.message; f != nil {
		f(s, op, payload)
		return
	}
	s.Send(op, payload)
}

func (s *session) OnClose(e websocket.End) {
	e.Reason = append([]byte(nil), e.Reason...)
	s.ended <- e
}

// end waits for the end.
func (s *session) end() websocket.End {
	s.server.t.Helper()
	select {
	case e := <-s.ended:
		return e
	case <-time.After(10 * time.Second):
		s.server.t.Fatal("the connection does not end")
		return websocket.End{}
	}
}

// testLimits are AWS's, with binary messages.
func testLimits() websocket.Limits {
	l := websocket.AWSLimits()
	l.TextOnly = false
	l.Control = 1000 // the cases come faster than people
	return l
}

func newServer(t testing.TB, edit ...func(*serverOptions)) *server {
	t.Helper()
	o := serverOptions{limits: testLimits(), hub: websocket.HubConfig{Connections: 1 << 20, Buffer: 64 << 20}, loops: 1}
	for _, e := range edit {
		e(&o)
	}
	s := &server{t: t, options: o, sessions: make(chan *session, 100)}
	for i := range o.loops {
		l, err := loop.New(i)
		if err != nil {
			t.Fatal(err)
		}
		s.loops = append(s.loops, l)
		s.fronts = append(s.fronts, front.New(l, front.Config{
			Limits: http1.Limits{Target: 4096, Header: 8192, Count: 100}, Body: 1 << 20, ConnectionBuffer: 1 << 20, LoopBuffer: 1 << 26,
			FirstByte: time.Minute, Head: time.Minute, Idle: time.Minute, Send: time.Minute, TLSHandshake: time.Minute,
		}, func(x *front.Exchange) front.Handler { return &upgrader{x: x, server: s} }))
	}
	var err error
	if s.hub, err = websocket.NewHub(s.loops, o.hub); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.listener, err = front.Listen("test", "", ln, o.tls, s.fronts); err != nil {
		t.Fatal(err)
	}
	s.addr = s.listener.Addr().String()
	t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	s.listener.Close()
	s.hub.CloseAll()
	for i, l := range s.loops {
		l.Do(s.fronts[i].CloseAll)
		l.Close()
	}
}

// dial connects a client that has no opinion of its own.
func (s *server) dial(fields ...string) *wstest.Client {
	s.t.Helper()
	c, err := wstest.Dial(s.addr, "/", fields...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// connect connects a client and returns its session too.
func (s *server) connect() (*wstest.Client, *session) {
	s.t.Helper()
	c := s.dial()
	return c, s.session()
}

func (s *server) session() *session {
	s.t.Helper()
	select {
	case session := <-s.sessions:
		return session
	case <-time.After(10 * time.Second):
		s.t.Fatal("no session begins")
		return nil
	}
}

// stats waits until the counts are as ok wants them.
func (s *server) stats(what string, ok func(websocket.Stats) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		stats := s.hub.Stats()
		if ok(stats) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %+v", what, stats)
		}
	}
}

// upgrader answers the requests of a connection.
type upgrader struct {
	x       *front.Exchange
	server  *server
	session *session
	upgrade websocket.Upgrade
	backend *websocket.Backend
}

func (u *upgrader) Serve() {
	if r := u.upgrade.Read(&u.x.Request); r != 0 {
		u.answer(r.Status(), r.Fields())
		return
	}
	s := &session{server: u.server, ended: make(chan websocket.End, 1)}
	if a := u.server.hub.Reserve(u.x.Loop(), &s.Conn); a != websocket.Admitted {
		u.answer(503, fmt.Sprintf("X-Admission: %d\r\n", a))
		return
	}
	s.text = string(s.ID(nil))
	u.session = s
	if u.server.options.dial != nil {
		d := u.server.options.dial()
		d.Caller = u
		if d.Deadline == 0 {
			d.Deadline = u.x.Loop().Now() + int64(10*time.Second)
		}
		u.upgrade.Protocols(func(name []byte) bool {
			d.Protocols = append(append(d.Protocols, ", "...), name...)
			return true
		})
		u.backend = u.server.hub.Dial(u.x.Loop(), d)
		return
	}
	answer := u.upgrade.AppendAnswer(nil, u.upgrade.Choose(u.server.options.protocols), nil)
	stream, early := u.x.Takeover(&s.Conn)
	s.Accept(stream, early, answer, s, &u.server.options.limits)
	u.announce()
}

func (u *upgrader) announce() {
	select {
	case u.server.sessions <- u.session:
	default:
	}
}

// Upgraded implements websocket.Caller.
func (u *upgrader) Upgraded(b *websocket.Backend) {
	answer := u.upgrade.AppendAnswer(nil, string(b.Protocol()), nil)
	stream, early := u.x.Takeover(&u.session.Conn)
	u.session.Pass(stream, early, answer, u.session, &u.server.options.limits, b)
	u.announce()
}

// Answered implements websocket.Caller.
func (u *upgrader) Answered(r *http1.Response, body []byte, whole bool) {
	u.session.Abandon()
	u.answer(r.Status, fmt.Sprintf("X-Whole: %v\r\nX-Body: %s\r\n", whole, body[:min(len(body), 100)]))
}

// Failed implements websocket.Caller.
func (u *upgrader) Failed(f websocket.Failure) {
	u.session.Abandon()
	u.answer(f.Status(), "X-Failure: "+f.String()+"\r\n")
}

func (u *upgrader) answer(status int, fields string) {
	u.x.Close()
	u.x.KeepAlive()
	b := http1.AppendStatus(nil, status)
	u.x.Write([]byte(string(b)+fields+"Content-Length: 0\r\n\r\n"), nil)
	u.x.Finish()
}

func (u *upgrader) Refuse(http1.Fault) { u.x.Abort() }
func (u *upgrader) Body([]byte, bool)  {}
func (u *upgrader) Drained()           {}
func (u *upgrader) Gone() {
	if u.backend != nil {
		u.backend.Cancel()
		u.session.Abandon()
	}
}

// expect reads frames and compares them.
func expect(t testing.TB, c *wstest.Client, want ...wstest.Frame) {
	t.Helper()
	for _, w := range want {
		got, err := c.Hear()
		if err != nil {
			t.Fatalf("want %v, got %v", w, err)
		}
		if got.Op != w.Op || got.More != w.More || string(got.Payload) != string(w.Payload) {
			t.Fatalf("want %v, got %v", w, got)
		}
	}
}

// expectClose reads a close frame.
func expectClose(t testing.TB, c *wstest.Client, code websocket.Code) {
	t.Helper()
	got, err := c.Hear()
	if err != nil {
		t.Fatalf("want a close with %d, got %v", code, err)
	}
	if got.Op != wstest.Close || wstest.CodeOf(got) != int(code) {
		t.Fatalf("want a close with %d, got %v with %d", code, got, wstest.CodeOf(got))
	}
}

func say(t testing.TB, c *wstest.Client, frames ...wstest.Frame) {
	t.Helper()
	if err := c.Say(frames...); err != nil {
		t.Fatal(err)
	}
}

// descriptors counts the open descriptors of this process.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
