package websocket

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// shard is what the connections of one loop share. All but its mailbox and
// published counts is touched on the loop alone.
type shard struct {
	hub  *Hub
	loop *loop.Loop

	slots    []slot
	free     []uint32
	taken    int        // slots, reserved ones included
	backends []*Backend // that have a socket

	depth int     // of events that run
	dirty []*Conn // with something to send at the end of the event

	spare  [spareClasses][][]byte
	outs   []*outbox       // for the next that has something to send
	header [maxHeader]byte // of a frame that is sent at once
	ends   []int           // of frames that are sent at once
	random *rand.ChaCha8

	stats     Stats
	published struct {
		sync.Mutex
		stats Stats
	}
	mail  mailbox
	drain drain
}

// slot is a place in the table that ids point to.
type slot struct {
	conn       *Conn
	generation uint32
}

func newShard(h *Hub, l *loop.Loop) *shard {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // does not fail
	sh := &shard{hub: h, loop: l, random: rand.NewChaCha8(seed)}
	sh.mail.goOn = sh.deliver
	return sh
}

// take gives c a slot. It is false when all have been used up.
func (sh *shard) take(c *Conn) bool {
	var at uint32
	switch n := len(sh.free); {
	case n > 0:
		at = sh.free[n-1]
		sh.free = sh.free[:n-1]
	case len(sh.slots) < maxSlots:
		at = uint32(len(sh.slots))
		sh.slots = append(sh.slots, slot{})
	default:
		return false
	}
	s := &sh.slots[at]
	s.conn = c
	*c = Conn{shard: sh, ref: Ref{instance: sh.hub.config.Instance, loop: uint8(sh.loop.ID), slot: at, generation: s.generation}, phase: phaseReserved}
	sh.taken++
	return true
}

// release gives a slot back. Its last generation is never followed by another,
// which would have the id of an earlier connection.
func (sh *shard) release(at uint32) {
	s := &sh.slots[at]
	s.conn = nil
	sh.taken--
	if s.generation++; s.generation < maxGeneration {
		sh.free = append(sh.free, at)
	}
}

// find returns the open connection that a ref of this instance and loop names,
// or nil.
func (sh *shard) find(r Ref) *Conn {
	if int(r.slot) >= len(sh.slots) {
		return nil
	}
	s := &sh.slots[r.slot]
	if s.generation != r.generation || s.conn == nil || s.conn.phase != phaseOpen {
		return nil
	}
	return s.conn
}

func (sh *shard) each(do func(*Conn)) {
	sh.enter()
	for i := 0; i < len(sh.slots); i++ {
		if c := sh.slots[i].conn; c != nil && c.phase != phaseReserved {
			do(c)
		}
	}
	sh.leave()
}

// addBackend and dropBackend keep the list of connections to backends. Their
// place in it is where others have their slot.
func (sh *shard) addBackend(b *Backend) {
	b.conn.ref.slot = uint32(len(sh.backends))
	sh.backends = append(sh.backends, b)
	sh.stats.Backends++
}

func (sh *shard) dropBackend(at uint32) {
	last := len(sh.backends) - 1
	sh.backends[at] = sh.backends[last]
	sh.backends[at].conn.ref.slot = at
	sh.backends[last] = nil
	sh.backends = sh.backends[:last]
	sh.stats.Backends--
}

// cut ends everything at once.
func (sh *shard) cut() {
	sh.each((*Conn).lost)
	for len(sh.backends) > 0 {
		if b := sh.backends[len(sh.backends)-1]; b.dial != nil {
			b.dial.fail(NoAnswer)
		} else {
			b.conn.lost()
		}
	}
}

// enter and leave are around every event: what is written between them goes out
// at the end, in one write per connection.
func (sh *shard) enter() { sh.depth++ }

func (sh *shard) leave() {
	if sh.depth--; sh.depth > 0 {
		return
	}
	for i := 0; i < len(sh.dirty); i++ { // flushing may make others dirty
		c := sh.dirty[i]
		sh.dirty[i] = nil
		c.flush()
	}
	sh.dirty = sh.dirty[:0]
}

// key returns a masking key that nobody can foresee (RFC 6455 section 10.3).
func (sh *shard) key() uint32 { return uint32(sh.random.Uint64()) }

// nonce returns the 16 bytes of a handshake's key.
func (sh *shard) nonce() (n [16]byte) {
	binary.LittleEndian.PutUint64(n[:8], sh.random.Uint64())
	binary.LittleEndian.PutUint64(n[8:], sh.random.Uint64())
	return n
}

func (sh *shard) tick(now int64) {
	sh.enter()
	if sh.drain.active {
		sh.drain.advance(sh, now)
	}
	sh.leave()
	sh.published.Lock()
	sh.published.stats = sh.stats
	sh.published.Unlock()
}
