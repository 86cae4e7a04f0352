package authorizer

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Stats are the counts of one authorizer of one stage, or of all. They only grow.
// Any goroutine may read them.
type Stats struct {
	Hits          PerLoop      // verdicts found remembered
	Misses        PerLoop      // and not
	Calls         atomic.Int64 // of the owner's code, that ended
	Nanoseconds   atomic.Int64 // that those took, together
	Decided       atomic.Int64 // of those, with a policy
	Unauthorized  atomic.Int64 // callers that it does not know
	Invalid       atomic.Int64 // requests whose token does not match the validation expression
	Failed        atomic.Int64
	Misconfigured atomic.Int64
	Busy          atomic.Int64 // requests that were told so
}

// PerLoop is a count that every event loop adds to in a place of its own.
type PerLoop []struct {
	n atomic.Int64
	_ [56]byte // to the end of the line of the CPU's cache
}

func (c PerLoop) add(loop int) { c[loop].n.Add(1) }

// Load returns the sum.
func (c PerLoop) Load() (sum int64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

func newStats(loops int) *Stats {
	return &Stats{Hits: make(PerLoop, loops), Misses: make(PerLoop, loops)}
}

// Outcome returns the count of calls with an outcome.
func (s *Stats) Outcome(o Outcome) *atomic.Int64 {
	return [...]*atomic.Int64{Failed: &s.Failed, Misconfigured: &s.Misconfigured, Unauthorized: &s.Unauthorized, Decided: &s.Decided}[o]
}

// count adds the verdict of a call.
func (s *Stats) count(v *Verdict) {
	s.Calls.Add(1)
	s.Nanoseconds.Add(v.Latency)
	s.Outcome(v.Outcome).Add(1)
}

// add adds the counts of another.
func (s *Stats) add(o *Stats) {
	for i := range s.Hits {
		s.Hits[i].n.Add(o.Hits[i].n.Load())
		s.Misses[i].n.Add(o.Misses[i].n.Load())
	}
	for _, c := range []struct{ to, from *atomic.Int64 }{
		{&s.Calls, &o.Calls}, {&s.Nanoseconds, &o.Nanoseconds}, {&s.Decided, &o.Decided}, {&s.Unauthorized, &o.Unauthorized}, {&s.Invalid, &o.Invalid}, {&s.Failed, &o.Failed},
		{&s.Misconfigured, &o.Misconfigured}, {&s.Busy, &o.Busy},
	} {
		c.to.Add(c.from.Load())
	}
}

// Total returns the counts of all authorizers since the start, those that are
// gone included.
func (s *Store) Total() *Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := newStats(s.options.Loops)
	sum.add(s.gone)
	for _, known := range s.all {
		sum.add(known.stats)
	}
	return sum
}

// Waiting returns how many requests wait for authorizers now.
func (s *Store) Waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.all {
		n += known.calls.Waiting()
	}
	return n
}

// Status is how it is with one authorizer of one stage.
type Status struct {
	definition.StageKey
	ID, Name   string
	Stats      *Stats
	Remembered int       // verdicts, those included that have expired a moment ago
	Waiting    int       // requests
	LastError  string    // of the last call that gave no verdict, at FailedAt; "" if none did
	FailedAt   time.Time // zero if none did
}

// failure is a call that gave no verdict.
type failure struct {
	text string
	at   time.Time
}

// Status returns how it is with all authorizers, sorted by API, stage and name.
func (s *Store) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Status, 0, len(s.all))
	for at, known := range s.all {
		one := Status{StageKey: at.StageKey, ID: at.id, Name: known.name, Stats: known.stats, Waiting: known.calls.Waiting()}
		for _, c := range []*cache{&known.allowing, &known.denying} {
			one.Remembered += c.len()
		}
		if f := known.failure.Load(); f != nil {
			one.LastError, one.FailedAt = f.text, f.at
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Status) int {
		return strings.Compare(a.APIID+" "+a.Stage+" "+a.Name+" "+a.ID, b.APIID+" "+b.Stage+" "+b.Name+" "+b.ID)
	})
	return list
}
