package authorizer

import (
	"context"
	"crypto/x509"
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
	MaxVerdicts int           // that are remembered; of those that allow nothing, a quarter as many

	Loops   int            // event loops that look verdicts up; 1 if 0
	Lambda  Lambda         // nil: the host calls no functions
	RootCAs *x509.CertPool // that may certify HTTP endpoints; nil for the system's
	Now     func() int64   // the clock of Lookup's now, in nanoseconds
}

// Store keeps what outlives deployments: the verdicts of all authorizers, and
// the calls under way. Its methods are for the control path; any goroutine may
// call them.
type Store struct {
	options Options
	ctx     context.Context // ends with Close
	stop    context.CancelFunc

	mu      sync.Mutex
	all     map[place]*state
	gone    *Stats // of those that are forgotten
	running bool
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
	o.Loops = max(o.Loops, 1)
	s := &Store{options: o, all: map[place]*state{}, gone: newStats(o.Loops)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// state is what is known of one authorizer of one stage, whatever its definition.
type state struct {
	allowing, denying cache
	generation        atomic.Uint64 // of keys; each flush begins one
	stats             *Stats

	sequence atomic.Uint64 // of keys that are asked for once
	calls    *verdict.Calls[*Verdict]
	ctx      context.Context
	now      func() int64
	failure  atomic.Pointer[failure] // the last one

	client *http.Client // of an HTTP endpoint
	name   string       // as it was compiled last; of Store.mu
}

// denials is how many fewer verdicts are remembered that allow nothing.
const denials = 4

func (s *Store) state(at place, name string) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.all[at]
	if known == nil {
		known = &state{
			allowing: cache{most: s.options.MaxVerdicts}, denying: cache{most: s.options.MaxVerdicts / denials},
			stats: newStats(s.options.Loops), calls: verdict.NewCalls[*Verdict](s.options.MaxCalls, s.options.MaxWaiters),
			ctx: s.ctx, now: s.options.Now, client: newClient(s.options.RootCAs),
		}
		s.all[at] = known
	}
	known.name = name
	return known
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

// Retain forgets the authorizers that keep does not name. With the first ones that
// serve, the store begins to free the memory of verdicts that have expired.
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
			s.gone.add(known.stats)
			delete(s.all, at)
		}
	}
	if len(keep) > 0 && !s.running && s.ctx.Err() == nil {
		s.running = true
		go s.run()
	}
}

// sweepEvery is how long a verdict that has expired may take up memory.
const sweepEvery = time.Minute

func (s *Store) run() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
			s.sweep(s.options.Now())
		}
	}
}

// sweep frees what has expired.
func (s *Store) sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.all {
		known.allowing.sweep(now)
		known.denying.sweep(now)
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
