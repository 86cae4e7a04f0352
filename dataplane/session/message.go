package session

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// event is what a message is about.
type event uint8

const (
	eventConnect event = iota
	eventMessage
	eventDisconnect
)

var eventNames = [...]string{eventConnect: "CONNECT", eventMessage: "MESSAGE", eventDisconnect: "DISCONNECT"}

// message is one call of a route's integration, and what leads to it. It is used
// for one after the other.
type message struct {
	worker  *Worker
	session *Session
	stage   *deploy.Stage
	route   *deploy.Route
	event   event
	caller  Caller         // of eventConnect; nil once it has gone
	head    *http1.Request // of eventConnect, while it is being called
	edge    *proxy.Edge    // likewise
	end     websocket.End  // of eventDisconnect
	reason  []byte         // of end

	id        []byte
	messageID []byte
	started   int64
	latency   int64 // of the integration, nanoseconds; -1 if none was called
	calledAt  int64

	payload []byte // the message
	request []byte
	upcall  upstream.Call
	answer  []byte        // of the integration
	status  int           // likewise
	fault   string        // for the log
	reading deploy.Answer // answer, as the route reads it
	digits  [3]byte       // of status
	client  usage.Client  // that is charged
}

// keptBuffer is the largest buffer that is kept for the next message, in bytes.
const keptBuffer = 32 << 10

// take begins with a message, or what stands for one.
func (w *Worker) take(s *Session, stage *deploy.Stage, e event) *message {
	var m *message
	if n := len(w.spare); n > 0 {
		m = w.spare[n-1]
		w.spare = w.spare[:n-1]
	} else {
		m = &message{worker: w}
		m.upcall.Receiver = m
	}
	m.session, m.stage, m.event, m.route = s, stage, e, nil
	m.started, m.latency, m.calledAt, m.status, m.fault = w.loop.Now(), -1, 0, 0, ""
	m.id, m.messageID = telemetry.AppendExtendedID(m.id[:0], w.random), m.messageID[:0]
	return m
}

// done lets go of the message.
func (m *message) done() {
	w := m.worker
	if m.latency >= 0 && m.stage.SocketMetrics != nil {
		m.stage.SocketMetrics.ObserveIntegration(w.loop.ID, m.latency)
	}
	if w.config.Log != nil && m.event != eventConnect { // the request to connect is logged as one
		m.log()
	}
	s, was := m.session, m.event
	counted := was == eventMessage && m.calledAt != 0
	m.reading = deploy.Answer{}
	m.session, m.stage, m.route, m.caller, m.head, m.edge, m.end = nil, nil, nil, nil, nil, nil, websocket.End{}
	m.payload, m.request, m.answer = shrink(m.payload)[:0], shrink(m.request)[:0], shrink(m.answer)[:0]
	w.spare = append(w.spare, m)
	if counted {
		s.next()
	}
}

func shrink(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b
}

func (m *message) count(e telemetry.SocketEvent) {
	if metrics := m.stage.SocketMetrics; metrics != nil {
		metrics.Count(m.worker.loop.ID, e)
	}
}

// call asks the integration.
func (m *message) call(payload []byte) {
	m.calledAt = m.worker.loop.Now()
	r := m.route
	m.payload = append(m.payload[:0], payload...)
	switch r.Kind {
	case deploy.RouteHTTP:
		m.callHTTP()
	case deploy.RouteFunction:
		m.callFunction()
	default:
		if m.status = r.Status; m.status == 0 {
			m.failed(Misconfigured)
			return
		}
		m.answered()
	}
}

// noRequest is that of a message, which has no header fields.
var noRequest http1.Request

// callHTTP sends the message to a backend.
func (m *message) callHTTP() {
	r, w := m.route, m.worker
	if r.Targets == nil {
		m.failed(Misconfigured)
		return
	}
	head, edge := m.head, m.edge
	if head == nil {
		head, edge = &noRequest, m.edgeOf()
	}
	verb := r.HTTP.Verb(http1.GET)
	var body []byte
	if proxy.SendsBody(verb) && m.event == eventMessage {
		body = m.payload
		if !r.Whole {
			var ok bool
			if m.answer, ok = r.Request(m.answer[:0], w.scratch[:0], m.payload, templateInput{m}); !ok {
				m.failed(Misconfigured)
				return
			}
			body = m.answer
		}
	}
	m.request = r.HTTP.AppendRequest(m.request[:0], head, verb, m, edge, proxy.Body{Length: int64(len(body))})
	m.request = append(m.request, body...)
	m.upcall.Verb = verb
	m.upcall.Deadline = m.calledAt + m.timeout()
	m.upcall.MaxBody = int64(w.config.Limits.Message)
	m.upcall.Cap = m.stage.Cap
	m.upcall.Start(w.loop, r.Targets, m.request, true)
}

// edgeOf is what backends are told of where a message comes from.
func (m *message) edgeOf() *proxy.Edge {
	w, client := m.worker, m.session.client
	w.source = append(w.source[:0], client.SourceIP...)
	w.trace = telemetry.AppendTraceID(w.trace[:0], w.loop.Wall(m.started), w.random)
	w.edge = proxy.Edge{SourceIP: w.source, Port: client.Port, Proto: client.proto(), TraceID: w.trace}
	return &w.edge
}

func (m *message) timeout() int64 { return int64(m.route.TimeoutMillis) * int64(time.Millisecond) }

// Receive implements upstream.Receiver.
func (m *message) Receive(first bool, body []byte, last bool) {
	if first {
		m.status = m.upcall.Response.Status
		m.answer = m.answer[:0]
	}
	if m.route.Answers && m.event == eventMessage {
		m.answer = append(m.answer, body...)
	}
	if last {
		m.latency = m.worker.loop.Now() - m.calledAt
		m.answered()
	}
}

// Failed implements upstream.Receiver.
func (m *message) Failed(f upstream.Failure) {
	m.latency = m.worker.loop.Now() - m.calledAt
	switch f {
	case upstream.Timeout:
		m.failed(TimedOut)
	case upstream.NoAnswer, upstream.Invalid, upstream.Truncated, upstream.TooLarge:
		m.failed(BadAnswer)
	case upstream.Busy, upstream.Open, upstream.ShuttingDown:
		m.failed(Busy)
	default:
		m.failed(Unreachable)
	}
}

// Drained implements upstream.Receiver.
func (m *message) Drained() {}

// answered goes on with what the integration said.
func (m *message) answered() {
	if m.status >= 400 {
		m.count(telemetry.SocketIntegrationError)
	}
	switch m.event {
	case eventConnect:
		m.connected()
		return
	case eventMessage:
		if m.route.Answers {
			m.respond()
			return
		}
	}
	m.done()
}

// respond sends the client the answer that the route makes.
func (m *message) respond() {
	w := m.worker
	m.reading = deploy.Answer{Status: deploy.AppendStatus(m.digits[:0], m.status), Body: m.answer, Message: m.payload, Header: m.header()}
	out, ok := m.route.Response(m.request[:0], w.scratch[:0], &m.reading, templateInput{m})
	m.request = out
	if !ok {
		m.failed(Misconfigured)
		return
	}
	m.send(out)
	m.done()
}

// header returns what reads the fields of the backend's answer.
func (m *message) header() func(string) []byte {
	if m.route.Kind != deploy.RouteHTTP || m.route.Whole {
		return nil
	}
	return func(name string) []byte {
		h := &m.upcall.Response.Headers
		for i := range h.Len() {
			if http1.EqualFold(h.Name(i), name) {
				return h.Value(i)
			}
		}
		return nil
	}
}

// send sends a message to the client; empty is none.
func (m *message) send(body []byte) {
	if len(body) == 0 {
		return
	}
	op := websocket.OpText
	if !utf8.Valid(body) {
		op = websocket.OpBinary
	}
	switch m.session.Send(op, body) {
	case websocket.Sent:
		m.count(telemetry.SocketMessageOut)
	case websocket.TooLarge:
		m.fault = "the answer is too large for a message"
		m.count(telemetry.SocketExecutionError)
		m.sendError(internalError)
	}
}

// Failure says why an integration gave no answer that is of use.
type Failure uint8

// Failures.
const (
	Misconfigured Failure = iota + 1 // the definition makes no call or no answer of it
	Unreachable
	TimedOut
	BadAnswer
	Busy // too many calls are under way
)

var failures = [...]string{
	Misconfigured: "Execution failed due to configuration error", Unreachable: "Network error communicating with endpoint",
	TimedOut: "Endpoint request timed out", BadAnswer: "Internal server error", Busy: "Service Unavailable",
}

// failed ends a call that gave nothing.
func (m *message) failed(f Failure) {
	m.fault = failures[f]
	m.count(telemetry.SocketExecutionError)
	switch m.event {
	case eventConnect:
		m.reply(Reply{Failure: f})
		return
	case eventMessage:
		m.sendError(internalError)
	}
	m.done()
}

// callFunction has a function called, off the event loop.
func (m *message) callFunction() {
	r, w := m.route, m.worker
	client := w.config.Lambda
	if r.Unresolved != nil || client == nil {
		m.failed(Misconfigured)
		return
	}
	input, ok := m.functionInput()
	if !ok {
		m.failed(Misconfigured)
		return
	}
	function, timeout := r.Function, time.Duration(m.timeout())
	go func() {
		text, err := input()
		if err != nil {
			w.loop.Post(func() { m.failed(Misconfigured) })
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		answer, err := client.Invoke(ctx, function, text)
		w.loop.Post(func() { m.functionAnswered(answer, err) })
	}()
}
