package usage

import (
	"sync"

	"github.com/tidegate/tidegate/limiter"
)

// Late is requests that were counted when the journal was another process's
// already.
type Late struct {
	PlanID   string `json:"plan"`
	KeyID    string `json:"key"`
	Day      int64  `json:"day"` // days since the Unix epoch
	Requests int64  `json:"requests"`
}

// late gathers what is counted late, a part for each event loop.
type late struct{ shards []lateShard }

type lateShard struct {
	mu     sync.Mutex
	counts map[lateKey]int64 // that TakeLate has not told
	all    map[lateKey]int64
	_      [40]byte
}

type lateKey struct {
	account *account
	number  uint32 // of the account
	day     int64
}

// HandOver has everything that is counted from now on told by TakeLate in place of
// the journal, which can then be closed. Any goroutine may call it, and TakeLate
// and KeepCounting.
func (s *Store) HandOver() {
	l := &late{shards: make([]lateShard, len(s.counted))}
	for i := range l.shards {
		l.shards[i].counts, l.shards[i].all = map[lateKey]int64{}, map[lateKey]int64{}
	}
	s.late.Store(l)
}

// KeepCounting undoes HandOver: there is to be a journal again. What was counted
// since is in it.
func (s *Store) KeepCounting() {
	l := s.late.Swap(nil)
	if l == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.Lock()
		for k, n := range sh.all {
			for range n {
				k.account.days.Count(limiter.Day.Start(k.day), limiter.Day)
			}
			if k.account.markDirty(k.day) {
				s.counted[0].push(s.accounts, k.number)
			}
		}
		sh.mu.Unlock()
	}
}

func (l *late) count(shard int, a *account, number uint32, day int64) {
	sh := &l.shards[shard]
	sh.mu.Lock()
	sh.counts[lateKey{a, number, day}]++
	sh.all[lateKey{a, number, day}]++
	sh.mu.Unlock()
}

// in returns what an account has late in the window of a quota that has a day.
func (l *late) in(a *account, q limiter.Quota, day int64) (n int64) {
	if l == nil {
		return 0
	}
	window := q.Period().Number(limiter.Day.Start(day))
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.Lock()
		for k, count := range sh.all {
			if k.account == a && q.Period().Number(limiter.Day.Start(k.day)) == window {
				n += count
			}
		}
		sh.mu.Unlock()
	}
	return n
}

// TakeLate returns what was counted since HandOver or the last call.
func (s *Store) TakeLate() (all []Late) {
	l := s.late.Load()
	if l == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.Lock()
		counts := sh.counts
		sh.counts = map[lateKey]int64{}
		sh.mu.Unlock()
		for k, n := range counts {
			if k.account.state.Load()&occupied == 0 {
				continue
			}
			all = append(all, Late{PlanID: s.plans.ids[k.account.plan()], KeyID: s.keyID(k.account), Day: k.day, Requests: n})
		}
	}
	return all
}

// AddLate counts what another process was late with, in the day and in the quota's
// window. What there is no plan or key for is ignored. Any goroutine may call it.
func (s *Store) AddLate(l Late) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, number := s.lookup(l.PlanID, l.KeyID)
	if a == nil || l.Day < 0 || l.Day > maxWindow {
		return
	}
	wall := limiter.Day.Start(l.Day)
	p := s.plans.inForce[a.plan()]
	for range l.Requests {
		a.days.Count(wall, limiter.Day)
		if p != nil && p.quota != nil {
			a.quota.Count(wall, p.quota.Period())
		}
	}
	if a.markDirty(l.Day) {
		s.counted[0].push(s.accounts, number)
	}
}
