package waf

import "github.com/tidegate/tidegate/dataplane/waf/window"

// Rate is what a rate-based rule has counted.
type Rate struct {
	ACL       string           `json:"acl"` // its id
	Rule      string           `json:"rule"`
	Signature string           `json:"signature"` // of what is counted how
	Keys      []window.Counted `json:"keys"`
}

// mostKeys bounds what Rates and LateRates return, so that no flood makes handing over
// take long.
const mostKeys = 1 << 16

// Rates returns what rate-based rules have counted, for a Store with the same secret
// that goes on for this one; of more than 65,536 keys not all. now is that of the event
// loops, in LateRates and AddRates too. All three may be called from any goroutine.
func (s *Store) Rates(now int64) []Rate {
	return s.counted(now, (*window.Counts).Counted)
}

// LateRates returns what Rates left, and what was counted since, or since the last
// call, likewise bounded.
func (s *Store) LateRates(now int64) []Rate {
	return s.counted(now, (*window.Counts).LateCounted)
}

func (s *Store) counted(now int64, of func(c *window.Counts, now int64, most int) []window.Counted) (all []Rate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := mostKeys
	for id, counts := range s.rates {
		if keys := of(counts, now, left); len(keys) > 0 {
			all = append(all, Rate{id.acl, id.rule, id.signature, keys})
			left -= len(keys)
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
