package front

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/overload"
)

// Front serves the clients of one event loop. Its methods must be called on
// that loop, unless they say otherwise.
type Front struct {
	Loop *loop.Loop

	config     Config
	newHandler func(*Exchange) Handler
	spare      []*Exchange
	conns      Conn // head of the list of open connections
	draining   bool
	closed     bool // nothing more is accepted
	buffered   int64
	word       overload.Word // as of the last tick
	hurried    *Conn         // the next to look at; nil: the first
	sources    sources       // of the loop that accepts

	open     atomic.Int64
	accepted atomic.Int64
	held     atomic.Int64
	refused  [numRefusals]atomic.Int64
	relieved atomic.Int64
}

// New returns a Front whose exchanges get their handlers from newHandler, once
// for many requests.
func New(l *loop.Loop, config Config, newHandler func(*Exchange) Handler) *Front {
	f := &Front{Loop: l, config: config, newHandler: newHandler}
	f.conns.next, f.conns.prev = &f.conns, &f.conns
	l.OnTick(func(now int64) {
		f.held.Store(f.buffered)
		f.relieve(now)
	})
	return f
}

// SetConfig changes the bounds for what comes next.
func (f *Front) SetConfig(c Config) { f.config = c }

// Open returns the connections open now. Any goroutine may call it.
func (f *Front) Open() int64 { return f.open.Load() }

// Accepted returns the connections ever accepted. Any goroutine may call it.
func (f *Front) Accepted() int64 { return f.accepted.Load() }

// Buffered returns the bytes held for clients, as of the last tick. Any
// goroutine may call it.
func (f *Front) Buffered() int64 { return f.held.Load() }

// Retire has every connection closed after its next answer. Idle ones stay, for
// their next request may be on its way.
func (f *Front) Retire() { f.draining = true }

// Drain closes idle connections and has every other closed after its answer.
func (f *Front) Drain() {
	f.draining, f.closed = true, true
	f.each(func(c *Conn) {
		if c.x == nil || c.x.phase == phaseHead && len(c.x.in) == 0 {
			c.shut()
		}
	})
}

// CloseAll cuts every connection.
func (f *Front) CloseAll() { f.each((*Conn).shut) }

func (f *Front) each(do func(*Conn)) {
	for c := f.conns.next; c != &f.conns; {
		next := c.next
		do(c)
		c = next
	}
}

func (f *Front) link(c *Conn) {
	c.prev, c.next = f.conns.prev, &f.conns
	c.prev.next, f.conns.prev = c, c
	f.open.Add(1)
	c.listener.open.Add(1)
}

func (f *Front) unlink(c *Conn) {
	if f.hurried == c {
		f.hurried = c.next
	}
	c.source.leave()
	c.prev.next, c.next.prev = c.next, c.prev
	c.prev, c.next = nil, nil
	f.open.Add(-1)
	c.listener.open.Add(-1)
}

// borrow takes an exchange for a connection that has something to read.
func (f *Front) borrow(c *Conn) *Exchange {
	var x *Exchange
	if n := len(f.spare); n > 0 {
		x = f.spare[n-1]
		f.spare = f.spare[:n-1]
	} else {
		x = &Exchange{in: make([]byte, 0, inBuffer)}
		x.Handler = f.newHandler(x)
	}
	x.conn = c
	c.x = x
	return x
}

// maxSpare bounds the exchanges kept for later on one loop.
const maxSpare = 512

func (f *Front) giveBack(c *Conn) {
	x := c.x
	c.x = nil
	x.reset()
	if len(f.spare) < maxSpare {
		f.spare = append(f.spare, x)
	}
}
