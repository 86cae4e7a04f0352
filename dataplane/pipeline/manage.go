package pipeline

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/session"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// isManaged reports whether a path, behind the stage, is one of @connections.
func isManaged(path []byte) bool {
	_, ok := managedID(path)
	return ok
}

// managedID returns the connection id of a path of @connections, as it came; empty
// stands for all connections of the stage.
func managedID(path []byte) ([]byte, bool) {
	for _, all := range [...]string{deploy.ManagePath, "/%40connections"} {
		if rest, ok := bytes.CutPrefix(path, []byte(all)); ok && (len(rest) == 0 || rest[0] == '/') {
			return bytes.TrimPrefix(rest, []byte("/")), true
		}
	}
	return nil, false
}

// managing is a call of @connections on its way to the connection. It stays
// behind when the caller goes away meanwhile.
type managing struct {
	*pause
	key     definition.StageKey
	verb    http1.Verb
	payload []byte

	// What became of it.
	outcome websocket.Outcome
	info    []byte
}

// manage reaches a connection for its API's backend. It comes here again when the
// body is there, and when the connection has been reached.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
func (t *transaction) manage() {
	if t.managing != nil {
		t.managed()
		return
	}
	raw, _ := managedID(t.path)
	id := http1.AppendUnescaped(nil, raw)
	verb := t.x.Request.Verb
	switch {
	case verb != http1.POST && (len(id) == 0 || verb != http1.GET && verb != http1.DELETE):
		t.reject(NoMethod)
		return
	case len(id) > 0 && !wellFormed(id):
		t.rejectWith(Malformed, "Invalid connectionId: "+string(bytes.ToValidUTF8(id, []byte("?"))))
		return
	}
	limit := t.worker.pipeline.sockets.Limits.Message
	switch { // the whole message is needed
	case verb != http1.POST || t.held.whole || !t.x.Request.HasBody():
	case len(t.held.bytes) > limit:
		t.tooLarge(limit)
		return
	default: // a web ACL may have held less
		t.hold(limit+1, stepManage)
		return
	}
	if len(t.held.bytes) > limit {
		t.tooLarge(limit)
		return
	}
	m := &managing{key: definition.StageKey{APIID: t.stage.APIID, Stage: t.stage.Name}, verb: verb, payload: bytes.Clone(t.held.bytes)}
	hub := t.worker.pipeline.sockets.Hub
	ref, ok := hub.Parse(id)
	if !ok && len(id) > 0 {
		t.reject(Gone)
		return
	}
	m.pause = t.newPause(stepManage)
	t.managing = m
	m.begin(func() {})
	if len(id) == 0 {
		hub.Broadcast(m.broadcast())
		return
	}
	if outcome := hub.Do(ref, m); outcome != websocket.Sent {
		t.endPause()
		m.outcome = outcome
		t.managed()
	}
}

func (t *transaction) tooLarge(limit int) {
	t.x.Close()
	t.rejectWith(MessageTooLarge, bodyTooLarge(int64(limit)))
}

// wellFormed reports whether a text could be a connection id.
func wellFormed(id []byte) bool {
	var raw [websocket.IDSize]byte
	if len(id) != websocket.IDSize || id[len(id)-1] != '=' {
		return false
	}
	_, err := base64.URLEncoding.Decode(raw[:], id)
	return err == nil
}

// Run implements websocket.Task, on the connection's event loop. The connections
// of other stages are none of the caller's.
func (m *managing) Run(c *websocket.Conn) {
	m.outcome = websocket.Gone
	if c != nil && c.IsOpen() {
		if s, ok := c.Handler().(*session.Session); ok && s.Key() == m.key {
			m.do(s)
		}
	}
	m.wake()
}

// op returns how the payload is sent. On AWS everything is text, and what is no
// UTF-8 is of no use to anybody.
func (m *managing) op() websocket.Opcode {
	if utf8.Valid(m.payload) {
		return websocket.OpText
	}
	return websocket.OpBinary
}

// broadcast sends the payload to all connections of the stage, which AWS does not
// have.
func (m *managing) broadcast() *websocket.Broadcast {
	return &websocket.Broadcast{
		Op: m.op(), Payload: m.payload,
		To: func(c *websocket.Conn) bool {
			s, ok := c.Handler().(*session.Session)
			return ok && s.Key() == m.key && !s.Passed()
		},
		Done: func(sent, lost int) {
			m.outcome = websocket.Sent
			m.info = fmt.Appendf(nil, `{"sent":%d,"lost":%d}`, sent, lost)
			m.wake()
		},
	}
}

func (m *managing) do(s *session.Session) {
	m.outcome = websocket.Sent
	switch m.verb {
	case http1.POST:
		m.outcome = s.Push(m.op(), m.payload)
	case http1.DELETE:
		s.Close(websocket.Normal, "Connection Closed Normally")
	default:
		m.info = connectionInfo(s)
	}
}

// connectionInfo is the answer to a GET.
func connectionInfo(s *session.Session) []byte {
	const format = "2006-01-02T15:04:05.000Z"
	type identity struct {
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent"`
	}
	text, _ := json.Marshal(struct { // which does not fail
		ConnectedAt  string   `json:"connectedAt"`
		Identity     identity `json:"identity"`
		LastActiveAt string   `json:"lastActiveAt"`
	}{at(s.ConnectedAt(), format), identity{s.Client().SourceIP, s.Client().UserAgent}, at(s.LastActiveAt(), format)})
	return text
}

func at(t time.Time, format string) string { return t.UTC().Format(format) }

// managed answers when the connection has been reached.
func (t *transaction) managed() {
	m := t.managing
	t.managing = nil
	switch m.outcome {
	case websocket.Sent:
	case websocket.Slow, websocket.Busy:
		t.reject(ConnectionBusy)
		return
	case websocket.TooLarge:
		t.tooLarge(t.worker.pipeline.sockets.Limits.Message)
		return
	default:
		t.reject(Gone)
		return
	}
	status := 200
	if m.verb == http1.DELETE {
		status = 204
	}
	b := t.startHead(status)
	if len(m.info) > 0 {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	t.answerWhole(b, m.info)
}
