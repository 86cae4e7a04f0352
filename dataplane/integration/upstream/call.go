package upstream

import (
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// Receiver is told what becomes of a Call, on the call's event loop. After
// Receive with last, or Failed, the call is over and may be started again.
type Receiver interface {
	// Receive brings the answer: first with the head, in Call.Response, and each
	// time with body bytes, decoded, which are valid during the call.
	Receive(first bool, body []byte, last bool)
	// Failed ends a call that went wrong. If Receive came before, the failure is
	// within the body.
	Failed(Failure)
	// Drained says that all of the request given so far has been sent.
	Drained()
}

// Call is one request to a group and its answer. The zero Call with Receiver,
// Verb, Deadline and MaxBody set can be started; its methods must be called on
// its event loop.
type Call struct {
	Receiver   Receiver
	Verb       http1.Verb
	Deadline   int64 // Loop.Now by which the whole answer must be there
	MaxBody    int64 // bytes of the answer's body
	Cap        *Cap  // besides those of the API; nil for none
	Response   http1.Response
	RetryAfter int64 // nanoseconds; after Failed(Open)

	lane     *lane
	pool     *pool // of the target that is asked
	conn     *conn
	request  []byte
	complete bool // request is all of it
	retried  bool // on a fresh connection
	reused   bool
	waits    bool
	begun    bool // the answer has begun
	admitted bool
	trial    bool   // of a target
	epoch    uint32 // of the target when the call was sent
	tries    uint8
	tried    [maxTries]*Target
	left     int64 // nanoseconds to the deadline, while paused
	buffered int64 // bytes counted for the API

	previous, next *Call // in the queue
}

// Start sends request, the bytes of a head and perhaps a body. Unless complete,
// Send follows. request must stay as it is until the answer begins or the call
// fails, for it may have to be sent again.
func (c *Call) Start(l *loop.Loop, g *Group, request []byte, complete bool) {
	ln := &g.lanes[l.ID]
	c.lane, c.request, c.complete = ln, request, complete
	c.pool, c.conn, c.retried, c.reused, c.waits, c.begun, c.trial, c.tries = nil, nil, false, false, false, false, false, 0
	if !g.api.admit(c, l.ID) {
		c.Receiver.Failed(Busy)
		return
	}
	g.api.budgets[l.ID].request(l.Coarse())
	ln.start(c)
}

// Send sends more of the request, framed as its head announced. It must not be
// called while Unsent is large; data is not kept.
func (c *Call) Send(data []byte, last bool) {
	c.complete = last
	if c.conn != nil && c.conn.state == connActive {
		c.request = nil // gone on the wire: no second try
		c.conn.send(data)
		return
	}
	c.request = append(c.request, data...)
}

// Unsent returns the bytes of the request that have not been sent.
func (c *Call) Unsent() int {
	if c.conn == nil || c.conn.state != connActive {
		return len(c.request)
	}
	return len(c.conn.out) + c.conn.Unsent()
}

// Pause stops Receive until Resume: the receiver has enough for now. The time
// until then does not count towards the deadline.
func (c *Call) Pause() {
	if c.conn != nil && !c.conn.Paused() {
		c.left = c.conn.Deadline() - c.lane.loop.Now()
		c.conn.SetDeadline(0)
		c.conn.Pause()
	}
}

// Resume undoes Pause.
func (c *Call) Resume() {
	if c.conn != nil && c.conn.Paused() {
		c.conn.SetDeadline(c.lane.loop.Now() + max(c.left, 1))
		c.conn.resume()
	}
}

// Extend moves the deadline.
func (c *Call) Extend(at int64) {
	c.Deadline = at
	if c.conn != nil && c.conn.state == connActive && !c.conn.Paused() {
		c.conn.SetDeadline(at)
	}
}

// Active reports whether the call has been started and is not over.
func (c *Call) Active() bool { return c.conn != nil || c.waits }

// Cancel ends the call without a word.
func (c *Call) Cancel() {
	if c.waits {
		c.lane.forget(c)
	}
	if c.conn != nil {
		c.conn.abandon()
		if c.begun {
			c.settle(c.verdict())
		} else {
			c.drop()
		}
	}
	c.leave()
}

func (c *Call) fail(f Failure) {
	c.conn = nil
	c.leave()
	c.Receiver.Failed(f)
}

func (c *Call) leave() {
	if c.admitted {
		c.lane.group.api.leave(c, c.lane.loop.ID)
	}
}
