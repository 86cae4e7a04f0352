package websocket

import "sync/atomic"

// Broadcast is something to send to many connections at once.
type Broadcast struct {
	Op      Opcode
	Payload []byte // must not change until Done; a text must be valid UTF-8
	// To chooses connections, each on its event loop.
	To func(*Conn) bool
	// Done is called once, on one of the loops, when it has been sent to all: sent
	// counts those that got it, and lost those that are too slow, which it closed.
	Done func(sent, lost int)

	sent, lost atomic.Int64
	left       atomic.Int64 // loops
}

// Broadcast sends b to all connections that it chooses. Those that a loop has are
// taken a part at a time, so that others get their turn; what else goes to a
// connection meanwhile goes out with it. Any goroutine may call it.
func (h *Hub) Broadcast(b *Broadcast) {
	b.left.Store(int64(len(h.shards)))
	for _, sh := range h.shards {
		w := &walk{Broadcast: b, shard: sh}
		w.goOn = w.step
		if !sh.loop.Post(w.goOn) { // the loop is closed, and its connections with it
			w.end()
		}
	}
}

// walk is a Broadcast on its way through the connections of one loop.
type walk struct {
	*Broadcast
	shard *shard
	next  int // slot
	goOn  func()
}

// step takes some connections. They are written to with the mail, behind what
// other walks have for them by then.
func (w *walk) step() {
	sh := w.shard
	sh.mail.open = true
	sh.enter()
	for n := 0; n < flushBatch && w.next < len(sh.slots); w.next++ {
		c := sh.slots[w.next].conn
		if c == nil || c.phase != phaseOpen || !w.To(c) {
			continue
		}
		n++
		if c.Send(w.Op, w.Payload) == Sent {
			w.sent.Add(1)
		} else {
			w.lost.Add(1)
		}
	}
	sh.mail.open = false
	sh.leave()
	if sh.mail.wanted() {
		sh.loop.Post(sh.mail.goOn)
	}
	if w.next >= len(sh.slots) || !sh.loop.Post(w.goOn) {
		w.end()
	}
}

// end tells when the last loop is done.
func (w *walk) end() {
	if w.left.Add(-1) == 0 {
		w.Done(int(w.sent.Load()), int(w.lost.Load()))
	}
}
