package limiter

import (
	"math"
	"sync/atomic"
)

// Bucket is a token bucket in one word, the theoretical arrival time of GCRA in
// nanoseconds of the caller's monotonic clock. The zero value is full. It must
// not be copied.
type Bucket struct {
	tat atomic.Int64
}

// Spend takes a token and returns 0, or takes nothing and returns how many
// nanoseconds after now there will be one, [Never] when the limit blocks.
func (b *Bucket) Spend(now int64, l Limit) (wait int64) {
	if l.horizon == 0 {
		return Never
	}
	for {
		tat := b.tat.Load()
		next := max(tat, now) + l.interval
		if wait := next - now - l.horizon; wait > 0 {
			return wait
		}
		if b.tat.CompareAndSwap(tat, next) {
			return 0
		}
	}
}

// Remaining returns the whole tokens that could be spent at now.
func (b *Bucket) Remaining(now int64, l Limit) int64 {
	if l.horizon == 0 {
		return 0
	}
	return max(0, l.horizon-max(0, b.tat.Load()-now)) / l.interval
}

// Full reports whether nothing spent is still to be refilled, under any limit.
func (b *Bucket) Full(now int64) bool { return b.tat.Load() <= now }

// Debt returns in how many nanoseconds everything spent is refilled, under any
// limit; 0 when the bucket is full.
func (b *Bucket) Debt(now int64) int64 { return max(0, b.tat.Load()-now) }

// Clear fills the bucket, for one whose memory gets another owner.
func (b *Bucket) Clear() { b.tat.Store(0) }

// Change converts the bucket from one limit to another: as many tokens stay
// spent as were, at most the new burst. Call it once when a limit changes.
// Without it nothing is over-admitted, but a bucket that was empty can stay
// empty longer, since what was spent is kept as a time. Across one change the
// bound is the larger burst and, in each part of the window, that part's rate;
// what was spent beyond a smaller burst is forgotten. Spends that still come
// with the old limit are bound by the laxer of the two.
func (b *Bucket) Change(now int64, from, to Limit) {
	if from.Blocks() || to.Blocks() {
		return
	}
	for {
		tat := b.tat.Load()
		if tat <= now {
			return
		}
		spent := float64(tat-now) / float64(from.interval)
		debt := math.Ceil(spent * float64(to.interval))
		next := now + to.horizon
		if debt < float64(to.horizon) {
			next = now + int64(debt)
		}
		if b.tat.CompareAndSwap(tat, next) {
			return
		}
	}
}

// peek prepares the spend of c without making it.
func (b *Bucket) peek(now int64, c *Charge) (wait int64, left float64) {
	l := c.Limit
	if l.horizon == 0 {
		return Never, 0
	}
	tat := b.tat.Load()
	next := max(tat, now) + l.interval
	c.cell, c.before, c.after = &b.tat, tat, next
	room := now + l.horizon - next
	if room < 0 {
		return -room, 0
	}
	return 0, float64(room) * l.perNano
}
