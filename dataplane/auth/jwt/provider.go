package jwt

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

// When keys are fetched, in nanoseconds.
const (
	refreshEvery = int64(2 * time.Hour) // as long as AWS may keep them
	jitter       = refreshEvery / 10    // so that not all issuers are asked at once

	// retryEvery is the wait after a fetch that failed. Where tokens wait for it,
	// for there are no keys or not theirs, the first wait is shorter, and doubles up
	// to that.
	retryEvery = int64(time.Minute)
	retryFirst = int64(5 * time.Second)

	// askEvery is how often kids that nobody knows may cause a fetch: in between,
	// all of them are known to be unknown. To remember them one by one would add
	// nothing within that time, and beyond it whoever guesses the kid of the next
	// key could keep its tokens out.
	//
	// After a fetch that was due it is askSoon, for an issuer that changes its keys
	// does not wait for us.
	askEvery = int64(time.Minute)
	askSoon  = int64(5 * time.Second)
)

// mostWaiters bounds the requests that wait for the keys of one issuer.
const mostWaiters = 1024

// provider is an OpenID provider: an issuer of tokens and the keys that it
// publishes. Its methods may be called from any goroutine; find takes no lock.
type provider struct {
	store   *Keys
	url     string // as in iss
	jwksURI string // "" to discover it

	set      atomic.Pointer[keySet] // the last good one, nil before
	fetching atomic.Bool
	closed   atomic.Bool
	dueAt    atomic.Int64 // when the keys are to be fetched, by themselves
	askAt    atomic.Int64 // when an unknown kid may cause a fetch
	failure  atomic.Uint32
	calls    *verdict.Calls[error]

	mu     sync.Mutex
	status IssuerStatus
}

func newProvider(store *Keys, url, jwksURI string) *provider {
	return &provider{
		store: store, url: url, jwksURI: jwksURI,
		calls:  verdict.NewCalls[error](1, mostWaiters),
		status: IssuerStatus{Issuer: url, JWKSURI: jwksURI},
	}
}

// find returns the key and the algorithm that a token is signed with, or 0 and
// why there is none.
func (p *provider) find(t *token, now, wall int64) (*key, *algorithm, Result) {
	fetching := p.fetching.Load() // before the set, so that what it brings is seen
	set := p.set.Load()
	if set == nil {
		if fetching || now >= p.dueAt.Load() {
			return nil, nil, NeedKeys
		}
		return nil, nil, Result(p.failure.Load())
	}
	if k := set.keys[t.kid]; k != nil {
		if alg := k.algorithm(t.alg); alg != nil {
			return k, alg, 0
		}
		return nil, nil, WrongAlgorithm
	}
	if exp, ok := t.claims.get("exp").date(); !ok || exp <= wall/int64(time.Second) {
		return nil, nil, UnknownKey // no key would make it valid
	}
	if fetching {
		return nil, nil, NeedKeys
	}
	if now < p.askAt.Load() {
		return nil, nil, UnknownKey
	}
	return nil, nil, NeedKeys
}

// wait has w told when the keys have been fetched. It is false if they are not
// being fetched.
func (p *provider) wait(w Waiter) bool {
	now := p.store.now()
	at := p.askAt.Load()
	if p.set.Load() == nil {
		at = p.dueAt.Load()
	}
	if p.closed.Load() || !p.fetching.Load() && now < at {
		return false
	}
	return p.calls.Join(call, w, p.fetch)
}

// call is the only question that an issuer is asked.
var call = []byte("keys")

// nobody waits for a fetch that was due.
type nobody struct{}

func (nobody) Decided(error) {}

// refresh fetches the keys in the background if they are due, and reports whether
// it does.
func (p *provider) refresh(now int64) bool {
	if p.closed.Load() || p.fetching.Load() || now < p.dueAt.Load() {
		return false
	}
	return p.calls.Join(call, nobody{}, p.fetch)
}

// fetch replaces the keys by those that the issuer publishes now. If that fails,
// the last good ones stay. It runs on a goroutine of its own, one at a time.
func (p *provider) fetch() error {
	start := p.store.now()
	if start < p.askAt.Load() && start < p.dueAt.Load() {
		return nil // another one has just ended
	}
	p.fetching.Store(true)
	defer p.fetching.Store(false)
	asked := start < p.dueAt.Load()
	p.store.fetches.Add(1)
	set, uri, failure, err := p.store.fetcher.keys(p.store.context, p.url, p.jwksURI)
	now, wall := p.store.now(), time.Unix(0, p.store.wall())

	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.status
	s.TriedAt = wall
	if err != nil {
		p.store.failures.Add(1)
		s.Failures++
		s.LastError, s.FailedAt = err.Error(), wall
		p.failure.Store(uint32(failure))
		wait := min(retryFirst<<min(s.Failures-1, 10), retryEvery)
		p.askAt.Store(now + wait)
		if p.set.Load() != nil {
			wait = retryEvery
		}
		p.dueAt.Store(now + wait)
	} else {
		wait := askSoon
		if asked {
			wait = askEvery
		}
		p.askAt.Store(now + wait)
		set.replace(p.set.Load())
		p.set.Store(set)
		s.Failures, s.FetchedAt, s.JWKSURI = 0, wall, uri
		s.setKeys(set)
		p.dueAt.Store(now + refreshEvery - jitter + rand.Int64N(2*jitter))
	}
	return err
}

// close ends fetching. Whoever waits is told.
func (p *provider) close() { p.closed.Store(true) }
