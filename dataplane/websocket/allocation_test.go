package websocket_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestSteadyStateDoesNotAllocate: neither does receiving and sending a small
// message, from the socket to the socket, nor sending one by id, nor passing one
// through.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	if websocket.UnderRace {
		t.Skip("the race detector allocates")
	}
	frame := wstest.Bytes(wstest.T("a small message of forty bytes, or so ..."))
	answer := make([]byte, len(frame)-4)
	s := newServer(t)
	c, x := s.connect()
	ref, _ := s.hub.Parse([]byte(x.text))
	payload := []byte("a small message of forty bytes, or so ...")
	o := make(outcome, 1)
	var reply websocket.Reply = o
	push := func() {
		s.hub.Send(ref, websocket.OpText, payload, reply)
		if r := <-o; r != websocket.Sent {
			t.Fatalf("outcome %d", r)
		}
		if _, err := io.ReadFull(c.Conn, answer[:2+len(payload)]); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		push()
	}
	if n := testing.AllocsPerRun(200, push); n != 0 {
		t.Errorf("by id: %v allocations", n)
	}
	through := newServer(t, passTo(s.addr))
	for _, tc := range []struct {
		name, addr string
		frames     int // said at once
	}{{"echo", s.addr, 1}, {"pass-through", through.addr, 1}, {"pass-through of several", through.addr, 5}} {
		frame, answer := bytes.Repeat(frame, tc.frames), bytes.Repeat(answer, tc.frames)
		c, err := wstest.Dial(tc.addr, "/")
		if err != nil {
			t.Fatal(err)
		}
		echo := func() {
			if _, err := c.Write(frame); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c.Conn, answer); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			echo()
		}
		if n := testing.AllocsPerRun(200, echo); n != 0 {
			t.Errorf("%s: %v allocations", tc.name, n)
		}
		c.Close()
	}
}
