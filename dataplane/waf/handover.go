package waf

import "github.com/tidegate/tidegate/dataplane/waf/window"

// Rate is what a rate-based rule has counted.
type Rate struct {
	ACL       string           `json:"acl"` // its id
	Rule      string           `json:"rule"`
	Signature string           `json:"signature"` // of what is counted how
	Keys      []window.Counted `json:"keys"`
}

// Rates returns what all rate-based rules have counted, for a Store with the same
// secret that goes on for this one. now is that of the event loops, in LateRates and
// AddRates too. All three may be called from any goroutine.
func (s *Store) Rates(now int64) []Rate {
	return s.counted(func(c *window.Counts) []window.Counted { return c.Counted(now) })
}

// LateRates returns what was counted since Rates, or since the last call.
func (s *Store) LateRates(now int64) []Rate {
	return s.counted(func(c *window.Counts) []window.Counted { return c.LateCounted(now) })
}

func (s *Store) counted(of func(*window.Counts) []window.Counted) (all []Rate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, counts := range s.rates {
		if keys := of(counts); len(keys) > 0 {
			all = append(all, Rate{id.acl, id.rule, id.signature, keys})
		}
	}
	return all
}

// AddRates counts what another Store has. What this one has no rule for is ignored.
func (s *Store) AddRates(now int64, all []Rate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		if counts := s.rates[rateID{r.ACL, r.Rule, r.Signature}]; counts != nil {
			counts.Add(now, r.Keys)
		}
	}
}
