package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/procstat"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/bpf/gate"
)

const (
	refusalMeasure = "us_per_refusal"
	packetsMeasure = "packets_per_refusal"
	gateRespond    = "gate-respond"
	gateDrop       = "gate-drop"
	nothingBefore  = "nothing-"   // of names: a program that does nothing, in the gate's place
	saturated      = "-saturated" // of names: as many connections as there can be

	refusedPerSecond = 2_000.0

	servedPath  = "/" + rivals.Stage + "/mock"
	refusedPath = "/" + rivals.Stage + "/refused"
)

// refusingSite answers one path by itself and refuses another. Nothing of it is
// the backend's, which is out of reach from there.
func refusingSite(backend *rivals.Server, on network.End, d rivals.Denial) rivals.Site {
	return rivals.Site{Backend: backend.Address(), On: &on, APIs: []rivals.API{
		{Name: "bench", Routes: []rivals.Route{{Method: "GET", Path: "/mock"}}},
		{Name: "refused", Routes: []rivals.Route{{Method: "GET", Path: "/refused"}}, Denied: d},
	}}
}

// refuser is what refuses connections: a server's process, or the gate before it.
type refuser struct {
	name   string
	server *rivals.Server
	style  gate.Style
	inGate bool
	idle   bool // a program that does nothing is in the gate's place
	full   bool // gets as many as it can take
}

func refuserName(r refuser) string { return r.name }

// gateRefuse compares the CPU time of processes that refuse connections with the
// run time of the gate's program that does. All get the same connections, one by
// one; and then as many as they can take, where a process that is woken up finds
// many at a time.
func gateRefuse(ctx context.Context, b *bench) ([]report.Figure, error) {
	if b.selfCheck {
		return nil, b.noSelfCheck()
	}
	h, err := b.newGateHost(network.AnyCPU)
	if err != nil {
		return nil, err
	}
	client, here, err := b.newClient(h, network.AnyCPU, 1)
	if err != nil {
		return nil, err
	}
	refusers, err := b.refusers(ctx, here)
	if err != nil {
		return nil, err
	}
	for _, r := range refusers[:2] { // the servers
		if _, err := r.inProcess(ctx, client, b.window/2); err != nil {
			return nil, fmt.Errorf("warm up %s: %w", r.name, err)
		}
	}
	err = interleave(ctx, b, refusers, refuserName, func(_ int, r refuser) (map[string]float64, error) {
		switch {
		case r.idle:
			return r.inNothing(ctx, client, here, b.window)
		case r.inGate:
			return r.inKernel(ctx, h, client, here, b.window)
		default:
			return r.inProcess(ctx, client, b.window)
		}
	})
	if err != nil {
		return nil, err
	}
	return refuseFigures(b.samples, b.tidegate.Name)
}

// refusers are nginx, Tidegate, and the gate before that in two styles; and all of
// them once more, saturated.
func (b *bench) refusers(ctx context.Context, here network.End) ([]refuser, error) {
	var all []refuser
	for _, r := range []rivals.Rival{rivals.Nginx, b.tidegate} {
		srv, err := b.start(ctx, r, refusingSite(b.backend, here, rivals.ByReturn), servedPath)
		if err != nil {
			return nil, err
		}
		all = append(all, refuser{name: r.Name, server: srv})
	}
	behind := all[1].server
	all = append(all,
		refuser{name: gateRespond, server: behind, style: gate.Respond, inGate: true},
		refuser{name: gateDrop, server: behind, style: gate.Drop, inGate: true})
	for _, r := range all[2:] {
		r.name, r.idle = nothingBefore+r.name, true
		all = append(all, r)
	}
	for _, r := range all {
		r.name, r.full = r.name+saturated, true
		all = append(all, r)
	}
	return all, nil
}

func refuseFigures(samples []report.Sample, tidegate string) ([]report.Figure, error) {
	addNet(samples)
	var figures []report.Figure
	for _, f := range []struct{ figure, measure, one, other string }{
		{"nginx_over_respond", refusalMeasure, rivals.NginxName, gateRespond},
		{"nginx_over_drop", refusalMeasure, rivals.NginxName, gateDrop},
		{"userspace_over_respond", refusalMeasure, tidegate, gateRespond},
		{"nginx_over_respond_net", netMeasure, rivals.NginxName, gateRespond},
		{"nginx_over_drop_net", netMeasure, rivals.NginxName, gateDrop},
		{"saturated_nginx_over_respond", refusalMeasure, rivals.NginxName + saturated, gateRespond + saturated},
		{"saturated_nginx_over_drop", refusalMeasure, rivals.NginxName + saturated, gateDrop + saturated},
		{"saturated_userspace_over_respond", refusalMeasure, tidegate + saturated, gateRespond + saturated},
	} {
		ratio, err := report.Ratio(f.figure, samples, f.measure, f.one, f.other)
		if err != nil {
			return nil, err
		}
		figures = append(figures, ratio)
	}
	return figures, nil
}

// visitors are the connections that a refuser gets. Those that get no answer are
// many at once when there are as many as can be, since they wait for the whole
// patience.
func (r refuser) visitors(client network.End, d time.Duration) load.Fresh {
	f := load.Fresh{
		Address: r.server.Address(), Host: r.server.Hosts[1], Path: refusedPath,
		Connections: 1024, Rate: refusedPerSecond, Patience: 5 * time.Second, Duration: d, From: client.Host,
	}
	if r.full {
		f.Connections, f.Rate = 16, 0
	}
	if r.inGate && r.style == gate.Drop {
		f.Connections, f.Patience = 256, 20*time.Millisecond
	}
	return f
}

func (r refuser) inProcess(ctx context.Context, client network.End, d time.Duration) (map[string]float64, error) {
	pids, err := r.server.PIDs()
	if err != nil {
		return nil, err
	}
	before, err := procstat.RunTime(pids)
	if err != nil {
		return nil, err
	}
	s, err := run(ctx, r.visitors(client, d))
	if err == nil {
		err = s.Only(http.StatusTooManyRequests)
	}
	if err != nil {
		return nil, err
	}
	after, err := procstat.RunTime(pids)
	return map[string]float64{
		refusalMeasure:        float64((after - before).Nanoseconds()) / 1e3 / float64(s.Opened),
		"refusals_per_second": s.PerSecond(),
	}, err
}

// inKernel has the gate refuse.
func (r refuser) inKernel(ctx context.Context, h *gateHost, client, here network.End, d time.Duration) (values map[string]float64, err error) {
	err = h.refusing([]string{here.Interface}, r.server, r.style, client.Address, func(g *gate.Gate) error {
		values, err = r.measured(ctx, client, d, func() (runs uint64, took time.Duration, err error) {
			stats, err := g.Stats()
			return stats.Runs, stats.RunTime, err
		})
		return err
	})
	return values, err
}

// measured has a program that is attached refuse, and asks how often it ran and how
// long in all. The kernel measures programs for as long as the descriptor of
// EnableStats is open, and no longer.
func (r refuser) measured(ctx context.Context, client network.End, d time.Duration, ask func() (runs uint64, took time.Duration, err error)) (map[string]float64, error) {
	measuring, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("have the kernel measure programs: %w", err)
	}
	defer measuring.Close()
	s, err := run(ctx, r.visitors(client, d))
	if err != nil {
		return nil, err
	}
	runs, took, err := ask()
	if err == nil {
		err = r.refusedAll(s)
	}
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		refusalMeasure:        float64(took.Nanoseconds()) / 1e3 / float64(s.Opened),
		packetMeasure:         float64(took.Nanoseconds()) / float64(runs),
		packetsMeasure:        float64(runs) / float64(s.Opened),
		"refusals_per_second": s.PerSecond(),
	}, nil
}

// refusedAll is an error unless all connections were refused in the gate's style.
func (r refuser) refusedAll(s load.FreshSummary) error {
	switch {
	case r.style == gate.Respond:
		return s.Only(http.StatusTooManyRequests)
	case s.Opened == 0 || s.Silent != s.Opened:
		return fmt.Errorf("%d of %d connections were not dropped: answers %v, %d reset", s.Opened-s.Silent, s.Opened, s.Status, s.Reset)
	default:
		return nil
	}
}

// run runs a load to its end.
func run(ctx context.Context, f load.Fresh) (load.FreshSummary, error) {
	l, err := f.Start(ctx)
	if err != nil {
		return load.FreshSummary{}, err
	}
	s, err := l.Wait()
	if err == nil && s.Failed > 0 {
		err = errors.New(s.Error)
	}
	return s, err
}
