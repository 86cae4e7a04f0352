package waf

import (
	"crypto/rand"
	"encoding/binary"
	"runtime"
	"sync"
	"time"

	"github.com/gaissmai/bart"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf/crs"
	"github.com/tidegate/tidegate/dataplane/waf/window"
)

// Settings of a Store. What is zero takes its default.
type Settings struct {
	Shards      int           // event loops
	RateKeys    int           // that each rate-based rule counts by; 65,536
	Concurrency int           // inspections on goroutines at once; half the processors
	Queue       int           // those that wait for their turn; 1,024
	Timeout     time.Duration // of an inspection, with its wait; 5 s
	Secret      [16]byte      // for the hashes of what is counted by; random
}

// Store keeps what outlives deployments: what rate-based rules have counted,
// metrics, samples, the tables of IP sets, and the engines of managed rules. Any
// goroutine may use it.
type Store struct {
	settings Settings
	k0, k1   uint64 // of SipHash
	pool     pool
	engines  crs.Engines

	mu      sync.Mutex
	rates   map[rateID]*window.Counts
	tallies map[tallyID]*tally
	samples map[string]*sampler // by ACL
	tables  map[*definition.IPSet]*bart.Lite
}

// rateID names a rate: of an ACL, a rule, and what is counted how.
type rateID struct{ acl, rule, signature string }

// tallyID names the counters of a rule, which is empty for the default action.
type tallyID struct{ acl, rule string }

// NewStore returns an empty store. It starts nothing.
func NewStore(s Settings) *Store {
	s.Shards = max(1, s.Shards)
	if s.RateKeys == 0 {
		s.RateKeys = 1 << 16
	}
	if s.Concurrency == 0 {
		s.Concurrency = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if s.Queue == 0 {
		s.Queue = 1024
	}
	if s.Timeout == 0 {
		s.Timeout = 5 * time.Second
	}
	if s.Secret == [16]byte{} {
		_, _ = rand.Read(s.Secret[:]) // which never fails
	}
	return &Store{
		settings: s, k0: binary.LittleEndian.Uint64(s.Secret[:8]), k1: binary.LittleEndian.Uint64(s.Secret[8:]), pool: pool{most: s.Concurrency, mostWaiting: s.Queue},
		rates: map[rateID]*window.Counts{}, tallies: map[tallyID]*tally{}, samples: map[string]*sampler{}, tables: map[*definition.IPSet]*bart.Lite{},
	}
}

// Retain forgets what none of the ACLs that begin to serve has. Requests that are
// under way end as they would have.
func (s *Store) Retain(live []*ACL) {
	rates, tallies, engines := map[*window.Counts]bool{}, map[*tally]bool{}, map[*crs.Engine]bool{}
	samples, tables := map[*sampler]bool{}, map[*definition.IPSet]bool{}
	for _, a := range live {
		for _, counts := range a.rates {
			rates[counts] = true
		}
		for _, e := range a.engines {
			engines[e] = true
		}
		for _, set := range a.ipSets {
			tables[set] = true
		}
		for i := range a.rules {
			tallies[a.rules[i].tally] = true
		}
		tallies[a.otherwise.tally] = true
		samples[a.sampler] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.rates, func(_ rateID, v *window.Counts) bool { return rates[v] })
	keep(s.tallies, func(_ tallyID, v *tally) bool { return tallies[v] })
	keep(s.samples, func(_ string, v *sampler) bool { return samples[v] })
	keep(s.tables, func(set *definition.IPSet, _ *bart.Lite) bool { return tables[set] })
	s.engines.Retain(engines)
}

func keep[K comparable, V any](m map[K]V, wanted func(K, V) bool) {
	for k, v := range m {
		if !wanted(k, v) {
			delete(m, k)
		}
	}
}

// get returns what m has for a key, making it at the first call.
func get[K comparable, V any](s *Store, m map[K]V, key K, make func() V) V {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := m[key]
	if !ok {
		v = make()
		m[key] = v
	}
	return v
}

func (s *Store) rate(id rateID, length time.Duration) *window.Counts {
	return get(s, s.rates, id, func() *window.Counts { return window.New(length, s.settings.RateKeys) })
}

func (s *Store) tally(id tallyID) *tally {
	return get(s, s.tallies, id, func() *tally { return newTally(s.settings.Shards) })
}

func (s *Store) sampler(acl string) *sampler {
	return get(s, s.samples, acl, func() *sampler { return newSampler(s.settings.Shards) })
}

// table returns the look-up table of an IP set.
func (s *Store) table(set *definition.IPSet) *bart.Lite {
	return get(s, s.tables, set, func() *bart.Lite {
		table := new(bart.Lite)
		for prefix := range set.Addresses.All() {
			table.Insert(prefix)
		}
		return table
	})
}
