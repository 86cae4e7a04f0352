package scenarios

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// latency finds the rate of nginx first, then gives both half of it in turns.
func latency(ctx context.Context, b *bench) ([]report.Figure, error) {
	const path = "/prod/small"
	var servers []*rivals.Server
	for _, r := range []rivals.Rival{b.tidegate, rivals.Nginx} {
		srv, err := b.start(ctx, r, standard(b.backend), path)
		if err != nil {
			return nil, err
		}
		servers = append(servers, srv)
	}
	most, err := mostRequests(ctx, servers[1].URL+path)
	if err != nil {
		return nil, err
	}
	rate := math.Floor(most / 2)
	b.logf("nginx carries %.0f requests per second; both get %.0f", most, rate)

	err = interleave(ctx, b, servers, serverName, func(_ int, s *rivals.Server) (map[string]float64, error) {
		return constantRate(ctx, load.OpenLoop{
			Address: s.Address(), Path: path, Connections: connections,
			Rate: rate, WarmUp: warmUp / 10, Duration: b.window,
		})
	})
	if err != nil {
		return nil, err
	}
	f, err := report.RatioOfMedians("p99_vs_nginx", b.samples, "p99_us", b.tidegate.Name, rivals.NginxName)
	return []report.Figure{f}, err
}

// mostRequests returns the median throughput of some runs, the first of which
// is a warm-up and not counted.
func mostRequests(ctx context.Context, url string) (float64, error) {
	var rates []float64
	for range 6 {
		s, err := load.Wrk{URL: url, Connections: connections, Duration: time.Second}.Run(ctx)
		if err != nil {
			return 0, err
		}
		rates = append(rates, s.RequestsPerSecond())
	}
	return report.SpreadOf(rates[1:]).Median, nil
}

func constantRate(ctx context.Context, o load.OpenLoop) (map[string]float64, error) {
	l, err := o.Start(ctx)
	if err != nil {
		return nil, err
	}
	s, err := l.Wait()
	if err != nil {
		return nil, err
	}
	if s.Failed > 0 {
		return nil, fmt.Errorf("%d requests failed, the first one: %s", s.Failed, s.Error)
	}
	return map[string]float64{
		"p99_us": s.P99, "p50_us": s.P50, "max_us": s.Max,
		"generator_late_p99_us": s.LateP99, "requests_per_second": o.Rate,
	}, nil
}

func serverName(s *rivals.Server) string { return s.Name }
