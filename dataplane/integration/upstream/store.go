package upstream

import (
	"context"
	"crypto/x509"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// Config bounds the connections and requests to backends.
type Config struct {
	ConnectTimeout time.Duration
	IdleTimeout    time.Duration // keep it below the backends' own
	MaxConnections int           // to one target, over all loops
	DNSRefresh     time.Duration
	RootCAs        *x509.CertPool // nil for the system's

	// Of one API, over all loops.
	MaxInFlight int // requests, those that wait for a connection among them
	MaxWaiting  int // requests that wait for a connection
	MaxBuffered int // bytes of requests' bodies

	FailureStatuses []int   // of answers that are failures of the target, from 200 to 599
	RetryBudget     float64 // retries for each request of an API, from 0 to 1
	Health          health.Rules
}

// Store is all groups. They outlive deployments.
type Store struct {
	config   Config
	statuses statusSet
	loops    []*loop.Loop
	stop     context.CancelFunc
	ctx      context.Context
	alarms   chan *Group

	mu     sync.Mutex
	groups map[Key]*Group
	apis   map[string]*API
	caps   map[capKey]*Cap

	Opened  []Counter // by loop: connections opened
	Reused  []Counter // by loop: calls on a connection used before
	Retried []Counter // by loop: calls sent again on a fresh connection, since the used one had ended
	Moved   []Counter // by loop: calls sent again to another target
	Denied  []Counter // by loop: calls that the retry budget kept from it
	open    []Counter
	lanes   []busyLanes

	Ejections atomic.Int64 // of targets
	Opens     atomic.Int64 // of circuit breakers
}

// Counter is a count that one loop writes and anyone reads.
type Counter struct {
	n atomic.Int64
	_ [56]byte
}

// Load returns the count.
func (c *Counter) Load() int64 { return c.n.Load() }

func (c *Counter) add(n int64) { c.n.Store(c.n.Load() + n) }

// NewStore returns an empty store for the loops, whose IDs count from 0, before
// they have sockets.
func NewStore(loops []*loop.Loop, config Config) *Store {
	n := len(loops)
	s := &Store{config: config, statuses: newStatusSet(config.FailureStatuses), loops: loops, alarms: make(chan *Group, 1024),
		groups: map[Key]*Group{}, apis: map[string]*API{}, caps: map[capKey]*Cap{},
		Opened: make([]Counter, n), Reused: make([]Counter, n), Retried: make([]Counter, n), Moved: make([]Counter, n), Denied: make([]Counter, n),
		open: make([]Counter, n), lanes: make([]busyLanes, n)}
	for i, l := range loops {
		l.OnTick(s.lanes[i].expire)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	if config.DNSRefresh > 0 {
		go s.refresh()
	}
	go s.judge()
	return s
}

// Group returns the group for key, making it if need be. It opens nothing.
func (s *Store) Group(key Key) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[key]
	if g == nil {
		g = newGroup(s, s.api(key.APIID), key)
		s.groups[key] = g
	}
	return g
}

// api returns what the requests of an API share, making it if need be. s.mu is held.
func (s *Store) api(id string) *API {
	a := s.apis[id]
	if a == nil {
		a = newAPI(s, id)
		s.apis[id] = a
	}
	return a
}

// InUse is what is to be kept, with the APIs of the groups.
type InUse struct {
	Groups map[*Group]bool
	Caps   map[*Cap]bool
}

// Retain begins the health checks of the groups in use. It forgets every other one
// and closes its idle connections; calls under way end as they would have.
func (s *Store) Retain(used InUse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	apis := map[*API]bool{}
	for key, g := range s.groups {
		if used.Groups[g] {
			apis[g.api] = true
			g.startChecks()
			continue
		}
		delete(s.groups, key)
		g.retire()
	}
	for id, a := range s.apis {
		if !apis[a] {
			delete(s.apis, id)
		}
	}
	for key, c := range s.caps {
		if !used.Caps[c] {
			delete(s.caps, key)
		}
	}
}

// Close fails waiting calls, closes every connection and stops resolving names,
// checks and judgement.
func (s *Store) Close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		g.each((*lane).shut)
	}
}

// Open returns the connections open, over all targets.
func (s *Store) Open() (n int64) {
	for i := range s.open {
		n += s.open[i].Load()
	}
	return n
}

// all returns the groups there are.
func (s *Store) all() []*Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Group, 0, len(s.groups))
	for _, g := range s.groups {
		list = append(list, g)
	}
	return list
}

// statusSet is a set of HTTP statuses.
type statusSet [600/64 + 1]uint64

func newStatusSet(statuses []int) (s statusSet) {
	for _, n := range statuses {
		s[n/64] |= 1 << (n % 64)
	}
	return s
}

func (s *statusSet) has(status int) bool {
	return status < 600 && s[status/64]&(1<<(status%64)) != 0
}
