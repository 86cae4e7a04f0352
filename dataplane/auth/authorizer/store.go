package authorizer

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// DefaultTimeout is how long an authorizer may take. AWS does not document it for
// REST APIs, where functions are reported to have 30 seconds; those of HTTP APIs
// have 10.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
const DefaultTimeout = 30 * time.Second

// Defaults of Options.
const (
	DefaultMaxCalls    = 256
	DefaultMaxWaiters  = 4096
	DefaultMaxVerdicts = 4096
)

// Options of a Store. What is 0 has its default, but for Now.
type Options struct {
	// Of every authorizer by itself, so that one that is slow or busy is no
	// other's burden.
	Timeout     time.Duration // of a call
	MaxCalls    int           // under way at once
	MaxWaiters  int           // requests that wait for them
	MaxVerdicts int           // that are remembered

	Lambda Lambda       // nil: the host calls no functions
	Now    func() int64 // the clock of Lookup's now, in nanoseconds
}

// Store keeps what outlives deployments: the verdicts of all authorizers, and
// the calls under way. Its methods are for the control path; any goroutine may
// call them.
type Store struct {
	options Options
	ctx     context.Context // ends with Close
	stop    context.CancelFunc

	mu  sync.Mutex
	all map[place]*state
}

// place is where an authorizer belongs.
type place struct {
	definition.StageKey
	id string
}

// NewStore returns an empty Store.
func NewStore(o Options) *Store {
	for _, bound := range []struct {
		value  *int
		preset int
	}{{&o.MaxCalls, DefaultMaxCalls}, {&o.MaxWaiters, DefaultMaxWaiters}, {&o.MaxVerdicts, DefaultMaxVerdicts}} {
		if *bound.value == 0 {
			*bound.value = bound.preset
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	s := &Store{options: o, all: map[place]*state{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// state is what is known of one authorizer of one stage, whatever its definition.
type state struct {
	cache      atomic.Pointer[verdict.Cache[Verdict]] // nil until there is something to remember
	generation atomic.Uint64                          // of keys; each flush begins one
	stats      *Stats

	sequence atomic.Uint64 // of keys that are asked for once
	calls    *verdict.Calls[*Verdict]
	ctx      context.Context
	now      func() int64
	most     int

	client *http.Client // of an HTTP endpoint
}

func (s *Store) state(at place) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.all[at]
	if known == nil {
		known = &state{
			stats: &Stats{}, calls: verdict.NewCalls[*Verdict](s.options.MaxCalls, s.options.MaxWaiters),
			ctx: s.ctx, now: s.options.Now, most: s.options.MaxVerdicts, client: newClient(),
		}
		s.all[at] = known
	}
	return known
}

func (s *state) lookup(key []byte, now int64) *Verdict {
	if c := s.cache.Load(); c != nil {
		return c.Get(key, now)
	}
	return nil
}

func (s *state) remember(key []byte, v Verdict, now, until int64) {
	c := s.cache.Load()
	if c == nil {
		s.cache.CompareAndSwap(nil, verdict.NewCache[Verdict](s.most))
		c = s.cache.Load()
	}
	c.Put(key, v, now, until)
}

// flush makes what is remembered, and what calls under way will say, unknown to
// keys made from now on.
func (s *state) flush() {
	s.generation.Add(1)
	if c := s.cache.Load(); c != nil {
		c.Flush()
	}
}

// Flush forgets the verdicts of a stage's authorizers. It is false when the stage
// has none.
func (s *Store) Flush(key definition.StageKey) (flushed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, known := range s.all {
		if at.StageKey == key {
			known.flush()
			flushed = true
		}
	}
	return flushed
}

// Sweep frees the memory of verdicts that have expired; call it every minute or
// so.
func (s *Store) Sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.all {
		if c := known.cache.Load(); c != nil {
			c.Sweep(now)
		}
	}
}

// Retain forgets the authorizers that keep does not name.
func (s *Store) Retain(keep map[*Authorizer]bool) {
	kept := map[*state]bool{}
	for a := range keep {
		kept[a.state] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, known := range s.all {
		if !kept[known] {
			known.client.CloseIdleConnections()
			delete(s.all, at)
		}
	}
}

// Close ends calls under way, which fail, and closes connections.
func (s *Store) Close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.all {
		known.client.CloseIdleConnections()
	}
}

// Each calls f with every authorizer, by the stage and its id.
func (s *Store) Each(f func(stage definition.StageKey, id string, stats *Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, known := range s.all {
		f(at.StageKey, at.id, known.stats)
	}
}
