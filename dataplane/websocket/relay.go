package websocket

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Pass begins the connection as Accept does, and passes its frames on to a
// backend that has agreed, and the backend's back: each is checked whole before
// the other end sees a byte of it. Pings pass too. handler hears of the end
// alone. The backend belongs to the connection from now on.
//
// A close goes on to the other end with its code. When the client breaks a rule
// or is lost the backend gets 1001, and the client gets 1014 for a backend that
// does.
func (c *Conn) Pass(s *loop.Stream, early, answer []byte, handler Handler, limits *Limits, b *Backend) {
	c.open(s, handler, limits)
	sh := c.shard
	sh.enter()
	defer sh.leave()
	if !b.stream.IsOpen() { // it ended meanwhile
		c.begin(nil, answer)
		c.Close(BadGateway, "")
		return
	}
	o := &b.conn
	*o = Conn{shard: sh, ref: Ref{slot: o.ref.slot}, backend: true, peer: c}
	c.peer = o
	o.open(&b.stream, nil, limits)
	said := b.dial.early()
	b.dial = nil
	c.begin(early, answer)
	o.begin(said, nil)
}

// relay passes on the frames that data begins with, as long as they are whole and
// nothing waits at the other end, and returns how many bytes they were. They leave
// from where they lie, all in one write: what a backend says as it came, and what
// a client says masked anew.
func (c *Conn) relay(data []byte) (used int) {
	sh, o := c.shard, c.peer
	if c.phase != phaseOpen || o.phase != phaseOpen || o.out != nil || o.deaf || c.reader.InFrame() {
		return 0
	}
	sh.ends = sh.ends[:0]
	var fault Code
	for fault == 0 && used < len(data) {
		size := wholeFrame(data[used:])
		if size == 0 {
			break
		}
		frame := data[used : used+size]
		var part Part
		if part, _, fault = c.reader.Next(frame, c.limits); fault != 0 {
			break
		}
		if o.backend {
			key := sh.key()
			binary.LittleEndian.PutUint32(frame[size-len(part.Payload)-maskSize:], key)
			mask(part.Payload, key)
		}
		c.countIn(part.Fin, len(part.Payload))
		o.countOut(part.Fin, len(part.Payload))
		used += size
		sh.ends = append(sh.ends, used)
	}
	if used > 0 {
		o.writeFrames(data[:used], sh.ends)
	}
	if fault != 0 {
		c.fail(fault)
	}
	return used
}

// wholeFrame returns the size of the data frame that b begins with, and 0 if it is
// not all there, or is of another kind. It need not be sound.
func wholeFrame(b []byte) int {
	if len(b) < 2 || Opcode(b[0]).IsControl() {
		return 0
	}
	size := headerSize(b[1])
	switch length := b[1] & bitsSize; {
	case length < size16:
		size += int(length)
	case length == size64 || len(b) < 4: // what is so large does not lie here whole, most likely
		return 0
	default:
		size += int(binary.BigEndian.Uint16(b[2:]))
	}
	if size > len(b) {
		return 0
	}
	return size
}

// forward sends a frame that the other end received.
func (c *Conn) forward(fin bool, op Opcode, payload []byte) {
	if c.phase != phaseOpen && c.phase != phaseHalf || !c.write(fin, op, payload) || op.IsControl() {
		return
	}
	c.countOut(fin, len(payload))
}

// countIn and countOut count a frame of a pass-through that has come whole, and one
// that is on its way.
func (c *Conn) countIn(fin bool, size int) {
	c.times.arrived(c.shard.loop.Coarse())
	c.shard.stats.BytesIn += int64(size)
	if fin {
		c.in++
		c.shard.stats.MessagesIn++
	}
}

func (c *Conn) countOut(fin bool, size int) {
	c.times.active = c.shard.loop.Coarse()
	c.shard.stats.BytesOut += int64(size)
	if fin {
		c.sent++
		c.shard.stats.MessagesOut++
	}
}

// relayClose passes a close frame on. The other end answers it, and may finish
// what it was saying before.
func (c *Conn) relayClose(code Code, reason []byte) {
	other := c.peer
	if c.phase == phaseClosing { // this is the answer
		c.part()
		other.writeClose(code, string(reason))
		other.linger()
		c.linger()
		return
	}
	wait := c.shard.loop.Now() + int64(c.limits.Closing)
	c.phase, c.code = phaseHalf, code
	c.stream.SetDeadline(wait + int64(c.limits.Closing)) // the other end comes first
	c.Resume()                                           // to see when it goes
	other.phase = phaseClosing
	other.stream.SetDeadline(wait)
	other.writeClose(code, string(reason))
	if c.backend {
		other.tell(End{Code: code, Reason: reason, By: ByBackend})
	} else {
		c.tell(End{Code: code, Reason: reason, By: ByPeer})
	}
}

// part ends a pass-through: its ends go on by themselves.
func (c *Conn) part() (other *Conn) {
	if other = c.peer; other != nil {
		c.peer, other.peer = nil, nil
	}
	return other
}

// follow closes an end of a pass-through whose other end is at its own.
func (c *Conn) follow() {
	switch {
	case c.phase == phaseHalf: // its close will not be answered by the other end
		c.writeClose(c.code, "")
		c.linger()
	case c.backend:
		c.closeAs(GoingAway, "", ByBackend)
	default:
		c.closeAs(BadGateway, "", ByBackend)
	}
}
