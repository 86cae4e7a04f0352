package usage

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/limiter"
)

// account is what one key has used of one plan: 64 bytes, one cache line. It
// stays when the key is taken out of the plan, so that it finds its usage when
// it is put back.
type account struct {
	bucket limiter.Bucket
	quota  limiter.Counter
	days   limiter.Counter // requests per UTC day
	grant  atomic.Int64    // see grant

	state   atomic.Uint32 // the plan's number, and the flags below
	owner   uint32        // the key's record; does not change while a request may hold the account
	sibling atomic.Uint32 // the key's next account, plus one
	next    atomic.Uint32 // in the stack of the counted, plus one
}

// Flags of an account. The pairs say of which days, even or odd, there are
// counts: the two days that a counter keeps nearly always are neighbours, so
// that one is not written over and over because of the other.
const (
	occupied = 1 << iota // a key and plan have it
	linked               // and the key is in the plan
	dirtyEven
	dirtyOdd
	touchedEven
	touchedOdd

	dirty     = dirtyEven | dirtyOdd     // the journal has yet to write them
	touched   = touchedEven | touchedOdd // the archive has yet to write them
	bothDays  = 3                        // as a bit each: the even, the odd
	planShift = 8
	maxPlans  = 1 << (32 - planShift)
)

func (a *account) plan() uint32 { return a.state.Load() >> planShift }

// markDirty reports whether the account had nothing for the journal before.
func (a *account) markDirty(day int64) (first bool) {
	flag := uint32(dirtyEven) << (day & 1)
	if a.state.Load()&flag != 0 {
		return false
	}
	return a.state.Or(flag)&dirty == 0
}

// occupy makes a vacant account that of a key in a plan. It fails while a
// request that held it long ago still has it written.
func (a *account) occupy(plan, owner, sibling uint32) bool {
	state := a.state.Load()
	if state&(dirty|occupied) != 0 {
		return false
	}
	a.bucket.Clear()
	a.quota.Clear()
	a.days.Clear()
	a.grant.Store(0)
	a.owner = owner
	a.sibling.Store(sibling)
	return a.state.CompareAndSwap(state, plan<<planShift|occupied)
}

// A grant is a number of requests beyond the quota, negative for fewer, for one
// window of it. It is packed as a window of a [limiter.Counter] is.
type grant struct {
	period limiter.Period
	window int64
	extra  int64
}

const (
	grantBits  = 40
	windowBits = 21
	maxWindow  = 1<<windowBits - 1
	maxGrant   = 1<<(grantBits-1) - 1
)

func (g grant) pack() int64 {
	extra := min(max(-maxGrant, g.extra), maxGrant)
	return int64(g.period)<<(windowBits+grantBits) | (g.window&maxWindow)<<grantBits | extra&(1<<grantBits-1)
}

func unpackGrant(word int64) grant {
	return grant{
		period: limiter.Period(word >> (windowBits + grantBits)),
		window: word >> grantBits & maxWindow,
		extra:  word << (64 - grantBits) >> (64 - grantBits),
	}
}

// extraAt returns what is granted for a window.
func (a *account) extraAt(p limiter.Period, window int64) int64 {
	word := a.grant.Load()
	if word == 0 {
		return 0
	}
	if g := unpackGrant(word); g.period == p && g.window == window {
		return g.extra
	}
	return 0
}
