package throttle

import (
	"math"
	"sync"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// Store keeps the buckets, which outlive deployments: to deploy does not refill
// them. What is called per request is lock-free; the rest may be called from
// any goroutine.
type Store struct {
	account *limiter.Shared

	mu     sync.Mutex
	stages map[definition.StageKey]map[string]*bucket
	told   limiter.Told[bucketName] // to a successor
}

// bucket is a token bucket with the limit that it was last spent under.
type bucket struct {
	limiter.Bucket
	current limiter.Limit // guarded by Store.mu
}

// NewStore returns a store for so many event loops, under AWS's account limit
// until Commit sets another.
func NewStore(shards int) *Store {
	return &Store{
		account: limiter.NewShared(shards, DefaultRate.Limit()),
		stages:  map[definition.StageKey]map[string]*bucket{},
	}
}

// Account returns the account's bucket.
func (s *Store) Account() *limiter.Shared { return s.account }

// Rate is a limit with both its parts.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultRate is AWS's for an account in most regions.
var DefaultRate = Rate{PerSecond: 10_000, Burst: 5_000}

// Limit returns the rate as the limiter has it.
func (r Rate) Limit() limiter.Limit { return limiter.NewLimit(r.PerSecond, r.Burst) }

// With returns t with what it leaves open taken from r.
func (r Rate) With(t definition.Throttle) Rate {
	if t.RateLimit != nil {
		r.PerSecond = *t.RateLimit
	}
	if t.BurstLimit != nil {
		r.Burst = *t.BurstLimit
	}
	return r
}

// rateOf is With of a setting that says something, or nil.
func (r Rate) rateOf(t definition.Throttle) *Rate {
	if t == (definition.Throttle{}) {
		return nil
	}
	r = r.With(t)
	return &r
}

// burstOf is the part of the account's burst that goes with a guaranteed rate.
func (r Rate) burstOf(guaranteed float64) int {
	return max(1, int(math.Ceil(float64(r.Burst)*guaranteed/r.PerSecond)))
}

// bucket returns a bucket of a stage, making it at the first call.
func (s *Store) bucket(key definition.StageKey, name string) *bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.stages[key]
	if of == nil {
		of = map[string]*bucket{}
		s.stages[key] = of
	}
	b := of[name]
	if b == nil {
		b = &bucket{}
		of[name] = b
	}
	return b
}

// Commit puts the limits of an account and of all its stages in force, keeping
// what has been spent. It is for a snapshot that begins to serve, at now.
func (s *Store) Commit(now int64, account Rate, stages []*Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reserved := 0
	for _, l := range stages {
		for _, of := range l.all {
			if of.bucket.current != of.limit {
				of.bucket.Change(now, of.bucket.current, of.limit)
				of.bucket.current = of.limit
			}
		}
		if l.reserve != nil {
			reserved += int(l.reserve.limit.Burst())
		}
	}
	// The guaranteed shares come out of the account's burst, so that all
	// together stay under its limit: see the package comment.
	common := Rate{account.PerSecond, max(1, account.Burst-reserved)}.Limit()
	if s.account.Limit() != common {
		s.account.SetLimit(now, common)
	}
}

// Forget drops the buckets of a stage that was deleted.
func (s *Store) Forget(key definition.StageKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stages, key)
}
