package websocket_test

import (
	"fmt"
	"testing"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestBroadcast: everybody who is chosen gets what is sent, in order, and nobody
// else does.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.loops = 2 })
	const each, rounds = 400, 5
	var clients []*wstest.Client
	chosen := map[*websocket.Conn]bool{}
	for i := range each {
		c, x := s.connect()
		clients = append(clients, c)
		chosen[&x.Conn] = i%2 == 0
	}
	type counts struct{ sent, lost int }
	done := make(chan counts, rounds)
	for i := range rounds {
		s.hub.Broadcast(&websocket.Broadcast{
			Op: websocket.OpText, Payload: fmt.Appendf(nil, "round %d", i), To: func(c *websocket.Conn) bool { return chosen[c] },
			Done: func(sent, lost int) { done <- counts{sent, lost} },
		})
	}
	for range rounds {
		if c := <-done; c.sent != each/2 || c.lost != 0 {
			t.Errorf("%+v", c)
		}
	}
	for i, c := range clients {
		if i%2 == 0 {
			for n := range rounds {
				expect(t, c, wstest.T(fmt.Sprintf("round %d", n)))
			}
		}
		say(t, c, wstest.T("echo"))
		expect(t, c, wstest.T("echo"))
	}
}
