package scenarios

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/report"
)

const (
	getMeasure     = "ns_per_get"
	chainedMeasure = "ns_per_chained_get"
	getAllocs      = "allocs_per_get"

	cacheCores = 2
)

// holder is a process that holds a cache.
type holder struct {
	name  string
	child *caches.Child
}

func holderName(h holder) string { return h.name }

// cacheStore compares gets from caches of a million entries, in a process each.
func cacheStore(ctx context.Context, b *bench) ([]report.Figure, error) {
	return b.compareStores(ctx, caches.Contents{Entries: 1_000_000, ValueBytes: 256})
}

func (b *bench) compareStores(ctx context.Context, c caches.Contents) ([]report.Figure, error) {
	var holders []holder
	defer func() {
		for _, h := range holders {
			h.child.Stop()
		}
	}()
	for _, name := range []string{caches.Tidegate, caches.Fastcache, caches.Bigcache, caches.Freecache, caches.Otter, caches.Ristretto} {
		child, err := b.hold(ctx, name, caches.Fastcache, c)
		if err != nil {
			return nil, err
		}
		holders = append(holders, holder{name, child})
	}
	err := interleave(ctx, b, holders, holderName, func(_ int, h holder) (map[string]float64, error) { return gets(h, b.window) })
	if err != nil {
		return nil, err
	}
	for _, h := range holders {
		values, err := collections(h.child)
		if err != nil {
			return nil, err
		}
		b.samples = append(b.samples, report.Sample{Rival: h.name, Values: values})
		b.logf("%-14s %s", h.name, describe(values))
	}
	return b.storeFigures()
}

// hold starts a process that holds the cache of that name or, when checking
// that like compares to like, the other one.
func (b *bench) hold(ctx context.Context, name, other string, c caches.Contents) (*caches.Child, error) {
	if b.selfCheck {
		name = other
	}
	return caches.Order{Name: name, Contents: c, Cores: cacheCores}.Start(ctx)
}

func (b *bench) storeFigures() (figures []report.Figure, err error) {
	for _, f := range []struct{ figure, measure, other string }{
		{"vs_fastcache", getMeasure, caches.Fastcache},
		{"vs_bigcache", getMeasure, caches.Bigcache},
		{"vs_freecache", getMeasure, caches.Freecache},
		{"vs_otter", getMeasure, caches.Otter},
		{"vs_ristretto", getMeasure, caches.Ristretto},
		{"chained_vs_fastcache", chainedMeasure, caches.Fastcache},
		{"chained_vs_bigcache", chainedMeasure, caches.Bigcache},
		{"chained_vs_freecache", chainedMeasure, caches.Freecache},
	} {
		ratio, err := report.Ratio(f.figure, b.samples, f.measure, caches.Tidegate, f.other)
		if err != nil {
			return nil, err
		}
		figures = append(figures, ratio)
	}
	return append(figures,
		report.Max("get_allocs", b.samples, getAllocs, caches.Tidegate),
		report.Median("gc_cpu_ms", b.samples, collectMeasure, caches.Tidegate),
		report.Median("otter_gc_cpu_ms", b.samples, collectMeasure, caches.Otter),
		report.Median("ristretto_gc_cpu_ms", b.samples, collectMeasure, caches.Ristretto)), nil
}

// gets measures both kinds of gets.
func gets(h holder, window time.Duration) (map[string]float64, error) {
	ahead, err := h.child.MeasureGets(window, false)
	if err != nil {
		return nil, err
	}
	chained, err := h.child.MeasureGets(window, true)
	return map[string]float64{
		getMeasure: ahead.Nanos, chainedMeasure: chained.Nanos, getAllocs: max(ahead.Allocs, chained.Allocs),
	}, err
}
