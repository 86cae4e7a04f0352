package throttle

import "github.com/tidegate/tidegate/dataplane/definition"

// Debt is what a bucket has spent: nanoseconds until it is full again.
type Debt struct {
	APIID  string `json:"apiId,omitempty"` // empty: the account's bucket
	Stage  string `json:"stage,omitempty"`
	Bucket string `json:"bucket,omitempty"`
	Nanos  int64  `json:"nanos"`
}

// bucketName names a bucket of a Store.
type bucketName struct {
	stage  definition.StageKey // zero: the account's
	bucket string
}

// Debts returns those of all buckets that are not full, for a Store that goes on
// for this one. now is that of the event loops, in Owe and LateDebts too. All three
// may be called from any goroutine.
func (s *Store) Debts(now int64) []Debt {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = nil
	return s.grown(now)
}

// LateDebts returns what was spent since Debts, or since the last call.
func (s *Store) LateDebts(now int64) []Debt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grown(now)
}

// grown returns what the buckets owe that the other Store does not know of yet.
func (s *Store) grown(now int64) (debts []Debt) {
	tell := func(name bucketName, debt int64) {
		if n := s.told.Growth(name, now, debt); n > 0 {
			debts = append(debts, Debt{name.stage.APIID, name.stage.Stage, name.bucket, n})
		}
	}
	tell(bucketName{}, s.account.Debt(now))
	for key, buckets := range s.stages {
		for name, b := range buckets {
			tell(bucketName{key, name}, b.Debt(now))
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
