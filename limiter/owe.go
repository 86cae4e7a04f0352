package limiter

import "math"

// Owe takes debt nanoseconds' worth of tokens, whether or not there are so many:
// what [Bucket.Debt] returned of a bucket that this one goes on for.
func (b *Bucket) Owe(now, debt int64) {
	for debt > 0 {
		tat := b.tat.Load()
		if b.tat.CompareAndSwap(tat, max(tat, now)+debt) {
			return
		}
	}
}

// Debt is [Bucket.Debt]. What shards have borrowed counts as spent.
func (s *Shared) Debt(now int64) int64 { return s.tat.Debt(now) }

// Owe is [Bucket.Owe].
func (s *Shared) Owe(now, debt int64) { s.tat.Owe(now, debt) }

// Told is until when another process, which goes on for this one, has buckets in debt,
// by their names. Nil is that it knows of none.
type Told[K comparable] map[K]int64

// Growth returns how much of a bucket's debt the other process does not know of yet,
// and takes it for told.
func (t *Told[K]) Growth(name K, now, debt int64) int64 {
	if debt == 0 {
		return 0
	}
	known := max(0, (*t)[name]-now)
	if debt <= known {
		return 0
	}
	if *t == nil {
		*t = Told[K]{}
	}
	(*t)[name] = now + min(debt, math.MaxInt64-now)
	return debt - known
}
