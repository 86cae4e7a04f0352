package websocket

import "sync"

// Reply is told what became of something sent through the Hub: on the
// connection's event loop, or, when that is known at once, on the caller's
// goroutine before the call returns.
type Reply interface {
	Replied(Outcome)
}

// Task is something to do with a connection on its event loop.
type Task interface {
	// Run gets nil if there is no such connection any more.
	Run(*Conn)
}

// mailbox is how other goroutines reach the connections of a loop.
type mailbox struct {
	deliver func() // shard.deliver
	open    bool   // letters are being delivered; of the loop

	mu      sync.Mutex
	letters []letter
	spare   []letter
	posted  bool
}

type letter struct {
	ref     Ref
	op      Opcode
	payload []byte
	reply   Reply // may be nil
	task    Task  // or nil, and it is a message
}

// maxLetters bounds what waits for one loop.
const maxLetters = 1 << 16

// Send sends a message, OpText or OpBinary, to the connection that r names.
// payload must not change until the reply, and a text must be valid UTF-8. reply
// may be nil. Messages of one goroutine to one connection keep their order. Any
// goroutine may call it.
func (h *Hub) Send(r Ref, op Opcode, payload []byte, reply Reply) {
	if outcome := h.mail(letter{ref: r, op: op, payload: payload, reply: reply}); outcome != Sent && reply != nil {
		reply.Replied(outcome)
	}
}

// Do has t run with the connection that r names, after everything that was sent
// to its loop before. It returns Gone or Busy if t will not run at all, and Sent
// otherwise. Any goroutine may call it.
func (h *Hub) Do(r Ref, t Task) Outcome { return h.mail(letter{ref: r, task: t}) }

func (h *Hub) mail(l letter) Outcome {
	if l.ref.instance != h.config.Instance || int(l.ref.loop) >= len(h.shards) {
		return Gone
	}
	sh := h.shards[l.ref.loop]
	m := &sh.mail
	m.mu.Lock()
	if len(m.letters) >= maxLetters {
		m.mu.Unlock()
		return Busy
	}
	m.letters = append(m.letters, l)
	wake := !m.posted
	m.posted = true
	m.mu.Unlock()
	if wake && !sh.loop.Post(m.deliver) { // the loop is closed, and its connections with it
		return Gone
	}
	return Sent
}

// deliver hands out what has come. What it makes connections send goes out
// afterwards, a part at a time, so that others get their turn; what comes for
// the same connection meanwhile goes out with it.
func (sh *shard) deliver() {
	m := &sh.mail
	m.mu.Lock()
	letters := m.letters
	m.letters, m.posted = m.spare[:0], false
	m.mu.Unlock()
	m.open = true
	sh.enter()
	for i := range letters {
		l := &letters[i]
		c := sh.find(l.ref)
		if l.task != nil {
			l.task.Run(c)
			continue
		}
		outcome := Gone
		if c != nil {
			outcome = c.Send(l.op, l.payload)
		}
		if l.reply != nil {
			l.reply.Replied(outcome)
		}
	}
	m.open = false
	sh.leave()
	clear(letters)
	m.mu.Lock()
	m.spare = letters[:0]
	m.mu.Unlock()
	if !sh.later.posted {
		sh.flushLater()
	}
}

// batch is a list of connections that have something to send.
type batch struct {
	conns  []*Conn
	next   int
	posted bool
	goOn   func() // shard.flushLater
}

// flushBatch is how many connections are written to between other events.
const flushBatch = 128

func (b *batch) add(c *Conn) { b.conns = append(b.conns, c) }

func (sh *shard) flushLater() {
	b := &sh.later
	b.posted = false
	for n := 0; n < flushBatch && b.next < len(b.conns); n++ {
		c := b.conns[b.next]
		b.conns[b.next] = nil
		b.next++
		c.flush()
	}
	if b.next == len(b.conns) {
		b.conns, b.next = b.conns[:0], 0
		return
	}
	b.posted = sh.loop.Post(b.goOn)
}
