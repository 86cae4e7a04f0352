package front

import (
	"net/netip"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

type phase uint8

const (
	phaseHead    phase = iota // a head is awaited or incomplete
	phaseServing              // the handler is at work, or its answer is being sent
	phaseDiscard              // answered; what is left of the body is thrown away
	phaseGone                 // the connection is closed
)

type bodyState uint8

const (
	bodyNone    bodyState = iota // there is none, or it is all delivered
	bodyHeld                     // there is one; nobody asked for it
	bodyWanted                   // it is delivered as it comes
	bodyPaused                   // the handler has enough for now
	bodyDiscard                  // it is thrown away as it comes
)

// Exchange is a request and its answer. It is lent to a connection while there
// is one, and its bytes stay valid until Finish, Abort or Gone.
type Exchange struct {
	Request http1.Request
	Handler Handler
	Started int64 // Loop.Now when the head was complete

	conn *Conn

	in      []byte // what was read: the head, then what followed it
	scanned int    // bytes of in looked through for the end of the head
	next    int    // first byte of in not used yet

	chunked   http1.Chunked
	left      int64 // bytes to come of a body with Content-Length
	total     int64 // bytes of the body seen
	received  int64 // bytes of the body since the last rate check
	discarded int64

	held int64  // bytes accounted for besides out
	out  []byte // what the client has not taken yet

	phase    phase
	body     bodyState
	finished bool
	closing  bool // the connection ends with this exchange
	broken   bool // the request could not be read, and more of it may be coming
	running  bool
}

// Loop returns the exchange's event loop.
func (x *Exchange) Loop() *loop.Loop { return x.conn.front.Loop }

// Remote returns the client's address; it is invalid for Unix sockets.
func (x *Exchange) Remote() netip.AddrPort { return x.conn.remote }

// Denied reports whether the source is kept out: see Config.
func (x *Exchange) Denied() bool { return x.conn.denied }

// Listener returns the name of the listener the request came in by.
func (x *Exchange) Listener() string { return x.conn.listener.Name }

// Endpoint returns the endpoint id of the private listener that the request came
// in by, empty for a public one.
func (x *Exchange) Endpoint() string { return x.conn.listener.Endpoint }

// Port returns the port the request came in by, or "" for Unix sockets.
func (x *Exchange) Port() string { return x.conn.listener.port }

// IsTLS reports whether the request came over TLS.
func (x *Exchange) IsTLS() bool { return x.conn.IsTLS() }

// Stream gives access to the connection's TLS state.
func (x *Exchange) Stream() *loop.Stream { return &x.conn.Stream }

// reset makes the exchange ready for the next connection.
func (x *Exchange) reset() {
	x.conn.front.buffered -= int64(len(x.out))
	x.nextRequest()
	x.conn = nil
	x.in = x.in[:0]
	if cap(x.in) > keptBuffer {
		x.in = make([]byte, 0, inBuffer)
	}
	x.out = x.out[:0]
	if cap(x.out) > keptBuffer {
		x.out = nil
	}
	x.running = false
}

func (x *Exchange) nextRequest() {
	x.conn.front.buffered -= x.held
	x.held = 0
	x.scanned, x.next = 0, 0
	x.chunked = http1.Chunked{}
	x.left, x.total, x.received, x.discarded = 0, 0, 0, 0
	x.phase, x.body, x.finished, x.closing, x.broken = phaseHead, bodyNone, false, false, false
}

// makeRoom makes space to read a head, or the requests after it, into.
func (x *Exchange) makeRoom() bool {
	if len(x.in) < cap(x.in) {
		return true
	}
	limit := x.conn.front.config.Limits.Max()
	if x.phase != phaseHead || len(x.in) >= limit {
		return false
	}
	size := min(4*cap(x.in), limit+1)
	if !x.Hold(size) {
		return false
	}
	grown := make([]byte, len(x.in), size)
	copy(grown, x.in)
	x.in = grown
	return true
}

// Hold accounts for n more bytes that are kept until the request is answered.
// It is false when the host has no more to give.
func (x *Exchange) Hold(n int) bool {
	f := x.conn.front
	if f.buffered+int64(n) > f.config.LoopBuffer {
		return false
	}
	x.held += int64(n)
	f.buffered += int64(n)
	return true
}

// run gets on with what has been read, as far as it goes.
func (x *Exchange) run() {
	if x.running {
		return
	}
	x.running = true
	c := x.conn
	for x.step() {
	}
	x.running = false
	if x.phase == phaseGone {
		c.front.giveBack(c)
		return
	}
	if x.phase == phaseHead && len(x.in) == 0 && c.x == x && !c.lingering {
		c.idle()
	}
}

// idle gives the exchange back between requests.
func (c *Conn) idle() {
	c.front.giveBack(c)
	if c.ended || c.front.draining {
		c.shut()
		return
	}
	c.served = true
	if c.rest > 0 {
		c.Pause()
		c.deadline(c.rest)
		return
	}
	c.SetDeadline(c.front.Loop.Coarse() + int64(c.front.shorter(c.front.config.Idle)))
	c.resume()
}

// step does one thing and reports whether another may follow.
func (x *Exchange) step() bool {
	switch {
	case x.phase == phaseHead:
		return x.readHead()
	case x.phase == phaseServing && x.finished:
		return x.answered()
	case x.body == bodyWanted || x.body == bodyDiscard:
		if x.next == len(x.in) {
			return false
		}
		x.deliver()
		return true
	}
	return false
}

func (x *Exchange) readHead() bool {
	config := &x.conn.front.config
	n := http1.HeadEnd(x.in, x.scanned)
	if n == 0 {
		x.scanned = len(x.in)
		if len(x.in) >= config.Limits.Max() {
			x.start()
			x.Request.Reset()
			x.refuse(http1.OversizedHead(x.in, config.Limits))
			return true
		}
		return false
	}
	x.next = n
	x.start()
	fault := x.Request.Parse(x.in[:n:n], config.Limits)
	r := &x.Request
	if fault == 0 && r.ContentLength > config.Body {
		fault = http1.FaultBodySize
	}
	if fault != 0 {
		x.refuse(fault)
		return true
	}
	if r.HasBody() {
		x.body = bodyHeld
		x.left = r.ContentLength
	}
	x.Handler.Serve()
	return true
}

// refuse has the handler answer a request that cannot be read.
func (x *Exchange) refuse(f http1.Fault) {
	x.closing, x.broken = true, true
	x.Handler.Refuse(f)
}

func (x *Exchange) start() {
	x.phase = phaseServing
	x.Started = x.Loop().Now()
	x.conn.SetDeadline(0)
}

// KeepAlive reports, before the head of the answer is written, whether the
// connection may serve another request after it, and makes it so.
func (x *Exchange) KeepAlive() bool {
	if !x.Request.KeepAlive || x.conn.front.draining || x.conn.front.word.Closes() || x.conn.ended && x.next == len(x.in) {
		x.closing = true
	}
	if x.body != bodyNone { // the rest of it would be in the way
		waits := x.Request.ExpectContinue && x.body == bodyHeld
		if waits || x.left > discardLimit {
			x.closing = true
		}
	}
	return !x.closing
}

// Rest has the connection not read again for a time after the answer, so that what
// the client sends before costs nothing. Trusted proxies, by whose connections
// others come too, are read all the same.
func (x *Exchange) Rest(d time.Duration) {
	c := x.conn
	if exempt := c.front.config.Exempt; exempt == nil || !exempt(c.remote.Addr()) {
		c.rest = d
	}
}

// Close has the connection closed after the answer. Call it before KeepAlive.
func (x *Exchange) Close() { x.closing = true }

// answered goes on after a finished answer.
func (x *Exchange) answered() bool {
	if len(x.out) > 0 || x.conn.Unsent() > 0 {
		return false // flush comes back
	}
	c := x.conn
	if x.closing {
		if x.body == bodyNone && x.next == len(x.in) && !x.broken {
			c.shut()
		} else {
			c.linger()
			x.phase = phaseDiscard
			x.body = bodyNone
		}
		return false
	}
	if x.body != bodyNone {
		x.body = bodyDiscard
		x.phase = phaseDiscard
		c.resume()
		c.deadline(bodyGrace)
		return true
	}
	x.following()
	return true
}

// following moves what was read after a request to the front of the buffer.
func (x *Exchange) following() {
	x.in = x.in[:copy(x.in, x.in[x.next:])]
	if len(x.in) == 0 && cap(x.in) > keptBuffer {
		x.in = make([]byte, 0, inBuffer)
	}
	x.nextRequest()
	if len(x.in) > 0 {
		x.conn.deadline(x.conn.front.shorter(x.conn.front.config.Head))
	}
	if x.conn.Paused() && !x.conn.ended {
		x.conn.resume()
	}
}
