package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// Upstream implements control.Gateway.
func (g *Gateway) Upstream() []control.UpstreamStatus {
	catalog, now := g.catalog.Load(), time.Now()
	until := func(wait time.Duration) *time.Time {
		if wait == 0 {
			return nil
		}
		at := now.Add(wait).UTC().Truncate(time.Second)
		return &at
	}
	apis, groups := g.upstream.APIs(), g.upstream.Status() // both by id
	list := make([]control.UpstreamStatus, 0, len(apis))
	for _, a := range apis {
		s := control.UpstreamStatus{
			APIID: a.ID, InFlight: a.InFlight, MaxInFlight: a.MaxInFlight, Waiting: a.Waiting, MaxWaiting: a.MaxWaiting,
			BufferedBytes: a.Buffered, MaxBufferedBytes: a.MaxBufferedBytes, Integrations: []control.TargetGroup{},
		}
		if api := catalog.APIs[a.ID]; api != nil {
			s.APIName = api.Name
		}
		for _, of := range groups {
			if of.APIID != a.ID {
				continue
			}
			group := control.TargetGroup{Endpoint: of.Endpoint, Breaker: of.Breaker, Cause: of.Cause, Until: until(of.Wait), Targets: []control.TargetStatus{}}
			for _, t := range of.Targets {
				group.Targets = append(group.Targets, control.TargetStatus{
					Address: t.Address, State: t.State, Cause: t.Cause, Until: until(t.Wait), HealthCheck: t.Check,
					Requests: t.Requests, Failures: t.Failures, Retries: t.Retries,
				})
			}
			s.Integrations = append(s.Integrations, group)
		}
		list = append(list, s)
	}
	return list
}

// registerUpstream shows what is counted of integrations.
func (g *Gateway) registerUpstream() {
	r, u := g.registry, g.upstream
	perLoop := func(counters []upstream.Counter) func() uint64 {
		return func() (n uint64) {
			for i := range counters {
				n += uint64(counters[i].Load())
			}
			return n
		}
	}
	r.GaugeFunc(telemetry.UpstreamConnectionsOpen, u.Open)
	r.CounterFunc(telemetry.UpstreamConnectionsOpened, perLoop(u.Opened))
	r.CounterFunc(telemetry.UpstreamConnectionsReused, perLoop(u.Reused))
	r.CounterFunc(telemetry.UpstreamRetries, perLoop(u.Retried))
	r.CounterFunc(telemetry.UpstreamMoved, perLoop(u.Moved))
	r.CounterFunc(telemetry.UpstreamRetriesDenied, perLoop(u.Denied))
	r.CounterFunc(telemetry.UpstreamEjections, func() uint64 { return uint64(u.Ejections.Load()) })
	r.CounterFunc(telemetry.UpstreamBreakerOpens, func() uint64 { return uint64(u.Opens.Load()) })
	r.UpstreamFunc(g.upstreamMetrics)
}

func (g *Gateway) upstreamMetrics() (list []telemetry.Upstream) {
	for _, api := range g.Upstream() {
		s := telemetry.Upstream{APIID: api.APIID, APIName: api.APIName, InFlight: api.InFlight, Waiting: api.Waiting}
		for _, group := range api.Integrations {
			for _, t := range group.Targets {
				s.Targets = append(s.Targets, telemetry.UpstreamTarget{
					Endpoint: group.Endpoint, Address: t.Address, Up: t.State == control.TargetUp, Open: group.Breaker != control.BreakerClosed,
					Requests: t.Requests, Failures: t.Failures, Retries: t.Retries,
				})
			}
		}
		list = append(list, s)
	}
	return list
}
