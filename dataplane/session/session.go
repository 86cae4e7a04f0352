// Package session serves the connections of WebSocket APIs: it asks who is to be
// asked about a wish to connect, takes every message to the route that it chooses,
// and tells of the end.
//
//	Worker.Reserve -> Session.Connect -> Session.Open -> messages … -> $disconnect
//
// A Session lives on one event loop. What a message becomes is decided by what its
// stage serves when it comes: a deployment reaches those who are connected.
package session

import (
	"crypto/rand"
	mrand "math/rand/v2"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/limiter"
)

// Config is what all sessions of a gateway share.
type Config struct {
	Hub    *websocket.Hub
	Limits *websocket.Limits

	// ConnectRate bounds the new connections in a second, of all APIs together.
	ConnectRate int

	// InFlight is how many messages of one connection integrations may be working
	// on; the client's next ones wait.
	InFlight int

	Throttle  *throttle.Store
	Usage     *usage.Store
	Lambda    *lambda.Client
	Log       *telemetry.AccessLog // nil for none
	Throttled *telemetry.Counters  // by telemetry.ThrottleLimits; nil: not counted
}

// Sessions is what the workers of a gateway share.
type Sessions struct {
	Config
	passed   websocket.Limits // of connections that are passed on
	snapshot func() *deploy.Snapshot
	connects limiter.Bucket
	limit    limiter.Limit
}

// New returns what workers need. Serve follows.
func New(config Config) *Sessions {
	s := &Sessions{Config: config, passed: *config.Limits, limit: limiter.NewLimit(float64(config.ConnectRate), config.ConnectRate)}
	// AWS's bound of frames and its want of binary messages are its APIs' alone.
	s.passed.TextOnly, s.passed.Frame = false, s.passed.Message
	return s
}

// Serve says where what serves is found.
func (s *Sessions) Serve(snapshot func() *deploy.Snapshot) { s.snapshot = snapshot }

// Worker is one event loop's part. Its methods must be called on the loop.
type Worker struct {
	config    *Sessions
	loop      *loop.Loop
	random    *mrand.ChaCha8
	spare     []*message
	scratch   []byte // for the key of a route, and for error messages
	trace     []byte
	source    []byte
	edge      proxy.Edge
	charges   []limiter.Charge
	record    telemetry.Record
	ids       []byte // of record
	keyText   []byte
	errorText []byte
}

// NewWorker returns the part of a loop.
func NewWorker(config *Sessions, l *loop.Loop) *Worker {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return &Worker{config: config, loop: l, random: mrand.NewChaCha8(seed), scratch: make([]byte, 0, scratchSize)}
}

// scratchSize fits the keys that messages choose, in bytes.
const scratchSize = 512

// Client is who is at the other end. It is kept, so its bytes must be its own.
type Client struct {
	SourceIP  string
	UserAgent string
	Host      string // that was connected to
	Port      string // likewise
	Secure    bool
	APIKey    string // as it came; empty if there was none
	Identity  auth.Identity
}

// proto is the scheme that backends are told.
func (c *Client) proto() string {
	if c.Secure {
		return "https"
	}
	return "http"
}

// Session is one connection. Its methods must be called on its event loop.
type Session struct {
	websocket.Conn
	worker      *Worker
	key         definition.StageKey
	client      *Client
	connectedAt int64 // nanoseconds since the Unix epoch
	asked       *message
	backlog     [][]byte // messages that wait for those before
	busy        int      // messages that integrations work on
	passed      bool     // on to a backend, whose frames nothing may come between
}

// Reserve makes a session with an id, which names nothing before Open. Cancel ends
// it without.
func (w *Worker) Reserve(stage *deploy.Stage, client *Client) (*Session, websocket.Admission) {
	s := &Session{
		worker: w, key: definition.StageKey{APIID: stage.APIID, Stage: stage.Name}, client: client,
		connectedAt: w.loop.Wall(w.loop.Now()),
	}
	return s, w.config.Hub.Reserve(w.loop, &s.Conn)
}

// SpendConnect takes a token for a new connection. wait is how many nanoseconds
// there is none yet; 0 is one taken.
func (w *Worker) SpendConnect() (wait int64) {
	return w.config.connects.Spend(w.loop.Now(), w.config.limit)
}

// Open begins the connection; see websocket.Conn.Accept.
func (s *Session) Open(stream *loop.Stream, early, answer []byte) {
	s.Accept(stream, early, answer, s, s.worker.config.Limits)
}

// OpenPassed begins a connection whose frames go to a backend; see
// websocket.Conn.Pass.
func (s *Session) OpenPassed(stream *loop.Stream, early, answer []byte, backend *websocket.Backend) {
	s.passed = true
	s.Pass(stream, early, answer, s, &s.worker.config.passed, backend)
}

// Key returns the stage that the session is of.
func (s *Session) Key() definition.StageKey { return s.key }

// Passed reports whether the session is passed on to a backend.
func (s *Session) Passed() bool { return s.passed }

// Client returns who is at the other end.
func (s *Session) Client() *Client { return s.client }

// ConnectedAt returns when the client asked to connect.
func (s *Session) ConnectedAt() time.Time { return time.Unix(0, s.connectedAt) }

// LastActiveAt returns when a message last went either way, to a quarter of a
// second.
func (s *Session) LastActiveAt() time.Time {
	return time.Unix(0, max(s.connectedAt, s.worker.loop.Wall(s.Active()))) // the latter is coarse
}

// stage returns what the session's stage serves now, or nil.
func (s *Session) stage() *deploy.Stage {
	snapshot := s.worker.config.snapshot()
	if snapshot == nil {
		return nil
	}
	stage := snapshot.Stage(s.key)
	if stage == nil || stage.Sockets == nil {
		return nil
	}
	return stage
}

// OnMessage implements websocket.Handler.
func (s *Session) OnMessage(_ websocket.Opcode, payload []byte) {
	if s.busy >= s.worker.config.InFlight || len(s.backlog) > 0 {
		s.backlog = append(s.backlog, append([]byte(nil), payload...))
		s.Pause() // what was read already still comes
		return
	}
	s.receive(payload)
}

// OnClose implements websocket.Handler.
func (s *Session) OnClose(end websocket.End) {
	s.backlog = nil
	if stage := s.stage(); stage != nil {
		s.disconnect(stage, end)
	}
}

// receive takes a message to its route.
func (s *Session) receive(payload []byte) {
	stage := s.stage()
	if stage == nil { // it was deleted
		s.Close(websocket.GoingAway, "")
		return
	}
	m := s.worker.take(s, stage, eventMessage)
	m.count(telemetry.SocketMessageIn)
	m.messageID = telemetry.AppendExtendedID(m.messageID[:0], s.worker.random)
	m.route = stage.Sockets.Find(s.worker.scratch[:0], payload)
	if m.route == nil {
		m.refuse(forbidden)
		return
	}
	if refusal, ok := m.admit(); !ok {
		m.refuse(refusal)
		return
	}
	s.busy++
	m.call(payload)
}

// next takes a message that has waited.
func (s *Session) next() {
	s.busy--
	for s.busy < s.worker.config.InFlight && len(s.backlog) > 0 {
		payload := s.backlog[0]
		s.backlog[0] = nil
		if s.backlog = s.backlog[1:]; len(s.backlog) == 0 {
			s.backlog = nil
			s.Resume()
		}
		s.receive(payload)
	}
}

// Push sends the client a message that its API's backend wants it to have.
func (s *Session) Push(op websocket.Opcode, payload []byte) websocket.Outcome {
	if s.passed {
		return websocket.Gone // for all that the gateway has to say
	}
	outcome := s.Send(op, payload)
	if stage := s.stage(); stage != nil && stage.SocketMetrics != nil && outcome == websocket.Sent {
		stage.SocketMetrics.Count(s.worker.loop.ID, telemetry.SocketMessageOut)
	}
	return outcome
}
