package upstream

import (
	"crypto/tls"
	"net"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

type connState uint8

const (
	connConnecting connState = iota // TCP, then TLS
	connActive                      // a call is on it
	connIdle
	connClosed
)

// maxInterim bounds the 1xx answers before the final one.
const maxInterim = 8

// conn is one connection to a target.
type conn struct {
	loop.Stream
	pool *pool
	call *Call

	in  []byte // a head that has not come whole
	out []byte // what the socket has not taken

	left      int64 // bytes to come, with Content-Length
	received  int64 // bytes of the body
	chunked   http1.Chunked
	framing   framing
	state     connState
	headDone  bool
	keepAlive bool
	interim   uint8
}

type framing uint8

const (
	framingNone framing = iota
	framingLength
	framingChunked
	framingClose
)

// begin puts a call on a connection that is ready.
func (c *conn) begin(call *Call) {
	c.state, c.call = connActive, call
	c.headDone, c.interim, c.received = false, 0, 0
	c.chunked = http1.Chunked{}
	call.conn = c
	c.SetDeadline(call.Deadline)
	c.send(call.request)
	if c.call == call && !call.complete && call.Unsent() == 0 {
		call.Receiver.Drained() // it may have waited for the connection
	}
}

// send writes what the socket takes and keeps the rest.
func (c *conn) send(data []byte) {
	n := 0
	if len(c.out) == 0 {
		var err error
		if n, err = c.Write(data); err != nil && err != loop.ErrWouldBlock {
			// The answer, or the end of the stream, tells what happened.
			if !c.HasInput() {
				c.lost()
			}
			return
		}
	}
	if n < len(data) {
		c.out = append(c.out, data[n:]...)
	}
	if len(c.out) > 0 || c.Unsent() > 0 {
		c.WantWrite(true)
	}
}

// OnWritable implements loop.Events.
func (c *conn) OnWritable() {
	switch {
	case c.state == connConnecting && !c.IsTLS():
		c.connected()
	case c.state == connActive:
		c.flush()
	}
}

func (c *conn) flush() {
	if c.Flush() != nil {
		c.lost()
		return
	}
	if c.Unsent() == 0 && len(c.out) > 0 {
		n, err := c.Write(c.out)
		if err != nil && err != loop.ErrWouldBlock {
			c.lost()
			return
		}
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	if len(c.out) == 0 && c.Unsent() == 0 {
		c.WantWrite(false)
		if c.call != nil {
			c.call.Receiver.Drained()
		}
	}
}

func (c *conn) connected() {
	if c.Connected() != nil {
		c.refused()
		return
	}
	g, l := c.pool.lane.group, c.pool.lane.loop
	g.store.Opened[l.ID].add(1)
	if g.tls != nil {
		c.StartTLS(func(under net.Conn) *tls.Conn { return tls.Client(under, g.tls) }, func(err error) {
			if !c.IsOpen() || c.state != connConnecting {
				return
			}
			if err != nil {
				c.refused()
				return
			}
			c.begin(c.call)
		})
		return
	}
	c.begin(c.call)
}

// refused ends a connection that did not come about.
func (c *conn) refused() {
	c.failElsewhere(Refused)
}

// failElsewhere ends the connection, and sends the call on it to another target if
// that may be.
func (c *conn) failElsewhere(f Failure) {
	if call := c.abandon(); call != nil {
		call.blame(f)
		call.elsewhere(f)
	}
}

// OnReadable implements loop.Events.
func (c *conn) OnReadable() {
	switch c.state {
	case connConnecting:
		if c.IsTLS() {
			c.FeedHandshake()
		}
		return
	case connIdle: // nothing was asked
		c.close()
		return
	}
	c.BeginRead()
	for c.state == connActive && !c.Paused() {
		n, err := c.readOnce()
		if err != nil || n < loop.ReadBufferSize && !c.IsTLS() {
			return
		}
	}
}

// readOnce reads and uses what came.
func (c *conn) readOnce() (int, error) {
	buf := c.Loop().ReadBuffer
	n, err := c.Read(buf)
	switch {
	case err == loop.ErrWouldBlock:
		return 0, err
	case err != nil:
		c.lost()
		return 0, err
	case n == 0:
		c.ended()
		return 0, loop.ErrClosed
	}
	c.take(buf[:n])
	return n, nil
}

// OnHangup implements loop.Events: the backend closed its end. What it sent
// before is used first.
func (c *conn) OnHangup() {
	switch c.state {
	case connIdle:
		c.close()
	case connConnecting:
		if c.Handshaking() {
			c.FeedHandshake()
			return
		}
		if c.Connected() == nil { // it came about, and ended at once
			c.failElsewhere(NoAnswer)
			return
		}
		c.refused()
	case connActive:
		c.BeginRead()
		for c.state == connActive && !c.Paused() {
			if _, err := c.readOnce(); err == loop.ErrWouldBlock {
				c.lost()
			} else if err != nil {
				return
			}
		}
	}
}

// resume reads again after a pause. Neither a hang-up nor bytes that TLS has
// decrypted make another event.
func (c *conn) resume() {
	c.Resume()
	if c.HungUp() || c.IsTLS() {
		c.Loop().Post(func() {
			if c.state != connActive || c.Paused() {
				return
			}
			if c.HungUp() {
				c.OnHangup()
			} else {
				c.OnReadable()
			}
		})
	}
}

// OnDeadline implements loop.Events.
func (c *conn) OnDeadline(now int64) {
	if c.state == connConnecting && c.call != nil && now < c.call.Deadline {
		c.failElsewhere(ConnectTimeout)
		return
	}
	c.fail(Timeout)
}

// lost ends a connection that broke.
func (c *conn) lost() {
	call := c.abandon()
	switch {
	case call == nil:
	case call.begun:
		call.settle(Truncated)
		call.fail(Truncated)
	case c.mayRetry(call):
		ln := c.pool.lane
		ln.group.store.Retried[ln.loop.ID].add(1)
		call.drop()
		call.retried = true
		call.tries-- // it is the same one again
		ln.send(call, c.pool)
	case len(c.in) > 0 || c.interim > 0:
		call.settle(NoAnswer)
		call.fail(NoAnswer)
	default:
		call.settle(NoAnswer)
		call.elsewhere(NoAnswer)
	}
}

// mayRetry reports whether a call on a connection that broke can be sent again:
// the backend had closed a used connection, most likely, when we wrote. Not a
// byte of an answer has come, and doing it twice does no harm.
func (c *conn) mayRetry(call *Call) bool {
	return call.reused && !call.retried && call.complete && call.request != nil && call.Verb.Idempotent() &&
		len(c.in) == 0 && c.interim == 0
}

// fail ends the connection, and the call on it if there is one.
func (c *conn) fail(f Failure) {
	if call := c.abandon(); call != nil {
		call.blame(f)
		call.fail(f)
	}
}

// abandon closes the connection and returns the call that was on it, or nil.
func (c *conn) abandon() *Call {
	call := c.call
	if call != nil {
		c.call, call.conn = nil, nil
	}
	c.close()
	return call
}

func (c *conn) close() {
	if c.state == connClosed {
		return
	}
	c.Close()
	p := c.pool
	was := c.state
	c.state = connClosed
	p.closed(c, was == connIdle)
}
