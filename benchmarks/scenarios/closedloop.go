package scenarios

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/procstat"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	cpuMeasure        = "cpu_us_per_request"
	throughputMeasure = "requests_per_second"
	connections       = 64
	warmUp            = time.Second
)

// versus is a rival and the figure that compares Tidegate's CPU time to it.
type versus struct {
	rival  rivals.Rival
	figure string
}

// standard is one API with a route of each kind; every rival serves it, or
// passes all on to the backend.
func standard(backend *rivals.Server) rivals.Site {
	return rivals.Site{Backend: backend.Address(), APIs: []rivals.API{{Name: "bench", Routes: []rivals.Route{
		{Method: "GET", Path: "/small", Target: "/small"},
		{Method: "GET", Path: "/10k", Target: "/10k"},
		{Method: "POST", Path: "/post", Target: "/post"},
		{Method: "GET", Path: "/mock"},
	}}}}
}

// closedLoop compares the CPU time per request of Tidegate and its rivals,
// under as many requests as 64 connections carry.
func closedLoop(ctx context.Context, b *bench, site rivals.Site, path, lua string, rest ...versus) ([]report.Figure, error) {
	var turns []turn
	for _, r := range append([]versus{{rival: b.tidegate}}, rest...) {
		srv, err := b.start(ctx, r.rival, site, "/"+rivals.Stage+"/small")
		if err != nil {
			return nil, err
		}
		turns = append(turns, turn{srv.Name, srv, load.Wrk{URL: srv.URL + path, Lua: lua}})
	}
	if err := b.compareCPU(ctx, turns); err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, r := range rest {
		f, err := report.Ratio(r.figure, b.samples, cpuMeasure, b.tidegate.Name, r.rival.Name)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// turn is a server and the load it gets. Several may be of one server.
type turn struct {
	name   string
	server *rivals.Server
	wrk    load.Wrk
}

func turnName(t turn) string { return t.name }

// compareCPU warms every server up and then measures them in turns.
func (b *bench) compareCPU(ctx context.Context, turns []turn) error {
	if err := b.warm(ctx, turns); err != nil {
		return err
	}
	return interleave(ctx, b, turns, turnName, func(_ int, t turn) (map[string]float64, error) { return t.measure(ctx) })
}

// warm gives every turn its load for a while, and prepares them to be measured.
func (b *bench) warm(ctx context.Context, turns []turn) error {
	for i := range turns {
		turns[i].wrk.Connections, turns[i].wrk.Duration = connections, warmUp
		if _, err := turns[i].wrk.Run(ctx); err != nil {
			return err
		}
		turns[i].wrk.Duration = b.window
	}
	return nil
}

func (t turn) measure(ctx context.Context) (map[string]float64, error) {
	pids, err := t.server.PIDs()
	if err != nil {
		return nil, err
	}
	before, err := procstat.CPU(pids)
	if err != nil {
		return nil, err
	}
	s, err := t.wrk.Run(ctx)
	if err != nil {
		return nil, err
	}
	after, err := procstat.CPU(pids)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		cpuMeasure:         float64((after - before).Microseconds()) / float64(s.Requests),
		throughputMeasure:  s.RequestsPerSecond(),
		"bytes_per_answer": float64(s.Bytes) / float64(s.Requests), // shows that rivals answer alike
		"p50_us":           s.P50,
		"p99_us":           s.P99,
	}, nil
}
