package limiter

import (
	"math"
	"sync/atomic"
)

// Charge is one limit that a request is charged against, one token: a Bucket
// with its Limit, or a Shared, or a Counter with its Quota. Exactly one of
// Bucket, Shared and Counter is set. Bucket or Counter usually point into an
// [Entry]; Limit and Quota into what was deployed. A charge is scratch space of
// one request and must not be used by two at a time.
type Charge struct {
	Bucket  *Bucket
	Limit   *Limit
	Shared  *Shared
	Counter *Counter
	Quota   *Quota

	// What was read, and what is to be written in its place.
	cell          *atomic.Int64
	before, after int64
	lender        *shard // of a Shared: whose run cell is, nil for the common line
	under         *Limit // which the common line is spent from
	slots         int64  // how many after takes of it
}

// Decision is what became of the charges of one request.
type Decision struct {
	// Denied is the index of the charge that denied, the one with the longest
	// wait when several did, or -1 when the request is allowed.
	Denied int
	// RetryAfter is how many nanoseconds after now the charge at Denied would
	// allow, [Never] when it blocks, 0 when the request is allowed.
	RetryAfter int64
	// Tightest is the index of the charge with the fewest tokens left, that at
	// Denied when the request is denied, -1 without charges.
	Tightest int
	// Remaining is the whole tokens left at Tightest; for the RateLimit header.
	Remaining int64
	// Reset is in how many nanoseconds the charge at Tightest is whole again: its
	// bucket full or its quota window over; [Never] when it blocks.
	Reset int64
}

// Allowed reports whether every limit allowed the request.
func (d *Decision) Allowed() bool { return d.Denied < 0 }

// SpendAll takes a token from every charge or from none. Every limit is
// read before one is written, so a request that some limit denies costs nothing
// and is in nobody's way. now, wall and shard are as the package comment and
// [Shared.Spend] say.
//
// Only when another request takes the last token between the reading and the
// taking is anything rolled back. Counters then are exact. A bucket takes its
// token back if no other request has spent from it meanwhile; otherwise the
// token counts as spent, for one could not know whether it has overflowed, and
// the bound comes first. The tightest limit is taken first, so that takes two
// limits with their last tokens contended at the same instant.
func SpendAll(now, wall int64, shard int, charges []Charge) Decision {
	denied, longest := -1, int64(0)
	tightest, least := -1, math.Inf(1)
	for i := range charges {
		wait, left := charges[i].peek(now, wall, shard)
		if wait > longest {
			denied, longest = i, wait
		}
		if left < least {
			tightest, least = i, left
		}
	}
	if tightest < 0 {
		return Decision{Denied: -1, Tightest: -1}
	}
	if denied < 0 {
		denied, longest = commitAll(now, wall, shard, charges, tightest)
	}
	if denied >= 0 {
		tightest, least = denied, 0
	}
	return Decision{
		Denied:     denied,
		RetryAfter: longest,
		Tightest:   tightest,
		Remaining:  int64(least + 1e-6), // least comes from a multiplication by 1/T
		Reset:      charges[tightest].reset(now, wall),
	}
}

// commitAll makes the spends that peek prepared, that at first before the
// others, and unmakes them when one is denied after all.
func commitAll(now, wall int64, shard int, charges []Charge, first int) (denied int, wait int64) {
	if wait := charges[first].commit(now, wall, shard); wait > 0 {
		return first, wait
	}
	for i := range charges {
		if i == first {
			continue
		}
		if wait := charges[i].commit(now, wall, shard); wait > 0 {
			for j := i - 1; j >= 0; j-- {
				if j != first {
					charges[j].rollback()
				}
			}
			charges[first].rollback()
			return i, wait
		}
	}
	return -1, 0
}

func (c *Charge) peek(now, wall int64, shard int) (wait int64, left float64) {
	switch {
	case c.Bucket != nil:
		return c.Bucket.peek(now, c)
	case c.Counter != nil:
		return c.Counter.peek(wall, c)
	default:
		return c.Shared.peek(now, shard, c)
	}
}

// commit makes the spend that peek prepared, or prepares it anew as long as
// others are faster. It returns the wait when meanwhile nothing is left.
func (c *Charge) commit(now, wall int64, shard int) (wait int64) {
	for !c.cell.CompareAndSwap(c.before, c.after) {
		if wait, _ := c.peek(now, wall, shard); wait > 0 {
			return wait
		}
	}
	if c.Shared != nil {
		c.Shared.spent(now, shard, c)
	}
	return 0
}

func (c *Charge) rollback() {
	if c.Counter != nil {
		c.uncount()
		return
	}
	c.cell.CompareAndSwap(c.after, c.before)
}

func (c *Charge) reset(now, wall int64) int64 {
	switch {
	case c.Counter != nil:
		return c.Quota.end(wall) - wall
	case c.Bucket != nil:
		if c.Limit.Blocks() {
			return Never
		}
		return c.Bucket.Debt(now)
	default:
		if c.Shared.Limit().Blocks() {
			return Never
		}
		return c.Shared.tat.Debt(now)
	}
}
