package websocket

import "github.com/tidegate/tidegate/dataplane/loop"

// outbox is what a connection has not sent: briefly all that is written during
// an event, and longer what the peer does not take.
type outbox struct {
	buf     []byte
	ends    []int // where in buf messages end
	since   int64 // when the peer last took something, while blocked
	blocked bool  // the socket takes no more
	begun   bool  // the first message has been sent in part
}

// push sends as much of the outbox as the socket takes.
func (c *Conn) push() {
	o, s := c.out, c.stream
	before := len(o.buf) + s.Unsent()
	err := s.Flush()
	if err == nil && s.Unsent() == 0 && len(o.buf) > 0 {
		var n int
		n, err = s.Write(o.buf)
		o.took(n)
	}
	if err != nil && err != loop.ErrWouldBlock {
		c.broken()
		return
	}
	switch left := len(o.buf) + s.Unsent(); {
	case left == 0:
		c.emptied()
	case !o.blocked:
		c.block()
	case left < before:
		o.since = c.shard.loop.Coarse()
	}
}

// took drops n bytes that have been sent.
func (o *outbox) took(n int) {
	if n <= 0 {
		return
	}
	done := 0
	for done < len(o.ends) && o.ends[done] <= n {
		done++
	}
	o.begun = done < len(o.ends) && (done == 0 || o.ends[done-1] < n)
	o.ends = o.ends[:copy(o.ends, o.ends[done:])]
	for i := range o.ends {
		o.ends[i] -= n
	}
	o.buf = o.buf[:copy(o.buf, o.buf[n:])]
}

// block notes that the socket takes no more for now.
func (c *Conn) block() {
	o := c.out
	o.blocked, o.since = true, c.shard.loop.Coarse()
	c.shard.stats.Queued++
	c.stream.WantWrite(true)
	c.hurry(o.since + int64(c.limits.Send))
	if c.peer != nil {
		c.peer.Pause()
	}
}

// emptied goes on after all has been sent.
func (c *Conn) emptied() {
	blocked := c.out.blocked
	c.clear()
	if blocked {
		c.stream.WantWrite(false)
		if c.peer != nil {
			c.peer.Resume()
		}
	}
}

// clear gives the outbox back.
func (c *Conn) clear() {
	o := c.out
	if o == nil {
		return
	}
	c.out = nil
	if o.blocked {
		c.shard.stats.Queued--
	}
	c.shard.giveBackOutbox(o)
}

// OnWritable implements loop.Events.
func (c *Conn) OnWritable() {
	if c.out == nil || c.phase == phaseGone {
		c.stream.WantWrite(false)
		return
	}
	c.push()
	c.endSending()
}

// slow closes a connection that takes too little. What it has not begun to take
// is dropped.
func (c *Conn) slow() {
	if o := c.out; o != nil {
		keep := 0
		if o.begun {
			keep = 1
			o.buf = o.buf[:o.ends[0]]
		} else {
			o.buf = o.buf[:0]
		}
		o.ends = o.ends[:keep]
	}
	c.shard.stats.Slow++
	c.Close(TryAgainLater, "too slow")
}

// broken gives up a connection that cannot be written to, from within a call of
// its owner's, which hears of it later. What the peer said before still counts.
func (c *Conn) broken() {
	c.clear()
	if c.deaf {
		return
	}
	c.deaf = true
	c.shard.loop.Post(func() {
		if c.phase == phaseGone {
			return
		}
		c.Resume()
		c.OnHangup()
	})
}

func (sh *shard) borrowOutbox() *outbox {
	n := len(sh.outs)
	if n == 0 {
		return &outbox{}
	}
	o := sh.outs[n-1]
	sh.outs[n-1] = nil
	sh.outs = sh.outs[:n-1]
	return o
}

func (sh *shard) giveBackOutbox(o *outbox) {
	sh.giveBack(o.buf)
	*o = outbox{ends: o.ends[:0]}
	if len(sh.outs) < maxSpare {
		sh.outs = append(sh.outs, o)
	}
}
