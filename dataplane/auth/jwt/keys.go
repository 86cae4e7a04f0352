package jwt

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

// Options of a Keys: what a host allows and maps.
type Options struct {
	AllowHTTP    bool           // issuers and keys at http URLs
	AllowPrivate bool           // issuers and keys at private, loopback and link-local addresses
	RootCAs      *x509.CertPool // that may certify issuers; nil for the system's

	// JWKSURIs says where issuers have their keys, instead of discovery.
	JWKSURIs map[string]string
	// Pools says who issues the tokens of user pools, by ARN or id.
	Pools map[string]Pool

	// Tokens is how many tokens are remembered for one authorizer, 8192 if 0. Each
	// takes its size and that of its claims.
	Tokens int

	// Now is the clock that Check is called with, in nanoseconds, Wall
	// nanoseconds since the Unix epoch.
	Now, Wall func() int64
}

// Pool is the issuer of a user pool's tokens where it is not Amazon Cognito.
type Pool struct {
	Issuer  string // "" for Amazon Cognito's
	JWKSURI string // "" to discover it
}

const (
	defaultTokens = 8192
	mostBad       = 1024 // tokens with bad signatures remembered for one authorizer
)

// Keys is the store of issuers, their keys and what was found out about tokens.
// It outlives deployments. Its methods may be called from any goroutine.
type Keys struct {
	options   Options
	fetcher   *fetcher
	now, wall func() int64
	context   context.Context
	stop      context.CancelFunc

	mu        sync.Mutex
	providers map[place]*provider
	verdicts  map[string]*verdicts // by the configuration of authorizers
	kept      map[*provider]bool   // of authorizers that serve
	running   bool

	fetches, failures       atomic.Int64
	verified, badSignatures atomic.Int64
}

// place is where an issuer's keys are.
type place struct{ issuer, jwksURI string }

// NewKeys returns an empty store, which has started nothing.
func NewKeys(o Options) (*Keys, error) {
	for issuer, uri := range o.JWKSURIs {
		if err := checkURL(issuer, true); err != nil {
			return nil, fmt.Errorf("jwks_uri of an issuer: %w", err)
		}
		if err := checkURL(uri, o.AllowHTTP); err != nil {
			return nil, fmt.Errorf("jwks_uri of issuer %s: %w", issuer, err)
		}
	}
	for name, pool := range o.Pools {
		if err := checkPool(name, pool, o.AllowHTTP); err != nil {
			return nil, fmt.Errorf("user pool %s: %w", name, err)
		}
	}
	if o.Tokens <= 0 {
		o.Tokens = defaultTokens
	}
	start := time.Now()
	if o.Now == nil {
		o.Now = func() int64 { return int64(time.Since(start)) }
	}
	if o.Wall == nil {
		o.Wall = func() int64 { return time.Now().UnixNano() }
	}
	k := &Keys{
		options: o, fetcher: newFetcher(&o), now: o.Now, wall: o.Wall,
		providers: map[place]*provider{}, verdicts: map[string]*verdicts{}, kept: map[*provider]bool{},
	}
	k.context, k.stop = context.WithCancel(context.Background())
	return k, nil
}

// provider returns the issuer at a place, making it at the first call.
func (k *Keys) provider(at place) *provider {
	if at.jwksURI == "" {
		at.jwksURI = k.options.JWKSURIs[at.issuer]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.providers[at]
	if p == nil {
		p = newProvider(k, at.issuer, at.jwksURI)
		k.providers[at] = p
	}
	return p
}

// verdictsOf returns the verdicts of authorizers with a configuration.
func (k *Keys) verdictsOf(configuration string) *verdicts {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := k.verdicts[configuration]
	if v == nil {
		v = &verdicts{verdict.NewCache[*judged](k.options.Tokens), verdict.NewCache[*key](mostBad)}
		k.verdicts[configuration] = v
	}
	return v
}

// Retain fetches and refreshes the keys of the authorizers in keep, which serve
// from now on, and forgets what others need.
func (k *Keys) Retain(keep map[*Authorizer]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := map[string]bool{}
	clear(k.kept)
	for a := range keep {
		kept[a.configuration] = true
		for _, p := range a.issuers {
			k.kept[p] = true
		}
	}
	maps.DeleteFunc(k.verdicts, func(configuration string, _ *verdicts) bool { return !kept[configuration] })
	for at, p := range k.providers {
		if !k.kept[p] {
			p.close()
			delete(k.providers, at)
		}
	}
	if len(keep) > 0 && !k.running && k.context.Err() == nil {
		k.running = true
		go k.run()
	}
}

// Close ends all fetching. Requests that wait for keys are told.
func (k *Keys) Close() {
	k.stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.providers {
		p.close()
	}
}

const (
	tickEvery  = time.Second
	sweepEvery = int64(time.Minute)

	// mostStarts bounds the fetches begun in one tick, so that a host with a
	// thousand user pools does not ask for all their keys at once. A token does
	// not wait for its turn.
	mostStarts = 50
)

func (k *Keys) run() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for swept := k.now(); ; {
		now := k.now()
		k.refresh(now)
		if now-swept >= sweepEvery {
			k.sweep(now)
			swept = now
		}
		select {
		case <-k.context.Done():
			return
		case <-ticker.C:
		}
	}
}

// refresh begins to fetch the keys that are due.
func (k *Keys) refresh(now int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	started := 0
	for p := range k.kept {
		if started < mostStarts && p.refresh(now) {
			started++
		}
	}
}

// sweep frees what has expired.
func (k *Keys) sweep(now int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range k.verdicts {
		v.good.Sweep(now)
		v.bad.Sweep(now)
	}
}

// Counts are totals since the start.
type Counts struct {
	Fetches       int64 // of an issuer's keys, with or without success
	Failures      int64 // fetches that failed
	Verified      int64 // signatures verified, good or bad
	BadSignatures int64
}

// Counts returns the totals.
func (k *Keys) Counts() Counts {
	return Counts{k.fetches.Load(), k.failures.Load(), k.verified.Load(), k.badSignatures.Load()}
}

// IssuerStatus is how it is with an issuer's keys.
type IssuerStatus struct {
	Issuer    string
	JWKSURI   string      // "" until discovered
	Keys      []KeyStatus // that are used now
	Unfit     []string    // published keys that cannot be used, and why
	FetchedAt time.Time   // when Keys came, zero if never
	TriedAt   time.Time   // when they were last asked for
	Failures  int         // fetches that failed since then
	LastError string      // of the last failure, at FailedAt
	FailedAt  time.Time
	Fetching  bool // now
}

// KeyStatus is a key.
type KeyStatus struct {
	ID         string   // its kid
	Type       string   // such as "RSA 2048" or "P-256"
	Algorithms []string // it may be used with
}

func (s *IssuerStatus) setKeys(set *keySet) {
	s.Keys, s.Unfit = nil, set.unfit
	for _, id := range slices.Sorted(maps.Keys(set.keys)) {
		key := KeyStatus{ID: id, Type: set.keys[id].name}
		for _, alg := range set.keys[id].algorithms {
			key.Algorithms = append(key.Algorithms, alg.name)
		}
		s.Keys = append(s.Keys, key)
	}
}

// Status returns how it is with all issuers, sorted. Its slices must not be
// changed.
func (k *Keys) Status() []IssuerStatus {
	k.mu.Lock()
	all := slices.Collect(maps.Values(k.providers))
	k.mu.Unlock()
	out := make([]IssuerStatus, len(all))
	for n, p := range all {
		p.mu.Lock()
		out[n] = p.status
		p.mu.Unlock()
		out[n].Fetching = p.fetching.Load()
	}
	slices.SortFunc(out, func(a, b IssuerStatus) int {
		return strings.Compare(a.Issuer+" "+a.JWKSURI, b.Issuer+" "+b.JWKSURI)
	})
	return out
}
