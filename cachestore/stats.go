package cachestore

import (
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"
)

// Stats is what a [Store] reports of itself since it was made. Numbers that
// change meanwhile may be off by what happened in between.
type Stats struct {
	Hits   uint64 // gets that returned [Fresh]
	Stale  uint64 // gets that returned [Stale]
	Misses uint64 // gets that returned [Miss]

	Fills    uint64 // entries stored
	TooLarge uint64 // entries refused for their size
	Waits    uint64 // requests that waited for another one's fill
	Passes   uint64 // requests that could not wait: too many did, or the answer was not to be shared
	Lost     uint64 // leads taken from a filler whose lease was over, or by a delete

	Entries      uint64 // records held: parts and what was flushed or expired count too
	Bytes        uint64 // memory taken
	MaxBytes     uint64 // memory that may be taken
	EvictedBytes uint64 // memory written over, counted when a whole ring has turned
}

// counts are those that fastcache does not keep. A hit touches none of them:
// hits follow from fastcache's own counts, which are kept per ring.
type counts struct {
	early      atomic.Uint64 // gets before the first entry
	expired    atomic.Uint64 // gets that found an entry past its time
	incomplete atomic.Uint64 // gets that found parts missing
	stale      atomic.Uint64

	inner       atomic.Uint64 // gets that no caller of Get asked for
	innerMisses atomic.Uint64

	fills    atomic.Uint64
	tooLarge atomic.Uint64
	waits    atomic.Uint64
	passes   atomic.Uint64
	lost     atomic.Uint64
}

// Stats returns the counts. It looks at every ring, which takes some
// microseconds.
func (s *Store) Stats() Stats {
	n := &s.counts
	gone := n.expired.Load() + n.incomplete.Load()
	stats := Stats{
		Stale:    n.stale.Load(),
		Misses:   n.early.Load() + gone,
		Fills:    n.fills.Load(),
		TooLarge: n.tooLarge.Load(),
		Waits:    n.waits.Load(),
		Passes:   n.passes.Load(),
		Lost:     n.lost.Load(),
		MaxBytes: uint64(s.options.MaxBytes),
	}
	c := s.cache.Load()
	if c == nil {
		return stats
	}
	inner, innerMisses := n.inner.Load(), n.innerMisses.Load()
	var f fastcache.Stats
	c.UpdateStats(&f)
	misses := less(f.Misses, innerMisses)
	stats.Misses += misses
	stats.Hits = less(f.GetCalls, inner+misses+gone+stats.Stale)
	stats.Entries, stats.Bytes = f.EntriesCount, f.BytesSize
	stats.MaxBytes, stats.EvictedBytes = f.MaxBytesSize, f.EvictedBytes
	return stats
}

// look is a get that does not count.
func (s *Store) look(c *fastcache.Cache, dst, key []byte) ([]byte, bool) {
	dst, ok := c.HasGet(dst, key)
	s.counts.look(1, ok)
	return dst, ok
}

// has is a look that returns nothing else.
func (s *Store) has(c *fastcache.Cache, key []byte) bool {
	ok := c.Has(key)
	s.counts.look(1, ok)
	return ok
}

func (n *counts) look(times uint64, found bool) {
	n.inner.Add(times)
	if !found {
		n.innerMisses.Add(1)
	}
}

func less(a, b uint64) uint64 { return a - min(a, b) }
