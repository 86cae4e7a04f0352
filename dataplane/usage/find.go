package usage

import "github.com/tidegate/tidegate/limiter"

// Client is a key in a plan, for one request. It must not be used by two
// goroutines at a time, nor later than [limiter.Grace] after it was found.
type Client struct {
	store    *Store
	plan     *Plan
	account  *account
	number   uint32 // of the account
	hasQuota bool
	key      uint64 // the id as a number

	// Set by AppendCharges.
	throttle *throttle // that is charged, nil for none
	bucket   *limiter.Bucket
	quota    limiter.Quota // with what was granted, if hasQuota
}

// Find returns the client that a key's value names on a stage. It returns false
// when the key is unknown, disabled, or in no plan that includes the stage,
// which are not told apart.
func (s *Store) Find(value []byte, of *StagePlans) (Client, bool) {
	r := s.keys.find(s.hasher.Sum(value))
	if r == nil {
		return Client{}, false
	}
	key := r.key.Load()
	if key&enabledFlag == 0 {
		return Client{}, false
	}
	for l := link(r.first.Load()); l != 0; {
		a := s.accounts.at(l.number())
		if l.state()&linked != 0 {
			if p := of.plan(l.state() >> planShift); p != nil {
				return Client{store: s, plan: p, account: a, number: l.number(), key: key &^ enabledFlag}, true
			}
		}
		l = s.next(a)
	}
	return Client{}, false
}

// next returns the link to the key's next account.
func (s *Store) next(a *account) link {
	next := a.sibling.Load()
	if next == 0 {
		return 0
	}
	return newLink(next-1, s.accounts.at(next-1).state.Load())
}

// Plan returns the client's plan.
func (c *Client) Plan() *Plan { return c.plan }

// AppendKeyID appends the id of the client's key, 10 characters.
func (c *Client) AppendKeyID(dst []byte) []byte { return appendID(dst, c.key) }
