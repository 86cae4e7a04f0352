package deploy

import (
	"maps"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
)

// accountRate is the limit that all APIs share: what was set on the account, and
// else the host's. A rate without a burst has half of it as its burst, which is
// AWS's proportion.
func accountRate(c *definition.Catalog, host Host) throttle.Rate {
	rate := host.Account
	if rate == (throttle.Rate{}) {
		rate = throttle.DefaultRate
	}
	if t := c.Account.Throttle; t != nil {
		if t.RateLimit != nil {
			rate = throttle.Rate{PerSecond: *t.RateLimit}
		}
		rate = rate.With(*t)
	}
	if rate.Burst == 0 {
		rate.Burst = max(1, int(rate.PerSecond/2))
	}
	return rate
}

// plan is a usage plan as it is defined, and compiled.
type plan struct {
	source  *definition.UsagePlan
	account throttle.Rate // inherited
	*usage.Plan
}

// compilePlans compiles what has changed since previous.
func (s *Snapshot) compilePlans(c *definition.Catalog, store *usage.Store, previous *Snapshot) error {
	s.plans = make(map[string]plan, len(c.Plans))
	for id, p := range c.Plans {
		if previous != nil {
			if same, ok := previous.plans[id]; ok && same.source == p && same.account == s.Account {
				s.plans[id] = same
				continue
			}
		}
		if store == nil { // it is only checked
			store = usage.NewStore(usage.Options{MethodBuckets: 1})
		}
		account := definition.Throttle{RateLimit: &s.Account.PerSecond, BurstLimit: &s.Account.Burst}
		compiled, err := store.Plan(p, account)
		if err != nil {
			return err
		}
		s.plans[id] = plan{p, s.Account, compiled}
	}
	return nil
}

// plansByStage lists the usage plans that each stage is in, by their ids.
func (s *Snapshot) plansByStage() map[definition.StageKey][]*usage.Plan {
	plans := map[definition.StageKey][]*usage.Plan{}
	for _, id := range slices.Sorted(maps.Keys(s.plans)) {
		p := s.plans[id]
		for _, in := range p.source.APIStages {
			key := definition.StageKey{APIID: in.APIID, Stage: in.Stage}
			plans[key] = append(plans[key], p.Plan)
		}
	}
	return plans
}

// joinPlans gives a stage its usage plans and their metrics.
func (s *Stage) joinPlans(key definition.StageKey, stores Stores) {
	plans := s.source.plans
	if len(plans) == 0 {
		return
	}
	s.Plans = usage.NewStagePlans(key, plans)
	if stores.Registry == nil {
		return
	}
	for _, p := range plans {
		for len(s.PlanMetrics) <= p.Number {
			s.PlanMetrics = append(s.PlanMetrics, nil)
		}
		s.PlanMetrics[p.Number] = stores.Registry.Plan(p.ID, p.Name)
	}
}
