package session

import (
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// Caller is told what the integration of $connect said, on the event loop and
// perhaps before Connect returns.
type Caller interface {
	Connected(Reply)
}

// Reply is what the integration of $connect said.
type Reply struct {
	Status   int     // of its answer; from 200 to 299 the client may connect
	Protocol []byte  // the subprotocol it chose, nil if none; valid during the call
	Failure  Failure // 0 if it answered

	Latency int64 // nanoseconds; -1 if it was not called
}

// protocolField carries the subprotocol.
const protocolField = "sec-websocket-protocol"

// Connect asks the integration of $connect, which the stage must have. request
// and edge have to hold still until the caller is told, or Cancel.
func (s *Session) Connect(stage *deploy.Stage, request *http1.Request, edge *proxy.Edge, caller Caller) {
	m := s.worker.take(s, stage, eventConnect)
	m.route, m.head, m.edge, m.caller = stage.Sockets.OnConnect, request, edge, caller
	s.asked = m
	m.count(telemetry.SocketConnect)
	m.call(nil)
}

// Cancel ends a session that is not open yet: the client has gone.
func (s *Session) Cancel() {
	if m := s.asked; m != nil {
		s.asked, m.caller, m.head, m.edge = nil, nil, nil, nil
		if m.route.Kind == deploy.RouteHTTP {
			m.upcall.Cancel()
			m.done()
		}
	}
	s.Abandon()
}

// connected tells the caller what the integration said.
func (m *message) connected() {
	r := Reply{Status: m.status}
	if m.route.Kind == deploy.RouteHTTP {
		h := &m.upcall.Response.Headers
		for i := range h.Len() {
			if http1.EqualFold(h.Name(i), protocolField) {
				r.Protocol = h.Value(i)
			}
		}
	} else if len(m.request) > 0 {
		r.Protocol = m.request
	}
	m.reply(r)
}

func (m *message) reply(r Reply) {
	r.Latency = m.latency
	caller := m.caller
	if caller != nil {
		m.session.asked = nil
		m.caller = nil
		caller.Connected(r)
	}
	m.done()
}

// disconnect tells the integration of $disconnect, if there is one, that the
// connection has ended. Nobody waits for it.
func (s *Session) disconnect(stage *deploy.Stage, end websocket.End) {
	route := stage.Sockets.OnDisconnect
	if route == nil {
		return
	}
	m := s.worker.take(s, stage, eventDisconnect)
	m.route, m.end = route, end
	m.reason = append(m.reason[:0], end.Reason...)
	m.call(nil)
}
