package usage

import (
	"github.com/tidegate/tidegate/limiter"
)

// Grant sets what remains of a key's quota from now to the end of the window
// that has wall, as AWS's UpdateUsage does. [Journal.Grant] writes it down too.
// The error, a [*definition.InvalidError], says that the plan has no quota or
// the key no account in it.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsage.html
func (s *Store) Grant(planID, keyID string, remaining, wall int64) error {
	if remaining < 0 {
		return invalid("usage plan %q: remaining is %d; it must not be negative", planID, remaining)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, number := s.lookup(planID, keyID)
	if a == nil {
		return invalid("usage plan %q has no key %q", planID, keyID)
	}
	p := s.plans.inForce[a.plan()]
	if p == nil || p.quota == nil {
		return invalid("usage plan %q has no quota; give it one first", planID)
	}
	q := *p.quota
	g := grant{period: q.Period(), window: q.Period().Number(wall)}
	g.extra = remaining + a.quota.Used(wall, q) - q.Allowance(wall)
	a.grant.Store(g.pack())
	// A grant is written with a day's count, so there must be one.
	day := limiter.Day.Number(wall)
	a.days.Restore(limiter.Count{Period: limiter.Day, Number: day})
	if a.markDirty(day) {
		s.counted[0].push(s.accounts, number)
	}
	return nil
}
