package scenarios

import (
	"context"
	"fmt"
	"math"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	connectRate = 500 // new WebSockets per second: AWS's quota
	withoutName = "without connects"
)

// wsConnect gives one gateway half of the requests that it can carry, with and
// without new WebSockets beside them.
func wsConnect(ctx context.Context, b *bench) ([]report.Figure, error) {
	if err := raiseDescriptors(); err != nil {
		return nil, err
	}
	const path = "/" + rivals.Stage + "/small"
	srv, err := b.start(ctx, b.tidegate, socketSite(b.backend), path)
	if err != nil {
		return nil, err
	}
	most, err := mostRequests(ctx, srv.URL+path)
	if err != nil {
		return nil, err
	}
	requests := load.OpenLoop{
		Address: srv.Address(), Path: path, Connections: connections,
		Rate: math.Floor(most / 2), WarmUp: warmUp / 10, Duration: b.window,
	}
	b.logf("it carries %.0f requests per second, and gets %.0f", most, requests.Rate)
	clients, err := crowd(srv, 0, "").Start(ctx)
	if err != nil {
		return nil, err
	}
	defer clients.Stop()
	err = interleave(ctx, b, []string{b.tidegate.Name, withoutName}, func(s string) string { return s },
		func(_ int, s string) (map[string]float64, error) {
			if s == withoutName || b.selfCheck { // a self check compares like with like
				return constantRate(ctx, requests)
			}
			return besideConnects(ctx, clients, requests)
		})
	if err != nil {
		return nil, err
	}
	f, err := report.RatioOfMedians("http_p99_with_vs_without", b.samples, "p99_us", b.tidegate.Name, withoutName)
	return []report.Figure{f}, err
}

// besideConnects has WebSockets opened for as long as the requests last. They stay
// open, also while others measure.
func besideConnects(ctx context.Context, clients *load.Clients, requests load.OpenLoop) (map[string]float64, error) {
	before, err := clients.Open()
	if err != nil {
		return nil, err
	}
	if err := clients.Arrive(connectRate, requests.WarmUp+requests.Duration); err != nil {
		return nil, err
	}
	values, err := constantRate(ctx, requests)
	if err != nil {
		return nil, err
	}
	s, err := clients.Arrived()
	if err != nil {
		return nil, err
	}
	switch open, err := clients.Open(); {
	case err != nil:
		return nil, err
	case open != before+s.Clients:
		return nil, fmt.Errorf("%d of %d WebSockets were closed", before+s.Clients-open, before+s.Clients)
	}
	values["connect_p50_us"], values["connect_p99_us"], values["connect_late_p99_us"] = s.P50, s.P99, s.LateP99
	return values, nil
}
