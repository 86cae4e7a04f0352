package dataplane

import (
	"fmt"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/session"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// Connections implements control.Gateway.
func (g *Gateway) Connections() control.Connections { return connections{g.hub} }

// connections are the WebSocket connections of the gateway, as an operator sees
// them.
type connections struct{ hub *websocket.Hub }

// List implements control.Connections.
func (c connections) List(f control.ConnectionFilter, cursor string, limit int) (list []control.Connection, next string, err error) {
	var from websocket.Place
	if cursor != "" {
		if n, err := fmt.Sscanf(cursor, "%d.%d", &from.Loop, &from.Slot); n != 2 || err != nil || from.Loop < 0 || from.Slot < 0 {
			return nil, "", fmt.Errorf("%q is no cursor of a list", cursor)
		}
	}
	place, more := c.hub.Walk(from, func(conn *websocket.Conn) bool {
		if s := passes(f, conn); s != nil {
			list = append(list, describe(s))
		}
		return len(list) < limit
	})
	if more {
		next = fmt.Sprintf("%d.%d", place.Loop, place.Slot)
	}
	return list, next, nil
}

// Totals implements control.Connections.
func (c connections) Totals(f control.ConnectionFilter) (t control.ConnectionTotals) {
	c.hub.Each(func(conn *websocket.Conn) {
		if s := passes(f, conn); s != nil {
			in, out := s.Messages()
			t.Open++
			t.MessagesIn += uint64(in)
			t.MessagesOut += uint64(out)
			t.Queued += s.Queued()
		}
	})
	return t
}

// passes returns the session of a connection that a filter lets pass, or nil.
func passes(f control.ConnectionFilter, conn *websocket.Conn) *session.Session {
	s, ok := conn.Handler().(*session.Session)
	if !ok || !conn.IsOpen() {
		return nil
	}
	if key := s.Key(); f.APIID != "" && f.APIID != key.APIID || f.Stage != "" && f.Stage != key.Stage {
		return nil
	}
	return s
}

func describe(s *session.Session) control.Connection {
	in, out := s.Messages()
	return control.Connection{
		ID: string(s.ID(nil)), APIID: s.Key().APIID, Stage: s.Key().Stage, SourceIP: s.Client().SourceIP, UserAgent: s.Client().UserAgent,
		ConnectedAt: s.ConnectedAt(), LastActiveAt: s.LastActiveAt(), MessagesIn: uint64(in), MessagesOut: uint64(out), Queued: s.Queued(),
	}
}

// Close implements control.Connections.
func (c connections) Close(id string) error {
	return c.reach(id, func(s *session.Session) websocket.Outcome {
		s.Close(websocket.Normal, "")
		return websocket.Sent
	})
}

// Send implements control.Connections.
func (c connections) Send(id, text string) error {
	op := websocket.OpText
	if !utf8.ValidString(text) {
		op = websocket.OpBinary
	}
	return c.reach(id, func(s *session.Session) websocket.Outcome { return s.Push(op, []byte(text)) })
}

// reach does something with the session of an id, on its event loop, and waits
// for it.
func (c connections) reach(id string, do func(*session.Session) websocket.Outcome) error {
	ref, ok := c.hub.Parse([]byte(id))
	if !ok {
		return control.ErrConnectionGone
	}
	t := &task{do: do, done: make(chan websocket.Outcome, 1)}
	outcome := c.hub.Do(ref, t)
	if outcome == websocket.Sent {
		outcome = <-t.done
	}
	switch outcome {
	case websocket.Sent:
		return nil
	case websocket.Slow, websocket.Busy:
		return control.ErrConnectionBusy
	case websocket.TooLarge:
		return control.ErrMessageTooLarge
	}
	return control.ErrConnectionGone
}

// task is what reach does.
type task struct {
	do   func(*session.Session) websocket.Outcome
	done chan websocket.Outcome
}

// Run implements websocket.Task.
func (t *task) Run(c *websocket.Conn) {
	outcome := websocket.Gone
	if c != nil {
		if s, ok := c.Handler().(*session.Session); ok {
			outcome = t.do(s)
		}
	}
	t.done <- outcome
}
