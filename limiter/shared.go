package limiter

import "sync/atomic"

// Shared is a token bucket that all cores hit on every request, the account's.
// It is split into shards, one per event loop. A shard borrows a run of slots
// from the common line and spends them without touching what other cores write.
//
// The bound is exact, as the package comment says: slots are moved, never
// created. Next to nothing is wasted, whichever shards the load is on: a shard
// that finds the common line empty spends from the runs of the others, so a
// request is denied only when no slot is left anywhere; and since the length of
// its runs is earned, a shard lets expire at most 1/256 of what it spends. One
// busy shard can use the whole rate.
type Shared struct {
	limit atomic.Pointer[Limit]
	_     [lineBytes - 8]byte
	tat   Bucket // the common line
	_     [lineBytes - 8]byte

	shards []shard
}

// lineBytes is two cache lines: processors prefetch them in pairs.
const lineBytes = 128

type shard struct {
	run atomic.Int64 // slots taken and not yet spent: see run.go
	// dry is the common line at which this shard found no slot anywhere. While
	// it stays so, looking into the other shards again is in vain.
	dry atomic.Int64
	// credit is how many slots the shard has borrowed since it last let one
	// expire.
	credit atomic.Int64
	_      [lineBytes - 24]byte
}

// creditPerSlot is how much credit lengthens a run by a slot. It bounds what
// can expire to that part of what is spent.
const creditPerSlot = 256

// NewShared returns a full bucket with the given number of shards, at least 1.
func NewShared(shards int, l Limit) *Shared {
	s := &Shared{shards: make([]shard, max(1, shards))}
	s.limit.Store(&l)
	return s
}

// Limit returns the limit in force.
func (s *Shared) Limit() Limit { return *s.limit.Load() }

// SetLimit puts a limit in force at once and keeps what has been spent, as
// [Bucket.Change] does; borrowed runs count as spent. Spends may go on
// meanwhile, and none goes by a limit that is no longer in force. Calls must not
// overlap. What time passes between now and the call refills at both rates.
func (s *Shared) SetLimit(now int64, l Limit) {
	// A spend reads the word it will swap before it reads the limit. So until the
	// word is converted one that is strict for both sides of that is in force.
	from := s.limit.Load()
	s.limit.Store(&Limit{
		interval: max(from.interval, l.interval),
		horizon:  min(from.horizon, l.horizon),
		perNano:  min(from.perNano, l.perNano),
	})
	for i := range s.shards {
		s.shards[i].revoke()
	}
	s.tat.Change(now, *from, l)
	s.limit.Store(&l)
}

// revoke empties the run and leaves a word that was not there before, so that
// whoever is about to lend to the shard fails.
func (s *shard) revoke() {
	for {
		run := s.run.Load()
		if s.run.CompareAndSwap(run, run&^maxRun+maxRun+1) {
			break
		}
	}
	s.dry.Store(0)
	s.credit.Store(0)
}

// Spend takes a token and returns 0, or takes nothing and returns how many
// nanoseconds after now there will be one, [Never] when the limit blocks. shard
// is the caller's loop; any index below the number of shards is correct, but
// callers that share one also share its cache line.
func (s *Shared) Spend(now int64, shard int) (wait int64) {
	own := &s.shards[shard].run
	if run := own.Load(); runReady(run, now, s.limit.Load()) && own.CompareAndSwap(run, run-1) {
		return 0
	}
	c := Charge{Shared: s}
	if wait, _ := s.peek(now, shard, &c); wait > 0 {
		return wait
	}
	return c.commit(now, 0, shard)
}

// Wait returns what Spend would, and takes nothing. When there is a token, another
// spend may take it before the next one of the caller's.
func (s *Shared) Wait(now int64, shard int) (wait int64) {
	c := Charge{Shared: s}
	wait, _ = s.peek(now, shard, &c)
	return wait
}

// Force takes a token whether or not there is one: later spends wait for it.
// Whoever forces must bound it by a bucket of its own; the bound is then that of
// both limits together.
func (s *Shared) Force(now int64) {
	for {
		tat := s.tat.tat.Load()
		l := s.limit.Load() // after the word: see SetLimit
		if s.tat.tat.CompareAndSwap(tat, max(tat, now)+l.interval) {
			return
		}
	}
}

// peek prepares the spend of c without making it: from the shard's own run,
// else from the common line, else from the run of another shard.
func (s *Shared) peek(now int64, shard int, c *Charge) (wait int64, left float64) {
	own := &s.shards[shard]
	run, tat := own.run.Load(), s.tat.tat.Load()
	l := s.limit.Load() // after the words: see SetLimit
	if l.horizon == 0 {
		return Never, 0
	}
	base := max(tat, now)
	room := now + l.horizon - base
	if n := c.peekRun(own, run, now, l); n > 0 {
		return 0, float64(max(0, room))*l.perNano + float64(n-1)
	}
	if room >= l.interval {
		c.lender, c.under, c.slots = nil, l, s.batch(room, l, own.credit.Load())
		c.cell, c.before, c.after = &s.tat.tat, tat, base+c.slots*l.interval
		return 0, float64(room)*l.perNano - 1
	}
	if own.dry.Load() != tat {
		dry := true
		for i := range s.shards {
			other := &s.shards[i]
			n := c.peekRun(other, other.run.Load(), now, s.limit.Load())
			if n > 0 {
				return 0, 0
			}
			dry = dry && n == 0
		}
		if dry {
			own.dry.Store(tat)
		}
	}
	return l.interval - room, 0
}

// batch returns how many slots to borrow when the common line has room. Few
// while tokens are scarce, so that no shard hoards what another needs, and few
// for a shard that may not use them: slots taken while the bucket is nearly
// full expire soon.
func (s *Shared) batch(room int64, l *Limit, credit int64) int64 {
	perSlot := 4 * int64(len(s.shards)) * l.interval
	if room < 2*perSlot {
		return 1
	}
	return min(maxRun, 1+credit/creditPerSlot, room/perSlot)
}

// spent completes a spend. After one from the common line the first slot is
// spent and the others become the shard's run; from here on c's slot rolls back
// into the run.
func (s *Shared) spent(now int64, shard int, c *Charge) {
	if c.lender != nil {
		if c.before-c.after > 1 { // slots that are past went with the one spent
			c.lender.credit.Store(0)
		}
		return
	}
	own := &s.shards[shard]
	old := own.run.Load()
	usable := runSlots(old, now, c.under)
	switch {
	case old&maxRun == 0:
		own.credit.Store(own.credit.Load() + c.slots)
	case usable == 0:
		own.credit.Store(0)
	}
	if c.slots == 1 && old&maxRun == 0 {
		return
	}
	run := packRun(c.after, c.slots-1)
	if usable == 0 && s.limit.Load() == c.under && own.run.CompareAndSwap(old, run) {
		c.cell, c.before, c.after = &own.run, run+1, run
		return
	}
	// The limit has changed, or another goroutine on this shard was first: give
	// back what there is no use for.
	first := max(c.before, now)
	if rest := first + (c.after-first)/c.slots; c.cell.CompareAndSwap(c.after, rest) {
		c.after = rest
	}
}
