// Package scenarios holds what is measured: one file each, and the little they
// share. A scenario is a row of the table in scenarios.go.
package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/bpf/gate"
)

// Scenario is one comparison. Everything it measures is taken in rounds in
// which the rivals take turns.
type Scenario struct {
	Name    string
	About   string             // one sentence: what runs, what the figures are
	Needs   []string           // binaries, beside nginx and wrk unless it is InProcess
	Measure string             // the value the chart shows, as a sample names it
	AtMost  map[string]float64 // the figures that are judged, and what each may be at most
	AtLeast map[string]float64 // those that are better the larger they are
	Rounds  int                // of all rivals, unless Options say otherwise
	Window  time.Duration      // of one rival's turn, unless Options say otherwise

	// InProcess says that nothing is started: neither a gateway nor the backend.
	InProcess bool
	// Root says that it takes root, for networks of its own and the kernel gate.
	Root bool

	run func(ctx context.Context, b *bench) ([]report.Figure, error)
}

// Options are what a user may choose.
type Options struct {
	Tidegate  string        // path of the binary
	SelfCheck bool          // one of the others, mostly a second nginx, takes Tidegate's place: all ratios must be about 1
	Rounds    int           // 0: the scenario's own
	Window    time.Duration // 0: the scenario's own
	Log       io.Writer     // progress
}

// Names returns the names of all scenarios, in the order in which they run.
func Names() []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

// Find returns the scenarios of that name, or every one for "all".
func Find(name string) ([]Scenario, error) {
	if name == "all" {
		return all, nil
	}
	for _, s := range all {
		if s.Name == name {
			return []Scenario{s}, nil
		}
	}
	return nil, fmt.Errorf("no scenario %q; there are: all, %s", name, strings.Join(Names(), ", "))
}

// Run measures the scenario. It installs what lacks when it may, and leaves no
// process and no file behind. A request that failed is an error, except where
// failures are what the scenario counts. It is a [*Skipped] when this is no
// machine, or no user, to measure it.
func (s Scenario) Run(ctx context.Context, o Options) (*report.Result, error) {
	if s.Root && os.Geteuid() != 0 {
		return nil, &Skipped{s.Name, "it takes root"}
	}
	needs := s.Needs
	if !s.InProcess {
		needs = append([]string{"nginx", "wrk"}, needs...)
	}
	if err := rivals.Install(needs...); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	dir, err := os.MkdirTemp("", "tidegate-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	b := &bench{dir: dir, log: o.Log, scenario: s.Name, rounds: s.Rounds, window: s.Window, selfCheck: o.SelfCheck, keys: manyKeys, settle: time.Second}
	if o.Rounds > 0 {
		b.rounds = o.Rounds
	}
	if o.Window > 0 {
		b.window = o.Window
	}
	b.tidegate = rivals.Tidegate(o.Tidegate)
	if o.SelfCheck {
		b.tidegate = rivals.Nginx.As(rivals.TidegateName)
	}
	defer b.stopAll()

	result := &report.Result{Scenario: s.Name, About: s.About, Measure: s.Measure, Started: time.Now().UTC().Truncate(time.Second)}
	if !s.InProcess {
		b.backend, err = b.start(ctx, rivals.Backend, rivals.Site{}, "/")
	}
	if err == nil {
		result.Figures, err = s.run(ctx, b)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if lacks := new(gate.Unavailable); errors.As(err, &lacks) {
		err = &Skipped{s.Name, lacks.Error()}
	}
	if errors.As(err, new(*Skipped)) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	for i, f := range result.Figures {
		result.Figures[i].Reach = s.reach(f.Name)
	}
	result.Samples = b.samples
	if s.InProcess {
		result.Machine = report.ThisMachine(moduleVersions(result))
	} else {
		result.Machine = report.ThisMachine(s.versions(o, result))
	}
	return result, nil
}

// reach returns the bound of a figure, nil for one that is not judged.
func (s Scenario) reach(figure string) *report.Reach {
	if bound, judged := s.AtMost[figure]; judged {
		return new(report.AtMost(bound))
	}
	if bound, judged := s.AtLeast[figure]; judged {
		return new(report.AtLeast(bound))
	}
	return nil
}

// versions names the programs whose samples there are.
func (s Scenario) versions(o Options, r *report.Result) map[string]string {
	v := map[string]string{"wrk": rivals.Version("wrk", "-v")}
	if modules := moduleVersions(r); len(modules) > 1 { // more than Go itself
		maps.Copy(v, modules)
	}
	for _, name := range r.Rivals() {
		switch name {
		case rivals.NginxName:
			v[name] = rivals.Version("nginx", "-v")
		case rivals.HAProxyName:
			v[name] = rivals.Version("haproxy", "-v")
		case rivals.CaddyName:
			v[name] = rivals.Version("caddy", "version")
		case rivals.VarnishName:
			v[name] = rivals.Version("varnishd", "-V")
		case nftablesDrop:
			v["nftables"] = rivals.Version("nft", "--version")
		case rivals.TidegateName:
			v[name] = rivals.Version(o.Tidegate, "version")
			if o.SelfCheck {
				v[name] = "one of the others (self check)"
			}
		}
	}
	return v
}

// bench is a run of a scenario.
type bench struct {
	scenario  string
	dir       string
	log       io.Writer
	rounds    int
	window    time.Duration
	selfCheck bool
	keys      int           // API keys that are looked up
	settle    time.Duration // from a server's start until its memory is looked at
	tidegate  rivals.Rival
	backend   *rivals.Server // nil when nothing is started
	servers   []*rivals.Server
	hosts     []*network.Host
	samples   []report.Sample
}

// start starts a rival; it is stopped when the scenario ends, if not before.
func (b *bench) start(ctx context.Context, r rivals.Rival, s rivals.Site, path string) (*rivals.Server, error) {
	srv, err := r.Start(ctx, b.dir, s, path)
	if err == nil {
		b.servers = append(b.servers, srv)
	}
	return srv, err
}

func (b *bench) stopAll() {
	for _, s := range slices.Backward(b.servers) {
		s.Stop()
	}
	for _, h := range b.hosts {
		h.Close()
	}
}

// interleave gives every server a turn in every round, in an order that is
// turned around from round to round, and keeps what turn measures.
func interleave[S any](ctx context.Context, b *bench, servers []S, name func(S) string, turn func(round int, s S) (map[string]float64, error)) error {
	for round := range b.rounds {
		order := slices.Clone(servers)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			values, err := turn(round, s)
			if err != nil {
				return fmt.Errorf("round %d: %s: %w", round+1, name(s), err)
			}
			b.samples = append(b.samples, report.Sample{Round: round, Rival: name(s), Values: values})
			b.logf("round %d/%d  %-14s %s", round+1, b.rounds, name(s), describe(values))
		}
	}
	return nil
}

func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(b.log, b.scenario+": "+format+"\n", args...)
}

func describe(values map[string]float64) string {
	var parts []string
	for name, v := range values {
		parts = append(parts, fmt.Sprintf("%s %.4g", name, v))
	}
	slices.Sort(parts)
	return strings.Join(parts, "  ")
}

// pause waits, or returns the error of an ended ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
