package websocket

import (
	"encoding/binary"
	"slices"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Outcome says what became of something to send.
type Outcome uint8

// Outcomes.
const (
	Sent     Outcome = iota // it is on its way, or queued for a peer that is slow
	Gone                    // there is no such connection any more
	Slow                    // the peer takes too little; the connection was closed with 1013
	TooLarge                // the message is over Limits.Message
	Busy                    // too much waits for the connection's event loop
)

// largePayload is sent from where it lies rather than through an outbox.
const largePayload = 8 << 10

// Send sends a message, OpText or OpBinary. Nothing is kept of payload. A text
// must be valid UTF-8, and the caller sees to that. In a pass-through nobody but
// its ends has a say: the answer is Gone.
func (c *Conn) Send(op Opcode, payload []byte) Outcome {
	if !c.IsOpen() || c.peer != nil {
		return Gone
	}
	if len(payload) > c.limits.Message {
		return TooLarge
	}
	if !c.write(true, op, payload) {
		if c.deaf {
			return Gone
		}
		return Slow
	}
	c.times.active = c.shard.loop.Coarse()
	c.sent++
	c.shard.stats.MessagesOut++
	c.shard.stats.BytesOut += int64(len(payload))
	return Sent
}

// write sends a frame. It is false if the peer takes too little or nothing any
// more, which ends the connection.
func (c *Conn) write(fin bool, op Opcode, payload []byte) bool {
	if c.deaf {
		return false
	}
	if op != OpClose && c.peer == nil && !c.hasRoom(len(payload)) {
		c.slow()
		return false
	}
	sh := c.shard
	var head []byte
	var key uint32
	if c.backend {
		key = sh.key()
		head = appendHeader(sh.header[:0], fin, op, bitMask, len(payload))
		head = binary.LittleEndian.AppendUint32(head, key)
	} else {
		head = AppendHeader(sh.header[:0], fin, op, len(payload))
		if c.out == nil && len(payload) >= largePayload {
			return c.writeNow(head, payload)
		}
	}
	if c.queue(head, payload, key) {
		return true
	}
	if op == OpClose {
		c.broken()
	} else {
		c.slow()
	}
	return false
}

// hasRoom reports whether the queue takes a message of n bytes.
func (c *Conn) hasRoom(n int) bool {
	o := c.out
	if o == nil {
		return true
	}
	if !o.blocked && !c.fits(o, n) { // it may just not have been sent yet
		c.push()
		o = c.out
	}
	return o == nil || c.fits(o, n)
}

func (c *Conn) fits(o *outbox, n int) bool {
	return len(o.ends) < c.limits.QueueMessages && len(o.buf)+c.stream.Unsent()+n <= c.limits.QueueBytes
}

// queue puts head and payload, to be masked with key, into the outbox. It is
// false if the loop has no room for them.
func (c *Conn) queue(head, payload []byte, key uint32) bool {
	sh := c.shard
	o := c.out
	if o == nil {
		o = sh.borrowOutbox()
		c.out = o
	}
	before := len(o.buf)
	var ok bool
	if o.buf, ok = sh.extend(o.buf, head); ok {
		o.buf, ok = sh.extend(o.buf, payload)
	}
	if !ok {
		if o.buf = o.buf[:before]; before == 0 && !o.blocked {
			c.clear()
		}
		return false
	}
	mask(o.buf[len(o.buf)-len(payload):], key)
	o.ends = append(o.ends, len(o.buf))
	c.touch()
	return true
}

// writeNow sends a large frame without a copy, as far as the socket takes it.
func (c *Conn) writeNow(head, payload []byte) bool {
	n, err := c.stream.Write2(head, payload)
	if err != nil && err != loop.ErrWouldBlock {
		c.broken()
		return false
	}
	if n == len(head)+len(payload) && c.stream.Unsent() == 0 {
		return true
	}
	if n < len(head) {
		head = head[n:]
	} else {
		head, payload = nil, payload[n-len(head):]
	}
	c.out = c.shard.borrowOutbox()
	c.block()
	if len(head)+len(payload) == 0 {
		return true
	}
	c.out.begun = n > 0
	if !c.queue(head, payload, 0) {
		c.broken() // half a frame is out
		return false
	}
	return true
}

// writeFrames sends frames, which end at ends, without a copy as far as the socket
// takes them. There must be no outbox.
func (c *Conn) writeFrames(frames []byte, ends []int) {
	n, err := c.stream.Write(frames)
	if err != nil && err != loop.ErrWouldBlock {
		c.broken()
		return
	}
	if n == len(frames) && c.stream.Unsent() == 0 {
		return
	}
	o := c.shard.borrowOutbox()
	c.out = o
	c.block()
	o.begun = n > 0 && n < len(frames) && !slices.Contains(ends, n)
	var ok bool
	if o.buf, ok = c.shard.extend(o.buf, frames[n:]); !ok {
		if o.begun { // half a frame is out
			c.broken()
		} else {
			c.slow()
		}
		return
	}
	for _, end := range ends {
		if end > n {
			o.ends = append(o.ends, end-n)
		}
	}
}

// touch has what is queued sent: at the end of the event if one runs, or soon
// if it came by mail, and at once otherwise.
func (c *Conn) touch() {
	if c.dirty {
		return
	}
	c.dirty = true
	switch sh := c.shard; {
	case sh.mail.open:
		sh.mail.later.add(c)
	case sh.depth > 0:
		sh.dirty = append(sh.dirty, c)
	default:
		c.flush()
	}
}

// flush sends what is queued.
func (c *Conn) flush() {
	c.dirty = false
	if c.phase == phaseGone {
		return
	}
	if c.out != nil && !c.out.blocked {
		c.push()
	}
	c.endSending()
}

// endSending ends our side when all has been said.
func (c *Conn) endSending() {
	if c.phase == phaseLingering && c.out == nil && !c.ended {
		c.ended = true
		c.stream.CloseWrite()
	}
}
