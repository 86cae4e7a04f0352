package usage

import (
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// total is a [definition.Usage] with its key as a number in place of the id.
type total struct {
	key uint64
	definition.Usage
}

func (t *total) usage() definition.Usage {
	u := t.Usage
	u.KeyID = formatID(t.key)
	return u
}

// totals calls f with what an account has used on those of the days that it has
// counts of. What the quota has counted comes with a day of the same window. It
// is called under the lock.
func (s *Store) totals(a *account, days uint32, f func(total)) {
	plan := a.plan()
	p := s.plans.inForce[plan]
	t := total{
		key:   s.keys.records.at(a.owner).key.Load() &^ enabledFlag,
		Usage: definition.Usage{PlanID: s.plans.ids[plan]},
	}
	for _, day := range a.days.Snapshot() {
		if day.Period == 0 || days>>(day.Number&1)&1 == 0 {
			continue
		}
		t.Day, t.Used, t.Remaining = day.Number, day.Used, definition.NoQuota
		if p != nil && p.quota != nil {
			a.window(&t.Usage, *p.quota, s.late.Load().in(a, *p.quota, day.Number))
		}
		f(t)
	}
}

// window sets what u says of the quota's window that has its day, without what was
// counted late.
func (a *account) window(u *definition.Usage, q limiter.Quota, late int64) {
	p, wall := q.Period(), limiter.Day.Start(u.Day)
	u.Period = p.String()
	u.Window = p.Number(wall)
	u.WindowUsed = max(0, a.quota.Used(wall, q)-late)
	u.Granted = a.extraAt(p, u.Window)
	u.Remaining = max(0, a.extended(q, wall).Allowance(wall)-u.WindowUsed)
}

// Restore puts back what a key has used of a plan. Twice is as once, and in any
// order: the larger count of a day or window stays. Usage of a plan or key that
// there is not, and a window of another period than the quota in force has, are
// ignored; so plans are compiled and enforced, and keys put, before.
func (s *Store) Restore(u definition.Usage) {
	if key, ok := parseID(u.KeyID); ok {
		s.restore(total{key, u}, false)
	}
}

// restore is Restore, of usage that the archive may not have when unarchived is
// true.
func (s *Store) restore(t total, unarchived bool) {
	if t.Day < 0 || t.Day > maxWindow || t.Window < 0 || t.Window > maxWindow {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	plan, ok := s.plans.numbers[t.PlanID]
	r, owner := s.keys.get(t.key)
	if !ok || r == nil {
		return
	}
	a, number := s.account(r, plan)
	if a == nil {
		a, number = s.open(r, owner, plan)
	}
	a.days.Restore(limiter.Count{Period: limiter.Day, Number: t.Day, Used: t.Used})
	if period, err := parsePeriod(t.Period); err == nil && s.plans.hasPeriod(plan, period) {
		a.restoreWindow(period, &t.Usage)
	}
	if unarchived {
		s.touch(a, number, bothDays)
	}
}

// restoreWindow puts back the quota's window and, unless a later one is known,
// the grant. The days are restored before.
func (a *account) restoreWindow(p limiter.Period, u *definition.Usage) {
	later := a.knowsLater(p, u)
	a.quota.Restore(limiter.Count{Period: p, Number: u.Window, Used: u.WindowUsed})
	held := unpackGrant(a.grant.Load())
	same := held.period == p && held.window == u.Window
	if later && same || held.period == p && held.window > u.Window {
		return
	}
	if same || u.Granted != 0 {
		a.grant.Store(grant{p, u.Window, u.Granted}.pack())
	}
}

// knowsLater reports whether u is not the last word on its window: more was
// used, or as much up to a later day.
func (a *account) knowsLater(p limiter.Period, u *definition.Usage) bool {
	used := int64(0)
	for _, c := range a.quota.Snapshot() {
		if c.Period == p && c.Number == u.Window {
			used = c.Used
		}
	}
	if used != u.WindowUsed {
		return used > u.WindowUsed
	}
	for _, c := range a.days.Snapshot() {
		if c.Number > u.Day && p.Number(limiter.Day.Start(c.Number)) == u.Window {
			return true
		}
	}
	return false
}
