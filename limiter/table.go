package limiter

import (
	"errors"
	"math/bits"
	"sync"
	"sync/atomic"
)

// Grace is how long in now an [Entry] that a lookup returned may be used. An
// idle entry is given to another key only after it was not looked up for that
// long. Look up and spend within one step of a request. It follows that a table
// takes up to half its capacity of new keys per Grace, more are refused.
const Grace = int64(60e9)

// ErrTableFull is returned for a key that a [Table] has no room for.
var ErrTableFull = errors.New("limiter: the table is full of keys that are still limited; raise its capacity")

// Table keeps an [Entry] per key, up to a capacity, for millions of keys. Memory
// is taken as keys come, about 80 bytes each, and holds no pointers that the
// garbage collector would follow.
//
// Looking up takes no lock. When the table fills up, entries that are idle make
// room: the bucket full and no quota window that still counts. An entry whose
// loss would forget something spent is never evicted. If there is no other, the
// new key gets [ErrTableFull]: those already known stay limited, and what to do
// with the one that is not is for the caller to decide and the operator to see
// in [TableStats].
type Table struct {
	capacity int64
	entries  atomic.Int64
	evicted  atomic.Uint64
	refused  atomic.Uint64
	shift    uint
	segments []segment
}

// TableStats is what a [Table] reports of itself.
type TableStats struct {
	Capacity int64
	Entries  int64  // keys known
	Evicted  uint64 // idle keys forgotten to make room
	Refused  uint64 // keys that there was no room for
}

// A segment has its own lock, index and entries.
type segment struct {
	index  atomic.Pointer[index]
	chunks atomic.Pointer[[]*chunk]
	_      [lineBytes / 2]byte // additions must not slow lookups

	mu    sync.Mutex // writers of index, chunks and what follows
	count int        // entries ever made
	free  []uint32   // vacant ones of them
	hand  int        // where the search for idle entries goes on
}

// A chunk of entries never moves, so that pointers to them stay good.
const chunkEntries = 256

type chunk [chunkEntries]Entry

const (
	maxSegments = 64
	segmentKeys = 1024 // at least, so that segments fill evenly
)

// NewTable returns an empty table for up to capacity keys, at least 1.
func NewTable(capacity int) *Table {
	capacity = min(max(1, capacity), 1<<31)
	n := 1
	for n < maxSegments && n*2*segmentKeys <= capacity {
		n *= 2
	}
	t := &Table{
		capacity: int64(capacity),
		shift:    uint(64 - bits.TrailingZeros(uint(n))),
		segments: make([]segment, n),
	}
	for i := range t.segments {
		s := &t.segments[i]
		s.index.Store(newIndex(minIndex))
		s.chunks.Store(new([]*chunk))
	}
	return t
}

// Lookup returns the entry of key, nil when it has none.
func (t *Table) Lookup(key Key) *Entry { return t.segmentOf(key).lookup(key) }

// LookupOrAdd returns the entry of key and gives it a fresh one when it has
// none. The error is [ErrTableFull]. now and wall decide which entries are idle.
func (t *Table) LookupOrAdd(key Key, now, wall int64) (*Entry, error) {
	s := t.segmentOf(key)
	if e := s.lookup(key); e != nil {
		return e, nil
	}
	return t.add(s, key, now, wall)
}

// Range calls f with every entry until it returns false. Entries that are added
// or evicted meanwhile may be missed.
func (t *Table) Range(f func(e *Entry) bool) {
	for i := range t.segments {
		for _, c := range *t.segments[i].chunks.Load() {
			for j := range c {
				if e := &c[j]; e.state.Load() != vacant && !f(e) {
					return
				}
			}
		}
	}
}

// Stats returns what the table holds and has refused so far.
func (t *Table) Stats() TableStats {
	return TableStats{
		Capacity: t.capacity,
		Entries:  t.entries.Load(),
		Evicted:  t.evicted.Load(),
		Refused:  t.refused.Load(),
	}
}

func (t *Table) segmentOf(key Key) *segment { return &t.segments[key.Hi>>t.shift] }

func (s *segment) lookup(key Key) *Entry {
	x := s.index.Load()
	mask := uint64(len(x.words) - 1)
	tag := uint64(uint32(key.Lo))
	for at := tag & mask; ; at = (at + 1) & mask {
		word := x.words[at].Load()
		if word == 0 {
			return nil
		}
		if word>>32 == tag && names(word) >= 0 {
			if e := s.entry(names(word)); e.matches(key) {
				return e
			}
		}
	}
}

func (s *segment) entry(number int) *Entry {
	return &(*s.chunks.Load())[number/chunkEntries][number%chunkEntries]
}
