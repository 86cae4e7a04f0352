package scenarios

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/callers"
	"github.com/tidegate/tidegate/benchmarks/limits"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/sockets"
)

const (
	spendMeasure   = "ns_per_spend"
	allocsMeasure  = "allocs_per_spend"
	scalingMeasure = "scaling_2_cores"
	hotCores       = 2
)

// limiter compares in turns as the other scenarios do, within this process.
func limiter(ctx context.Context, b *bench) ([]report.Figure, error) {
	parts := []func(context.Context, *bench) ([]report.Figure, error){spends, scaling, accuracy, keys}
	if b.selfCheck {
		parts = parts[:1]
	}
	var all []report.Figure
	for _, part := range parts {
		figures, err := part(ctx, b)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

// spends compares what one goroutine pays for a spend and for a decision.
func spends(ctx context.Context, b *bench) ([]report.Figure, error) {
	contestants := limits.Uncontended()
	if b.selfCheck {
		contestants = limits.SelfCheck()
	}
	cost := func(d time.Duration) func(int, limits.Limiter) (map[string]float64, error) {
		return func(_ int, l limits.Limiter) (map[string]float64, error) {
			c, err := l.Cost(d)
			return map[string]float64{spendMeasure: c.Nanos, allocsMeasure: c.Allocs}, err
		}
	}
	for _, l := range contestants { // warm up
		if _, err := cost(warmUp/50)(0, l); err != nil {
			return nil, err
		}
	}
	if err := interleave(ctx, b, contestants, limiterName, cost(b.window)); err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, pair := range []struct{ figure, one, other string }{
		{"vs_xtime", limits.Tidegate, limits.XTime},
		{"vs_xtime_given_now", limits.Tidegate, limits.XTimeGivenNow},
		{"decision_vs_xtime", limits.Decision, limits.XTime},
	} {
		f, err := report.Ratio(pair.figure, b.samples, spendMeasure, pair.one, pair.other)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return append(figures,
		report.Max("spend_allocs", b.samples, allocsMeasure, limits.Tidegate),
		report.Max("decision_allocs", b.samples, allocsMeasure, limits.Decision)), nil
}

// scaling compares spends from one limit by two cores with those by one. The
// rivals' own scaling stands beside, and that of Tidegate under other loads.
func scaling(ctx context.Context, b *bench) ([]report.Figure, error) {
	if n := runtime.GOMAXPROCS(0); n < hotCores {
		return nil, fmt.Errorf("%d cores are needed to see how limiters scale, and there is %d", hotCores, n)
	}
	contestants := append(limits.Hot(hotCores), limits.Overloaded(hotCores), limits.Underused(hotCores))
	err := interleave(ctx, b, contestants, limiterName, func(_ int, l limits.Limiter) (map[string]float64, error) {
		s := l.Scaling(hotCores, 2*b.window)
		return map[string]float64{
			scalingMeasure: s.Ratio(), "hot_1_core_per_second": s.One, "hot_2_cores_per_second": s.All,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, f := range []struct{ prefix, name string }{
		{"", limits.Tidegate}, {"xtime_", limits.XTime}, {"uber_", limits.Uber}, {"sethvargo_", limits.Sethvargo},
		{"overloaded_", limits.OverloadedName}, {"underused_", limits.UnderusedName},
	} {
		figures = append(figures, report.Median(f.prefix+scalingMeasure, b.samples, scalingMeasure, f.name))
	}
	return figures, nil
}

// accuracy overloads the account's default limit. What counts is the worst round.
func accuracy(ctx context.Context, b *bench) ([]report.Figure, error) {
	const used, over = "accuracy_used", "accuracy_over"
	err := interleave(ctx, b, []string{limits.Tidegate}, func(name string) string { return name },
		func(int, string) (map[string]float64, error) {
			a, err := limits.MeasureAccuracy(hotCores, 1)
			return map[string]float64{used: a.Used, over: a.Over}, err
		})
	return []report.Figure{
		report.Min(used, b.samples, used, limits.Tidegate),
		report.Max(over, b.samples, over, limits.Tidegate),
	}, err
}

// manyKeys is how many API keys are looked up in the scenario.
const manyKeys = 1_000_000

// keys compares finding one of a million API keys in plans with the same in a Go
// map. It comes last: a large heap is nothing for the others to run beside.
func keys(ctx context.Context, b *bench) ([]report.Figure, error) {
	const find, size, scanned = "ns_per_find", "bytes_per_key", "scanned_bytes_per_key"
	k, gateway, plain, err := limits.NewKeys(b.keys)
	if err != nil {
		return nil, err
	}
	memory := func(name string, m limits.KeyMemory) report.Sample {
		return report.Sample{Rival: name, Values: map[string]float64{size: m.Bytes, scanned: m.Scanned}}
	}
	b.samples = append(b.samples, memory(limits.FindKey, gateway), memory(limits.MapLookup, plain))
	err = interleave(ctx, b, k.Finds(), limiterName, func(_ int, l limits.Limiter) (map[string]float64, error) {
		c, err := l.Cost(b.window)
		return map[string]float64{find: c.Nanos, allocsMeasure: c.Allocs}, err
	})
	if err != nil {
		return nil, err
	}
	lookup, err := report.Ratio("lookup_vs_map", b.samples, find, limits.FindKey, limits.MapLookup)
	return []report.Figure{
		lookup,
		report.Max("find_allocs", b.samples, allocsMeasure, limits.FindKey),
		report.Median("keys_bytes", b.samples, size, limits.FindKey),
		report.Median("keys_scanned_bytes", b.samples, scanned, limits.FindKey),
	}, err
}

func limiterName(l limits.Limiter) string { return l.Name }

// moduleVersions names the modules that were compared, as this binary was built
// with them.
func moduleVersions(r *report.Result) map[string]string {
	v := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, name := range r.Rivals() {
		module := cmp.Or(limits.Modules[name], caches.Modules[name], callers.Modules[name], sockets.Modules[name])
		if module == "" {
			continue
		}
		if i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module }); i >= 0 {
			v[module] = info.Deps[i].Version
		}
	}
	return v
}
