package throttle

import "github.com/tidegate/tidegate/dataplane/definition"

// Debt is what a bucket has spent: nanoseconds until it is full again.
type Debt struct {
	APIID  string `json:"apiId,omitempty"` // empty: the account's bucket
	Stage  string `json:"stage,omitempty"`
	Bucket string `json:"bucket,omitempty"`
	Nanos  int64  `json:"nanos"`
}

// Debts returns those of all buckets that are not full, for a Store that goes on
// for this one. now is that of the event loops, here and in Owe. Both may be called
// from any goroutine.
func (s *Store) Debts(now int64) (debts []Debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.account.Debt(now); d > 0 {
		debts = append(debts, Debt{Nanos: d})
	}
	for key, buckets := range s.stages {
		for name, b := range buckets {
			if d := b.Debt(now); d > 0 {
				debts = append(debts, Debt{key.APIID, key.Stage, name, d})
			}
		}
	}
	return debts
}

// Owe has the buckets go on where others were. What this Store has no bucket for
// is ignored.
func (s *Store) Owe(now int64, debts []Debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range debts {
		if d.APIID == "" {
			s.account.Owe(now, d.Nanos)
		} else if b := s.stages[definition.StageKey{APIID: d.APIID, Stage: d.Stage}][d.Bucket]; b != nil {
			b.Owe(now, d.Nanos)
		}
	}
}
