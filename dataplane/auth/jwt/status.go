package jwt

import (
	"maps"
	"slices"
	"strings"
	"time"
)

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

// Waiting returns how many requests wait for keys now.
func (k *Keys) Waiting() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.providers {
		n += p.calls.Waiting()
	}
	return n
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
