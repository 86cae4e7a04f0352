package iam

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
)

// Store is the access keys in use and whose they are. Lookup may be called from
// any goroutine; Compile and Swap from one at a time.
type Store struct {
	account string
	current atomic.Pointer[Set]
}

// NewStore returns a Store without any user, of the account with this number.
func NewStore(accountID string) *Store {
	s := &Store{account: accountID}
	s.current.Store(&Set{})
	return s
}

// Lookup implements sigv4.CredentialSource. A key that is not active is unknown.
// That takes as long as a known one, but for the comparison of 20 characters.
func (s *Store) Lookup(accessKeyID []byte) *sigv4.Credential {
	return s.current.Load().credentials[string(accessKeyID)]
}

// Swap puts a Set in force, which must be the last that Compile returned.
func (s *Store) Swap(next *Set) {
	for _, c := range next.changes {
		c.principal.rules.Store(c.rules)
	}
	next.changes = nil
	s.current.Store(next)
}
