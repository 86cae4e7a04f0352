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
	mu      sync.Mutex
	letters []letter
	posted  bool // deliver will run

	// Of the loop:
	hand  []letter // being delivered
	next  int      // of them
	open  bool     // one is being delivered
	later batch    // connections that have something to send from it
	goOn  func()   // shard.deliver
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
	if wake && !sh.loop.Post(m.goOn) {
		sh.refuse()
	}
	return Sent
}

// refuse answers what has come for a loop that is closed.
func (sh *shard) refuse() {
	m := &sh.mail
	m.mu.Lock()
	letters := m.letters
	m.letters, m.posted = nil, false
	m.mu.Unlock()
	for i := range letters {
		letters[i].give(nil)
	}
}

// batch is a list of connections that have something to send.
type batch struct {
	conns []*Conn
	next  int
}

// flushBatch is how many connections are written to between other events.
const flushBatch = 32

func (b *batch) add(c *Conn) { b.conns = append(b.conns, c) }

// flush writes to some, and reports whether there are more.
func (b *batch) flush() bool {
	for n := 0; n < flushBatch && b.next < len(b.conns); n++ {
		c := b.conns[b.next]
		b.conns[b.next] = nil
		b.next++
		c.flush()
	}
	if b.next < len(b.conns) {
		return true
	}
	b.conns, b.next = b.conns[:0], 0
	return false
}

// deliver hands out some of what has come, and has it sent. When there are more
// letters than connections, some connection gets several: they are all handed
// out first, and go out together.
func (sh *shard) deliver() {
	m := &sh.mail
	more := m.later.flush()
	if !more {
		if m.next == len(m.hand) {
			m.swap()
		}
		letters := m.hand[m.next:]
		if len(letters) <= sh.taken {
			letters = letters[:min(len(letters), flushBatch)]
		}
		m.next += len(letters)
		m.open = true
		sh.enter()
		for i := range letters {
			letters[i].give(sh.find(letters[i].ref))
		}
		m.open = false
		sh.leave()
		clear(letters)
		more = m.later.flush() || m.next < len(m.hand)
	}
	if more || !m.rest() {
		sh.loop.Post(m.goOn)
	}
}

// give gives the letter to the connection it is for, or says that there is none.
func (l *letter) give(c *Conn) {
	if l.task != nil {
		l.task.Run(c)
		return
	}
	outcome := Gone
	if c != nil {
		outcome = c.Send(l.op, l.payload)
	}
	if l.reply != nil {
		l.reply.Replied(outcome)
	}
}

// swap takes what has come into hand.
func (m *mailbox) swap() {
	m.mu.Lock()
	m.hand, m.letters = m.letters, m.hand[:0]
	m.mu.Unlock()
	m.next = 0
}

// wanted begins a delivery of what waits to be sent, and reports whether the
// caller has to post it.
func (m *mailbox) wanted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.posted || len(m.later.conns) == 0 {
		return false
	}
	m.posted = true
	return true
}

// rest ends the delivery if nothing has come meanwhile.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.posted = len(m.letters) > 0
	return !m.posted
}
