package front

import "github.com/tidegate/tidegate/dataplane/loop"

// Write sends a and then b, bytes of the answer as they go over the wire. What
// the client does not take at once is kept; see Unsent. Nothing is kept of a
// and b themselves.
func (x *Exchange) Write(a, b []byte) {
	c := x.conn
	if x.phase == phaseGone {
		return
	}
	if len(x.out) == 0 {
		n, err := c.Write2(a, b)
		if err != nil && err != loop.ErrWouldBlock {
			c.breakOff()
			return
		}
		if n == len(a)+len(b) {
			if c.Unsent() > 0 {
				x.waitToSend()
			}
			return
		}
		if n < len(a) {
			a = a[n:]
		} else {
			a, b = nil, b[n-len(a):]
		}
	}
	f := c.front
	before := len(x.out)
	x.out = append(append(x.out, a...), b...)
	f.buffered += int64(len(x.out) - before)
	if len(x.out) > f.config.ConnectionBuffer || f.buffered > f.config.LoopBuffer {
		c.breakOff()
		return
	}
	x.waitToSend()
}

// breakOff gives a connection up from within a call of the handler's, which
// hears of it later.
func (c *Conn) breakOff() {
	x := c.x
	c.front.Loop.Post(func() {
		if c.x == x && c.IsOpen() {
			c.shut()
		}
	})
}

func (x *Exchange) waitToSend() {
	x.conn.WantWrite(true)
	x.conn.deadline(x.conn.front.shorter(x.conn.front.config.Send))
}

// Unsent returns the bytes of the answer that the client has not taken. A
// handler with more to say waits for Drained when they become many.
func (x *Exchange) Unsent() int { return len(x.out) + x.conn.Unsent() }

// flush sends what waits.
func (x *Exchange) flush() {
	c := x.conn
	before := x.Unsent()
	if err := c.Flush(); err != nil {
		c.shut()
		return
	}
	if c.Unsent() == 0 && len(x.out) > 0 {
		n, err := c.Write(x.out)
		if err != nil && err != loop.ErrWouldBlock {
			c.shut()
			return
		}
		x.out = x.out[:copy(x.out, x.out[n:])]
		c.front.buffered -= int64(n)
	}
	left := x.Unsent()
	if left > 0 {
		if left < before {
			c.deadline(c.front.shorter(c.front.config.Send))
		}
		return
	}
	c.WantWrite(false)
	c.SetDeadline(0)
	if x.finished {
		x.run()
		return
	}
	if x.body == bodyWanted {
		c.deadline(bodyGrace)
	}
	x.Handler.Drained()
}

// Finish says that the answer has been written whole.
func (x *Exchange) Finish() {
	if x.phase == phaseGone {
		return
	}
	x.finished = true
	x.run()
}

// Abort cuts the connection: the answer cannot be completed, and the client
// must see that.
func (x *Exchange) Abort() {
	if x.phase == phaseGone {
		return
	}
	x.finished = true
	x.conn.shut()
}

// Takeover takes the connection away from the front, for protocols that begin
// with a request. The caller owns the stream from now on and gets its events;
// early is what the client sent after the head. The exchange's bytes are valid
// until the caller returns to the event loop.
func (x *Exchange) Takeover(events loop.Events) (s *loop.Stream, early []byte) {
	c := x.conn
	early = append([]byte(nil), x.in[x.next:]...)
	c.SetDeadline(0)
	c.SetEvents(events)
	c.taken = true
	c.front.unlink(c)
	x.phase, x.finished = phaseGone, true
	if !x.running {
		c.front.giveBack(c)
	}
	return &c.Stream, early
}
