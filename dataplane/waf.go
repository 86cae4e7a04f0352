package dataplane

import (
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// makeWAF makes what web ACLs keep from one deployment to the next.
func (g *Gateway) makeWAF(host *configs.Host) error {
	w := &host.WAF
	g.waf = waf.NewStore(waf.Settings{
		Shards: len(g.loops), RateKeys: w.RateKeys, Concurrency: w.Concurrency, Queue: w.Queue, Timeout: w.Timeout,
		Secret: g.store.Load().RateSecret(),
	})
	p, err := readPlaces(w.GeoFile)
	if err != nil {
		return err
	}
	g.places.Store(p)
	return nil
}

// retainWAF lets go of what the web ACLs of s do not use.
func (g *Gateway) retainWAF(s *deploy.Snapshot) { g.waf.Retain(s.WebACLs()) }

// registerWAF shows what web ACLs count.
func (g *Gateway) registerWAF() {
	r := g.registry
	gauge := func(m telemetry.Metric, of func(waf.PoolStats) int) {
		r.GaugeFunc(m, func() int64 { return int64(of(g.waf.Inspections())) })
	}
	counter := func(m telemetry.Metric, of func(waf.PoolStats) uint64) {
		r.CounterFunc(m, func() uint64 { return of(g.waf.Inspections()) })
	}
	gauge(telemetry.WAFInspections, func(p waf.PoolStats) int { return p.Running })
	gauge(telemetry.WAFInspectionsWaiting, func(p waf.PoolStats) int { return p.Waiting })
	counter(telemetry.WAFInspectionsRefused, func(p waf.PoolStats) uint64 { return p.Refused })
	counter(telemetry.WAFInspectionsLate, func(p waf.PoolStats) uint64 { return p.Late })
	counter(telemetry.WAFInspectionsFailed, func(p waf.PoolStats) uint64 { return p.Failed })
	r.RulesFunc(func() []telemetry.RuleCount {
		s := g.pipeline.Snapshot()
		if s == nil {
			return nil
		}
		var all []telemetry.RuleCount
		for _, acl := range s.WebACLs() {
			all = appendRuleCounts(all, acl)
		}
		return all
	})
}

// appendRuleCounts appends what the rules of a web ACL have done, by their metric
// names, which several may share.
func appendRuleCounts(all []telemetry.RuleCount, acl *waf.ACL) []telemetry.RuleCount {
	places := map[string]int{}
	for _, r := range acl.Stats() {
		name := r.Metric
		if r.Name == "" {
			name = telemetry.DefaultActionRule
		}
		at, ok := places[name]
		if !ok {
			at, places[name] = len(all), len(all)
			all = append(all, telemetry.RuleCount{WebACL: acl.Name(), Rule: name})
		}
		n := &all[at]
		n.Allowed, n.Blocked, n.Counted = n.Allowed+r.Allowed, n.Blocked+r.Blocked, n.Counted+r.Counted
	}
	return all
}
