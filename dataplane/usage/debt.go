package usage

import "github.com/tidegate/tidegate/limiter"

// Debt is what a key has spent of a bucket: nanoseconds until it is full again.
type Debt struct {
	PlanID string       `json:"plan,omitempty"`
	KeyID  string       `json:"key,omitempty"`
	Method *limiter.Key `json:"method,omitempty"` // of a method's bucket, in place of the plan's and key's
	Nanos  int64        `json:"nanos"`
}

// told is what the other Store knows.
type told struct {
	accounts limiter.Told[*account]
	methods  limiter.Told[limiter.Key]
}

// mostDebts bounds what Debts and LateDebts return, so that handing over does not take
// long however many keys are at work.
const mostDebts = 1 << 16

// Debts returns those of buckets that are not full, for a Store with the same secret
// that goes on for this one; of more than 65,536 not all. now is that of the event
// loops, in Owe and LateDebts too. All three may be called from any goroutine; they look
// at every account.
func (s *Store) Debts(now int64) []Debt {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = told{}
	return s.grown(now)
}

// LateDebts returns what Debts left, and what was spent since, or since the last call,
// likewise bounded.
func (s *Store) LateDebts(now int64) []Debt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grown(now)
}

// grown returns what is owed that the other Store does not know of yet.
func (s *Store) grown(now int64) (debts []Debt) {
	for number := uint32(0); number < s.accounts.count && len(debts) < mostDebts; number++ {
		a := s.accounts.at(number)
		if a.state.Load()&occupied == 0 {
			continue
		}
		if n := s.told.accounts.Growth(a, now, a.bucket.Debt(now)); n > 0 {
			debts = append(debts, Debt{PlanID: s.plans.ids[a.plan()], KeyID: s.keyID(a), Nanos: n})
		}
	}
	s.methods.Range(func(e *limiter.Entry) bool {
		if len(debts) == mostDebts {
			return false
		}
		key := e.Key()
		if n := s.told.methods.Growth(key, now, e.Bucket.Debt(now)); n > 0 {
			debts = append(debts, Debt{Method: &key, Nanos: n})
		}
		return true
	})
	return debts
}

// Owe has the buckets go on where others were. What there is no plan, key or room
// for is ignored. wall is as package limiter says.
func (s *Store) Owe(now, wall int64, debts []Debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range debts {
		if d.Method != nil {
			if e, err := s.methods.LookupOrAdd(*d.Method, now, wall); err == nil {
				e.Bucket.Owe(now, d.Nanos)
			}
		} else if a, _ := s.lookup(d.PlanID, d.KeyID); a != nil {
			a.bucket.Owe(now, d.Nanos)
		}
	}
}

// keyID is called under the lock.
func (s *Store) keyID(a *account) string {
	return formatID(s.keys.records.at(a.owner).key.Load() &^ enabledFlag)
}
