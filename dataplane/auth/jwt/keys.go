package jwt

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
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
	mostBad       = 1024 // tokens that are no good, remembered for one authorizer
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
		v = &verdicts{verdict.NewCache[*judged](k.options.Tokens), verdict.NewCache[*judged](mostBad)}
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
