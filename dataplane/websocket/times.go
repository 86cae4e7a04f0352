package websocket

import "time"

// times are the moments of a connection that its timers go by, in nanoseconds of
// loop.Now. One deadline of the loop's serves them all: it is looked at when it
// comes, and not moved by what happens before.
type times struct {
	opened int64
	heard  int64 // anything from the peer
	active int64 // data, in either direction
	begun  int64 // the first byte of a message that is not whole, or 0

	second   uint32 // that controls counts in
	controls uint16 // control frames from the peer
	missed   uint8  // pings that the peer has not answered
}

// maxMissed is how many pings in a row may remain without an answer.
const maxMissed = 3

func (t *times) open(now int64) {
	*t = times{opened: now, heard: now, active: now}
}

func (t *times) hear(now int64) { t.heard, t.missed = now, 0 }

// arrived notes that a message, or a frame of a pass-through, has come whole.
func (t *times) arrived(now int64) { t.active, t.begun = now, 0 }

// control counts a control frame. It is false when there are too many.
func (t *times) control(now int64, limit int) bool {
	if second := uint32(now / int64(time.Second)); second != t.second {
		t.second, t.controls = second, 0
	}
	t.controls++
	return int(t.controls) <= limit
}

// action is what a deadline asks for.
type action uint8

const (
	doNothing action = iota
	doPing
	doLose     // the peer answers no pings
	doIdle     // nobody sent data
	doLife     // the connection is too old
	doSlow     // the peer takes nothing
	doAssembly // a message does not end
)

// due returns what is to be done now. blocked is since when the peer takes
// nothing, or 0. The end towards a backend has neither idle time nor age of its
// own.
func (t *times) due(now int64, l *Limits, spread uint32, blocked int64, backend bool) action {
	switch {
	case !backend && now >= t.opened+int64(l.Life):
		return doLife
	case !backend && now >= t.active+int64(l.Idle):
		return doIdle
	case blocked != 0 && now >= blocked+int64(l.Send):
		return doSlow
	case t.begun != 0 && now >= t.begun+int64(l.Assembly):
		return doAssembly
	case now >= t.ping(l, spread):
		if t.missed == maxMissed {
			return doLose
		}
		return doPing
	}
	return doNothing
}

// next returns when to look again.
func (t *times) next(l *Limits, spread uint32, blocked int64, backend bool) int64 {
	at := t.ping(l, spread)
	if !backend {
		at = min(at, t.opened+int64(l.Life), t.active+int64(l.Idle))
	}
	if blocked != 0 {
		at = min(at, blocked+int64(l.Send))
	}
	if t.begun != 0 {
		at = min(at, t.begun+int64(l.Assembly))
	}
	return at
}

// ping returns when a silent peer is pinged next. The period of each connection
// is up to an eighth shorter than that of others, so that those which began
// together do not stay together.
func (t *times) ping(l *Limits, spread uint32) int64 {
	period := int64(l.Ping)
	period -= period / 8 / 64 * int64(spread*37%64)
	return t.heard + period*int64(t.missed+1)
}

// OnDeadline implements loop.Events.
func (c *Conn) OnDeadline(now int64) {
	if c.phase != phaseOpen {
		c.lost()
		return
	}
	switch c.times.due(now, c.limits, c.ref.slot, c.blockedSince(), c.backend) {
	case doLife, doIdle:
		c.Close(GoingAway, "")
	case doSlow:
		c.slow()
	case doAssembly:
		c.Close(PolicyViolation, "message not completed in time")
	case doLose:
		c.lost()
	case doPing:
		c.times.missed++
		c.shard.stats.Pings++
		c.write(true, OpPing, c.shard.hub.mark[:])
	}
	if c.phase == phaseOpen {
		c.stream.SetDeadline(c.times.next(c.limits, c.ref.slot, c.blockedSince(), c.backend))
	}
}

// hurry has OnDeadline called no later than at.
func (c *Conn) hurry(at int64) {
	if d := c.stream.Deadline(); d == 0 || at < d {
		c.stream.SetDeadline(at)
	}
}

func (c *Conn) blockedSince() int64 {
	if c.out == nil {
		return 0
	}
	return c.out.since
}
