package verdict

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
)

// ways is how many places a key may have. The one that expires first makes room.
const ways = 8

// Cache holds verdicts until they expire, in bounded space. All methods may be
// called from any goroutine; none takes a lock, and Get allocates nothing.
//
// The whole key is compared, so that no two keys share a verdict however they
// hash.
type Cache[V any] struct {
	seed    maphash.Seed
	slots   []atomic.Pointer[entry[V]] // ways beside each other, for each hash
	entries atomic.Int64
}

type entry[V any] struct {
	hash  uint64
	until int64
	key   []byte
	value V
}

// NewCache makes a Cache for at least so many verdicts, rounded up to a power of
// two.
func NewCache[V any](most int) *Cache[V] {
	size := ways
	for size < most {
		size *= 2
	}
	return &Cache[V]{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[entry[V]], size)}
}

// set returns the places of a hash.
func (c *Cache[V]) set(hash uint64) []atomic.Pointer[entry[V]] {
	at := int(hash%uint64(len(c.slots)/ways)) * ways
	return c.slots[at : at+ways : at+ways]
}

// Get returns the verdict on a key at a time, or nil. It must not be changed.
func (c *Cache[V]) Get(key []byte, now int64) *V {
	hash := maphash.Bytes(c.seed, key)
	set := c.set(hash)
	for i := range set {
		if e := set[i].Load(); e != nil && e.hash == hash && now < e.until && bytes.Equal(e.key, key) {
			return &e.value
		}
	}
	return nil
}

// Put remembers the verdict on a key until a time. It takes a copy of key.
func (c *Cache[V]) Put(key []byte, value V, now, until int64) {
	if until <= now {
		return
	}
	next := &entry[V]{hash: maphash.Bytes(c.seed, key), until: until, key: bytes.Clone(key), value: value}
	set := c.set(next.hash)
	var place *atomic.Pointer[entry[V]]
	first := int64(1<<63 - 1)
	for i := range set {
		e := set[i].Load()
		switch {
		case e == nil || e.until <= now:
			if first >= 0 {
				place, first = &set[i], -1
			}
		case e.hash == next.hash && bytes.Equal(e.key, key):
			set[i].Store(next)
			return
		case e.until < first:
			place, first = &set[i], e.until
		}
	}
	if place.Swap(next) == nil {
		c.entries.Add(1)
	}
}

// Flush forgets everything.
func (c *Cache[V]) Flush() {
	for i := range c.slots {
		if c.slots[i].Swap(nil) != nil {
			c.entries.Add(-1)
		}
	}
}

// Sweep forgets what has expired at a time, to free its memory; call it every
// minute or so.
func (c *Cache[V]) Sweep(now int64) {
	for i := range c.slots {
		if e := c.slots[i].Load(); e != nil && e.until <= now && c.slots[i].CompareAndSwap(e, nil) {
			c.entries.Add(-1)
		}
	}
}

// Len returns how many verdicts are held, expired ones included.
func (c *Cache[V]) Len() int { return int(c.entries.Load()) }
