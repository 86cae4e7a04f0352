package limiter

import "sync/atomic"

// Key names an entry of a [Table]: a hash of what is limited, such as an API
// key and its plan. The table neither hashes nor verifies: whoever makes keys
// uses a hash whose collisions nobody can choose.
type Key struct{ Hi, Lo uint64 }

// Entry is what a [Table] keeps of one key: 64 bytes, one cache line.
type Entry struct {
	// Bucket and Counter are charged as any other.
	Bucket  Bucket
	Counter Counter

	state  atomic.Int64 // live, vacant, or the now at which it was condemned
	hi, lo atomic.Uint64
	dirty  atomic.Uint32
	_      [12]byte
}

// State of an entry. An idle one is condemned first, and makes room for another
// key only if nobody has looked it up for the grace time.
const (
	live   = 0
	vacant = -1
)

// Key returns the entry's key.
func (e *Entry) Key() Key { return Key{Hi: e.hi.Load(), Lo: e.lo.Load()} }

// MarkDirty reports whether the entry was clean, and marks it as having counts
// that a journal has yet to write. Call it after a request was counted and hand
// the entry to the journal if it returns true: an entry then is handed over
// once, however often it counts. A dirty entry is not evicted.
func (e *Entry) MarkDirty() bool {
	return e.dirty.Load() == 0 && e.dirty.CompareAndSwap(0, 1)
}

// MarkClean is for the journal, before it takes the Counter's Snapshot: what is
// counted after that marks the entry dirty again.
func (e *Entry) MarkClean() { e.dirty.Store(0) }

// idle reports whether forgetting the entry changes no decision: its bucket is
// full, no quota window counts, and its journal is written.
func (e *Entry) idle(now, wall int64) bool {
	return e.Bucket.Full(now) && e.Counter.idle(wall) && e.dirty.Load() == 0
}

// matches reports whether the entry is key's, and keeps a condemned one alive.
// The order of the reads matters: an entry gets its next key while vacant, so
// one that was not vacant before it had this key is this key's.
func (e *Entry) matches(key Key) bool {
	for {
		state := e.state.Load()
		if state == vacant || e.lo.Load() != key.Lo || e.hi.Load() != key.Hi {
			return false
		}
		if state == live || e.state.CompareAndSwap(state, live) {
			return true
		}
	}
}

// occupy makes a vacant entry key's.
func (e *Entry) occupy(key Key) {
	e.hi.Store(key.Hi)
	e.lo.Store(key.Lo)
	e.Bucket.Clear()
	e.Counter.Clear()
	e.dirty.Store(0)
	e.state.Store(live)
}
