package usage

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/limiter"
)

// Count counts an admitted request of the client in the day that has wall, and
// has the journal write the account. shard is the caller's event loop, below
// Options.Shards: loops do not get in each other's way.
func (s *Store) Count(shard int, c *Client, wall int64) {
	if l := s.late.Load(); l != nil {
		l.count(shard, c.account, c.number, limiter.Day.Number(wall))
		return
	}
	day := c.account.days.Count(wall, limiter.Day)
	if c.account.markDirty(day) {
		s.counted[shard].push(s.accounts, c.number)
	}
}

// stack is the accounts that have something for the journal, linked through
// themselves. An account is on one stack at most. Since all are taken at once,
// a head that is the same again has the same below it.
type stack struct {
	head atomic.Uint32 // plus one
	_    [60]byte      // loops must not share a cache line
}

func (st *stack) push(accounts *slab[account], number uint32) {
	a := accounts.at(number)
	for {
		head := st.head.Load()
		a.next.Store(head)
		if st.head.CompareAndSwap(head, number+1) {
			return
		}
	}
}

// drain takes all accounts that were counted and calls f with what they have
// used on the days in question, in a moment after that. It appends the numbers
// of the accounts to numbers and returns them.
func (s *Store) drain(numbers []uint32, f func(total)) []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.counted {
		for next := s.counted[i].head.Swap(0); next != 0; {
			number := next - 1
			a := s.accounts.at(number)
			next = a.next.Load() // before the account can be pushed again
			// Clean before it is read: what is counted after that marks it again.
			days := a.state.And(^uint32(dirty)) & dirty / dirtyEven
			if a.state.Load()&occupied == 0 {
				continue
			}
			s.touch(a, number, days)
			s.totals(a, days, f)
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// dirtyAgain has accounts drained once more.
func (s *Store) dirtyAgain(numbers []uint32) {
	for _, number := range numbers {
		if a := s.accounts.at(number); a.state.Or(dirty)&dirty == 0 {
			s.counted[0].push(s.accounts, number)
		}
	}
}

// touch has the archive write an account's days.
func (s *Store) touch(a *account, number, days uint32) {
	if a.state.Or(days*touchedEven)&touched == 0 {
		s.touched = append(s.touched, number)
	}
}

// takeTouched returns the accounts that the archive has yet to write.
func (s *Store) takeTouched() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers := s.touched
	s.touched = nil
	return numbers
}

// touchAgain gives them back: those that untouch was called with and that could
// not be written, and the rest.
func (s *Store) touchAgain(failed, rest []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range failed {
		s.touch(s.accounts.at(number), number, bothDays)
	}
	s.touched = append(s.touched, rest...)
}

// untouch is drain for touched accounts.
func (s *Store) untouch(numbers []uint32, f func(total)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range numbers {
		a := s.accounts.at(number)
		days := a.state.And(^uint32(touched)) & touched / touchedEven
		if a.state.Load()&occupied != 0 {
			s.totals(a, days, f)
		}
	}
}
