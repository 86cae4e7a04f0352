package upstream

import "sync/atomic"

// Cap bounds what is under way at once, over all loops. A loop takes room from the
// others in leases, so that most requests touch nothing that loops share; the sum
// is never over the limit, and up to an eighth of it can be out of a loop's reach
// while others hold it.
type Cap struct {
	limit  atomic.Int64
	spare  atomic.Int64 // how much a loop keeps of what it does not use
	leased atomic.Int64
	leases []lease // by loop
}

// lease is what a loop has of a Cap.
type lease struct {
	used atomic.Int64 // written by the loop alone
	held int64
	_    [48]byte
}

// capKey names the Cap of a stage.
type capKey struct{ apiID, stage string }

// StageCap returns the Cap of a stage's requests. limit is that of a new one.
func (s *Store) StageCap(apiID, stage string, limit int) *Cap {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := capKey{apiID, stage}
	c := s.caps[key]
	if c == nil {
		c = newCap(len(s.loops), int64(limit))
		s.caps[key] = c
	}
	return c
}

func newCap(loops int, limit int64) *Cap {
	c := &Cap{leases: make([]lease, loops)}
	c.SetLimit(limit)
	return c
}

// take takes n on a loop. It is false when that would be over the limit.
func (c *Cap) take(loop int, n int64) bool {
	l := &c.leases[loop]
	used := l.used.Load() + n
	if used > l.held && !c.extend(l, used-l.held) {
		return false
	}
	l.used.Store(used)
	return true
}

func (c *Cap) extend(l *lease, need int64) bool {
	for {
		leased := c.leased.Load()
		free := c.limit.Load() - leased
		if free < need {
			return false
		}
		n := min(need+c.spare.Load(), free)
		if c.leased.CompareAndSwap(leased, leased+n) {
			l.held += n
			return true
		}
	}
}

// give gives back n that was taken on the loop.
func (c *Cap) give(loop int, n int64) {
	l := &c.leases[loop]
	used := l.used.Load() - n
	l.used.Store(used)
	if spare := c.spare.Load(); l.held-used > 2*spare {
		n := l.held - used - spare
		l.held -= n
		c.leased.Add(-n)
	}
}

// Used returns what is under way.
func (c *Cap) Used() (n int64) {
	for i := range c.leases {
		n += c.leases[i].used.Load()
	}
	return n
}

// SetLimit sets the most that may be under way. What is under way goes on.
func (c *Cap) SetLimit(n int64) {
	c.limit.Store(n)
	c.spare.Store(n / int64(16*len(c.leases)))
}

// Limit returns the most that may be under way.
func (c *Cap) Limit() int64 { return c.limit.Load() }
