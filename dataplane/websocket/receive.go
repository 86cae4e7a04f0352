package websocket

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// relayRead bounds one read of a pass-through in bytes, and so what may have to
// be kept when the other end does not take it.
const relayRead = 32 << 10

// maxReads bounds the reads of a TLS stream between other events. Of others the
// poller tells again after each.
const maxReads = 16

// OnReadable implements loop.Events.
func (c *Conn) OnReadable() {
	c.stream.BeginRead()
	for n := 1; c.read() && c.stream.IsTLS(); n++ {
		if n == maxReads {
			c.readOn()
			return
		}
	}
}

// OnHangup implements loop.Events: the peer closed its end. What it sent before
// counts.
func (c *Conn) OnHangup() {
	c.stream.BeginRead()
	for c.read() {
	}
	if !c.stream.Paused() { // Resume comes back here
		c.lost()
	}
}

// read reads once and reports whether there may be more.
func (c *Conn) read() bool {
	if c.phase == phaseGone || c.stream.Paused() {
		return false
	}
	sh := c.shard
	buf := sh.loop.ReadBuffer
	if c.peer != nil {
		buf = buf[:relayRead]
	}
	n, err := c.stream.Read(buf)
	if err == loop.ErrWouldBlock {
		return false
	}
	if err != nil || n == 0 {
		c.lost()
		return false
	}
	sh.enter()
	c.take(buf[:n])
	sh.leave()
	return true
}

// take uses bytes from the peer.
func (c *Conn) take(data []byte) {
	now := c.shard.loop.Coarse()
	c.times.hear(now)
	if c.peer != nil {
		data = data[c.relay(data):]
	}
	for len(data) > 0 {
		if c.phase == phaseHalf || c.phase >= phaseLingering {
			c.discard(len(data))
			return
		}
		part, n, fault := c.reader.Next(data, c.limits)
		if fault != 0 {
			c.fail(fault)
			continue
		}
		data = data[n:]
		switch {
		case part.Op.IsControl():
			c.takeControl(part, now)
		case c.peer != nil:
			c.takeFrame(part)
		case c.phase == phaseClosing: // nobody wants it any more
		default:
			c.takeMessage(part)
		}
	}
	if c.phase == phaseOpen {
		c.watchAssembly(now)
	}
}

// takeMessage puts messages together.
func (c *Conn) takeMessage(part Part) {
	payload := part.Payload
	if !part.Whole || !part.Fin || len(c.held) > 0 {
		if !c.hold(payload) || !part.Last || !part.Fin {
			return
		}
		payload = c.held
	}
	c.times.arrived(c.shard.loop.Coarse())
	c.in++
	c.shard.stats.MessagesIn++
	c.shard.stats.BytesIn += int64(len(payload))
	held := c.held
	c.held = nil // the handler may end the connection
	c.handler.OnMessage(part.Message, payload)
	c.shard.giveBack(held)
}

// takeFrame puts frames together, and hands them to the other end.
func (c *Conn) takeFrame(part Part) {
	payload := part.Payload
	if !part.Whole {
		if !c.hold(payload) || !part.Last {
			return
		}
		payload = c.held
	}
	c.countIn(part.Fin, len(payload))
	held := c.held
	c.held = nil
	c.peer.forward(part.Fin, part.Op, payload)
	c.shard.giveBack(held)
}

// hold keeps bytes of something that is not whole. It is false when there is no
// room for them, which ends the connection.
func (c *Conn) hold(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	var ok bool
	if c.held, ok = c.shard.extend(c.held, b); !ok {
		c.fail(TryAgainLater)
	}
	return ok
}

// watchAssembly sees to it that what has begun to come also ends.
func (c *Conn) watchAssembly(now int64) {
	if !c.reader.InFrame() && (c.peer != nil || !c.reader.InMessage()) {
		c.times.begun = 0
		return
	}
	if c.times.begun == 0 {
		c.times.begun = now
		c.hurry(now + int64(c.limits.Assembly))
	}
}

// takeControl puts control frames together. They come between the frames of a
// message, so that what is held of one is at the end of what is held.
func (c *Conn) takeControl(part Part, now int64) {
	payload := part.Payload
	if !part.Whole {
		if !c.hold(payload) {
			return
		}
		if c.control += uint8(len(payload)); !part.Last {
			return
		}
		payload = c.held[len(c.held)-int(c.control):]
	}
	if c.times.control(now, c.limits.Control) {
		c.onControl(part.Op, payload)
	} else {
		c.fail(PolicyViolation)
	}
	if c.control > 0 && c.phase != phaseGone {
		c.held = c.held[:len(c.held)-int(c.control)]
		if len(c.held) == 0 {
			c.release()
		}
	}
	c.control = 0
}

func (c *Conn) onControl(op Opcode, payload []byte) {
	switch {
	case op == OpClose:
		c.onClose(payload)
	case op == OpPong && bytes.Equal(payload, c.shard.hub.mark[:]): // answers our own
	case c.peer != nil:
		c.peer.forward(true, op, payload)
	case op == OpPing && c.phase == phaseOpen:
		c.write(true, OpPong, payload)
	}
}

// forget drops what is held of a message, for which nobody waits any more.
func (c *Conn) forget() {
	if c.control == 0 {
		c.release()
		return
	}
	c.held = c.held[:copy(c.held, c.held[len(c.held)-int(c.control):])]
}

// release gives back what is held.
func (c *Conn) release() {
	c.shard.giveBack(c.held)
	c.held = nil
}

// discard throws bytes away that come after the end.
func (c *Conn) discard(n int) {
	if c.waste += int32(n); c.waste > maxWaste {
		c.lost()
	}
}
