package window

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	ticks = 16 // of a window, with the current one
	ways  = 8  // places that a key can be in

	// A cell is the number of a tick, and how many events came in it.
	countBits = 36
	countMask = 1<<countBits - 1

	stripes = 64 // of locks
)

// Counts is a table of counts. Its memory, 136 bytes for each key it is made
// for, has no pointers that the garbage collector would follow.
type Counts struct {
	tick      int64 // nanoseconds
	sets      []set
	displaced atomic.Uint64
	uncounted atomic.Uint64
	adding    [stripes]sync.Mutex
	told      map[uint64][ticks]uint64 // by key, to the process that goes on for this one
}

// set is the places of the keys with one hash.
type set struct {
	keys  [ways]atomic.Uint64 // 0 is vacant
	cells [ways]cells
}

// cells has the counts of one key: that of tick t at t modulo their number.
type cells [ticks]atomic.Uint64

// Stats is what a table tells of itself.
type Stats struct {
	Keys      int    // known
	Displaced uint64 // keys that made room while they still counted
	Uncounted uint64 // events of keys that found no place
}

// New returns an empty table for so many keys, over windows of a length.
func New(length time.Duration, keys int) *Counts {
	return &Counts{
		tick: max(1, (int64(length)+ticks-2)/(ticks-1)),
		sets: make([]set, max(1, (keys+ways-1)/ways)),
	}
}

// Count counts an event of key at now, nanoseconds of a clock that starts at 0,
// and returns how many there are in its window with this one. 0 says that it
// could not be counted. limit is what the caller allows: it decides who makes
// room. A key is a hash that nobody outside can choose. Nothing is allocated; a
// lock is taken only for a key that is not in the table.
func (c *Counts) Count(key uint64, now, limit int64) int64 {
	key = max(1, key)
	s := c.set(key)
	tick := c.tickOf(now)
	of := s.lookup(key)
	if of == nil {
		if of = c.add(s, key, tick, limit); of == nil {
			c.uncounted.Add(1)
			return 0
		}
	}
	of.add(tick, 1)
	return of.sum(tick)
}

// Until returns when an event of key would be within limit again if no other
// came before: nanoseconds as now, which it is itself when that is so already.
func (c *Counts) Until(key uint64, now, limit int64) int64 {
	key = max(1, key)
	of := c.set(key).lookup(key)
	if of == nil {
		return now
	}
	tick := c.tickOf(now)
	left := of.sum(tick)
	until := now
	for t := tick - (ticks - 1); t <= tick && left >= limit; t++ {
		if v := of[t%ticks].Load(); v>>countBits == t {
			left -= int64(v & countMask)
		}
		until = int64(t) * c.tick // ticks later, and as many less for the clock's start
	}
	return until
}

// Stats returns what the table has.
func (c *Counts) Stats() Stats {
	s := Stats{Displaced: c.displaced.Load(), Uncounted: c.uncounted.Load()}
	for i := range c.sets {
		for w := range c.sets[i].keys {
			if c.sets[i].keys[w].Load() != 0 {
				s.Keys++
			}
		}
	}
	return s
}

// tickOf numbers the ticks. At the start of the clock as many are past as a window
// has: in those another process may have counted.
func (c *Counts) tickOf(now int64) uint64 { return uint64(now/c.tick) + ticks }

// set scales the key to the number of sets, which is quicker than to divide by it.
func (c *Counts) set(key uint64) *set {
	n, _ := bits.Mul64(key*0x9e3779b97f4a7c15, uint64(len(c.sets)))
	return &c.sets[n]
}

func (s *set) lookup(key uint64) *cells {
	for w := range s.keys {
		if s.keys[w].Load() == key {
			return &s.cells[w]
		}
	}
	return nil
}

// add counts events in tick. Who is slow and comes with a tick that is past counts
// them in one that is not.
func (of *cells) add(tick, events uint64) {
	cell := &of[tick%ticks]
	for {
		v := cell.Load()
		if v>>countBits >= tick && v != 0 {
			cell.Add(events)
			return
		}
		if cell.CompareAndSwap(v, tick<<countBits|events) {
			return
		}
	}
}

// sum is the count of the window that ends with tick.
func (of *cells) sum(tick uint64) (n int64) {
	for i := range of {
		if v := of[i].Load(); v>>countBits+ticks > tick {
			n += int64(v & countMask)
		}
	}
	return n
}
