package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// registerCallers shows what is counted of finding out who calls.
func (g *Gateway) registerCallers() {
	r := g.registry
	tokens := func(m telemetry.Metric, of func(*jwt.Counts) int64) {
		r.CounterFunc(m, func() uint64 {
			c := g.tokens.Counts()
			return uint64(of(&c))
		})
	}
	tokens(telemetry.TokenKeyFetches, func(c *jwt.Counts) int64 { return c.Fetches })
	tokens(telemetry.TokenKeyFailures, func(c *jwt.Counts) int64 { return c.Failures })
	tokens(telemetry.TokenSignatures, func(c *jwt.Counts) int64 { return c.Verified })
	tokens(telemetry.TokenBadSignatures, func(c *jwt.Counts) int64 { return c.BadSignatures })
	r.GaugeFunc(telemetry.TokensWaiting, func() int64 { return int64(g.tokens.Waiting()) })

	r.CountersFunc(telemetry.AuthorizerLookups, []string{"hit", "miss"}, func(i int) uint64 {
		s := g.authorizers.Total()
		return uint64([]authorizer.PerLoop{s.Hits, s.Misses}[i].Load())
	})
	var outcomes []string
	for o := authorizer.Failed; o <= authorizer.Decided; o++ {
		outcomes = append(outcomes, o.String())
	}
	r.CountersFunc(telemetry.AuthorizerCalls, outcomes, func(i int) uint64 {
		return uint64(g.authorizers.Total().Outcome(authorizer.Outcome(i)).Load())
	})
	r.CounterFunc(telemetry.AuthorizerMilliseconds, func() uint64 {
		return uint64(time.Duration(g.authorizers.Total().Nanoseconds.Load()).Milliseconds())
	})
	r.GaugeFunc(telemetry.AuthorizersWaiting, func() int64 { return int64(g.authorizers.Waiting()) })
}

func (g *Gateway) issuerStatus() (list []control.IssuerStatus) {
	for _, i := range g.tokens.Status() {
		out := control.IssuerStatus{
			Issuer: i.Issuer, JWKSURI: i.JWKSURI, Keys: []control.IssuerKey{}, Unfit: i.Unfit,
			FetchedAt: stampOf(i.FetchedAt), TriedAt: stampOf(i.TriedAt), Failures: i.Failures,
			LastError: i.LastError, FailedAt: stampOf(i.FailedAt), Fetching: i.Fetching,
		}
		for _, k := range i.Keys {
			out.Keys = append(out.Keys, control.IssuerKey(k))
		}
		list = append(list, out)
	}
	return list
}

func (g *Gateway) authorizerStatus(catalog *definition.Catalog) (list []control.AuthorizerStatus) {
	for _, a := range g.authorizers.Status() {
		s := a.Stats
		out := control.AuthorizerStatus{
			APIID: a.APIID, Stage: a.Stage, ID: a.ID, Name: a.Name,
			Hits: s.Hits.Load(), Misses: s.Misses.Load(), Calls: s.Calls.Load(), Unauthorized: s.Unauthorized.Load(), Invalid: s.Invalid.Load(),
			Failed: s.Failed.Load() + s.Misconfigured.Load(), Busy: s.Busy.Load(),
			Waiting: a.Waiting, Remembered: a.Remembered, LastError: a.LastError, FailedAt: stampOf(a.FailedAt),
		}
		if api := catalog.APIs[a.APIID]; api != nil {
			out.APIName = api.Name
		}
		if out.Calls > 0 {
			out.MeanLatencyMillis = time.Duration(s.Nanoseconds.Load() / out.Calls).Milliseconds()
		}
		list = append(list, out)
	}
	return list
}

// stampOf is a time as the control protocol shows it, nil for none.
func stampOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
