package pipeline

import (
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/session"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// connecting is a wish to speak WebSocket. It stays behind when the client goes
// away meanwhile, since its transaction serves other requests then.
type connecting struct {
	t       *transaction // nil once it has gone
	upgrade websocket.Upgrade
	session *session.Session // nil before it has an id
	edge    proxy.Edge
	backend *websocket.Backend // of one that is passed on; nil before it is asked

	protocol string // that is agreed to
	fields   []byte // lines of the answer besides
	flushing bool   // all is agreed, and an earlier answer is still being sent
}

// findSocketMethod chooses what a request to a WebSocket API is: the wish to
// connect, or a call of @connections.
func (t *transaction) findSocketMethod() bool {
	sockets := t.stage.Sockets
	switch {
	case len(t.path) == 0 || string(t.path) == "/":
		t.method = sockets.Connect
	case isManaged(t.path):
		t.method = sockets.Manage
	default: // there are no other paths
		t.method = nil
		t.reject(Denied)
		return false
	}
	return true
}

// wantsSocket reads the wish to connect. It is false if it has answered a request
// that is none, or not a proper one.
func (t *transaction) wantsSocket() bool {
	c := &connecting{t: t}
	if refusal := c.upgrade.Read(&t.x.Request); refusal != 0 {
		t.fields = append(t.fields[:0], refusal.Fields()...)
		t.reject(ofRefusal(refusal))
		return false
	}
	if s := t.stage.Sockets; s != nil {
		if s.Origins != nil && !s.Origins.Allow(&c.upgrade) {
			t.reject(Denied)
			return false
		}
		if missing := t.missing(&s.Required); missing != "" {
			t.rejectWith(Malformed, "Missing required request parameters: ["+missing+"]")
			return false
		}
	}
	s, admission := t.worker.sessions.Reserve(t.stage, t.sessionClient())
	if admission != websocket.Admitted {
		t.reject(NotReady)
		return false
	}
	c.session = s
	t.connecting, t.connectionID = c, s.ID(t.connectionID[:0])
	return true
}

// missing names the required parameters that the request does not have.
func (t *transaction) missing(required *deploy.Required) string {
	var names []string
	for _, name := range required.Headers {
		if v, _ := t.IdentityHeader(name, 0); v == nil {
			names = append(names, name)
		}
	}
	for _, name := range required.Query {
		if v, _ := t.IdentityQuery(name, 0); v == nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// ofRefusal maps what is wrong with a handshake to a Reason.
func ofRefusal(r websocket.Refusal) Reason {
	switch r {
	case websocket.NoUpgrade, websocket.BadVersion:
		return UpgradeRequired
	case websocket.BadMethod:
		return MethodNotAllowed
	}
	return Malformed
}

// connect asks whoever decides whether the client, which may call, may connect.
func (t *transaction) connect() {
	c := t.connecting
	if wait := t.worker.sessions.SpendConnect(); wait > 0 {
		t.retryAfter = wait
		t.reject(Throttled)
		return
	}
	client := c.session.Client()
	client.Identity = t.identity
	client.Identity.Token, client.Identity.Key = nil, nil // the request's bytes, and for caches
	if !t.stage.KeyFromHeader {
		client.APIKey = string(t.usageIdentifier)
	}
	switch {
	case t.method.Proxy.WebSocket:
		t.dial()
	case t.stage.Sockets.OnConnect == nil:
		c.agree(nil)
	default:
		c.edge = t.edge()
		t.calledAt = t.worker.loop.Now()
		c.session.Connect(t.stage, &t.x.Request, &c.edge, c)
	}
}

// sessionClient is who connects, as far as the request says: a copy.
func (t *transaction) sessionClient() *session.Client {
	r := &t.x.Request
	c := &session.Client{
		SourceIP: string(t.sourceIP), UserAgent: string(r.Get(http1.UserAgent)), Host: string(r.Host), Port: t.x.Port(), Secure: t.x.IsTLS(),
	}
	if t.stage.KeyFromHeader {
		c.APIKey = string(r.Get(http1.XAPIKey))
	}
	return c
}

// Connected implements session.Caller: what the integration of $connect said.
func (c *connecting) Connected(r session.Reply) {
	t := c.t
	if t == nil {
		return
	}
	t.latency, t.backend = r.Latency, r.Status
	switch {
	case r.Failure != 0:
		c.refuse(ofSocketFailure(r.Failure))
	case r.Status < 200 || r.Status > 299:
		c.refuseWith(r.Status)
	default:
		c.agree(r.Protocol)
	}
}

func ofSocketFailure(f session.Failure) Reason {
	switch f {
	case session.Misconfigured:
		return Misconfigured
	case session.TimedOut:
		return IntegrationTimeout
	case session.BadAnswer:
		return IntegrationInvalid
	case session.Busy:
		return IntegrationBusy
	}
	return IntegrationFailure
}

// refuse answers; whoever is being asked, and the id, are let go of at the end.
func (c *connecting) refuse(reason Reason) { c.t.reject(reason) }

// refuseWith answers with the status that the integration of $connect chose.
func (c *connecting) refuseWith(status int) {
	t := c.t
	text := "Internal server error"
	switch {
	case status == 401:
		text = "Unauthorized"
	case status == 403:
		text = "Forbidden"
	case status < 400 || status > 599: // 101 or a redirect would mean something else to the client
		status = 502
	case status < 500:
		text = "Bad Request"
	}
	t.body = c.session.AppendError(t.body[:0], text, t.requestID)
	b := append(t.startHead(status), "Content-Type: application/json\r\n"...)
	t.answerWhole(b, t.body)
}

// agree accepts the connection, with the subprotocol that the integration chose.
func (c *connecting) agree(protocol []byte) {
	t := c.t
	switch {
	case len(protocol) > 0:
		if c.protocol = string(protocol); !c.upgrade.Offers(c.protocol) { // the client would hang up
			c.refuse(IntegrationInvalid)
			return
		}
	case t.stage.Sockets != nil:
		c.protocol = c.upgrade.Choose(t.stage.Sockets.Subprotocols)
	}
	c.open()
}

// open answers, and hands the connection over.
func (c *connecting) open() {
	t := c.t
	if t.x.Unsent() > 0 { // an earlier answer is on its way
		c.flushing = true
		return
	}
	t.status = 101
	answer := c.upgrade.AppendAnswer(nil, c.protocol, append(t.appendIDs(nil), c.fields...))
	s, backend := c.session, c.backend
	t.connecting = nil
	t.answering = answerEmpty
	t.finish()
	stream, early := t.x.Takeover(&s.Conn)
	if backend != nil {
		s.OpenPassed(stream, early, answer, backend)
	} else {
		s.Open(stream, early, answer)
	}
}

// endConnecting ends the wish to connect, if there is one that has come to
// nothing.
func (t *transaction) endConnecting() {
	if t.connecting != nil {
		t.connecting.leave()
	}
}

// leave ends the wish: its id and whoever is being asked are let go of.
func (c *connecting) leave() {
	c.t.connecting, c.t = nil, nil
	if c.backend != nil {
		c.backend.Cancel()
	}
	if c.session != nil {
		c.session.Cancel()
	}
}

// appendConnecting appends a $context variable of a wish to connect.
func (t *transaction) appendConnecting(dst []byte, v proxy.ContextVar) []byte {
	c := t.connecting
	if c == nil || t.stage.Sockets == nil {
		return dst
	}
	switch v {
	case proxy.ContextRouteKey:
		return append(dst, definition.RouteConnect...)
	case proxy.ContextEventType:
		return append(dst, "CONNECT"...)
	case proxy.ContextMessageDirection:
		return append(dst, "IN"...)
	case proxy.ContextConnectedAt:
		return strconv.AppendInt(dst, c.session.ConnectedAt().UnixMilli(), 10)
	}
	return append(dst, t.connectionID...)
}

// socketEvent is the wish to connect as an authorizer is told of it: a copy.
func (t *transaction) socketEvent() *lambda.SocketEvent {
	r, client := &t.x.Request, t.connecting.session.Client()
	e := &lambda.SocketEvent{StageVariables: t.stage.Variables}
	for i := range r.Len() {
		e.AddHeader(string(r.Name(i)), string(r.Value(i)))
	}
	for q := (http1.Query{Rest: r.Query}); q.Next(); {
		e.AddQuery(string(http1.AppendUnescaped(nil, q.Name)), string(http1.AppendUnescaped(nil, q.Value)))
	}
	c := &e.RequestContext
	c.RouteKey, c.EventType, c.MessageDirection = definition.RouteConnect, "CONNECT", "IN"
	c.RequestID, c.ExtendedRequestID, c.ConnectionID = string(t.requestID), string(t.extendedID), string(t.connectionID)
	c.Stage, c.APIID, c.DomainName = t.stage.Name, t.stage.APIID, client.Host
	c.ConnectedAt, c.Identity = t.connecting.session.ConnectedAt().UnixMilli(), lambda.SocketIdentity{SourceIP: client.SourceIP, UserAgent: client.UserAgent}
	c.SetTime(t.worker.loop.Wall(t.x.Started))
	return e
}
