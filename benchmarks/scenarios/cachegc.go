package scenarios

import (
	"context"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/procstat"
	"github.com/tidegate/tidegate/benchmarks/report"
)

const (
	collectMeasure = "gc_cpu_ms"
	pauseMeasure   = "gc_max_pause_us"
	stallMeasure   = "gc_max_stall_us"
	heapMeasure    = "heap_mib"

	forced = 10 // garbage collections
)

// cacheGC compares processes that hold 4 GiB of keys and values.
func cacheGC(ctx context.Context, b *bench) ([]report.Figure, error) {
	return b.compareHeaps(ctx, caches.Contents{Entries: 4_000_000, ValueBytes: 1<<30/1_000_000 - caches.KeyBytes + 1})
}

// compareHeaps fills one cache after the other: at no time is there memory
// taken for two.
func (b *bench) compareHeaps(ctx context.Context, c caches.Contents) ([]report.Figure, error) {
	err := interleave(ctx, b, []string{caches.Tidegate, caches.GoMap}, func(name string) string { return name },
		func(_ int, name string) (map[string]float64, error) {
			child, err := b.hold(ctx, name, caches.Tidegate, c)
			if err != nil {
				return nil, err
			}
			defer child.Stop()
			return collections(child)
		})
	if err != nil {
		return nil, err
	}
	figures := []report.Figure{report.Max(heapMeasure, b.samples, heapMeasure, caches.Tidegate)}
	for _, f := range []struct{ figure, measure string }{
		{"max_pause_vs_map", pauseMeasure}, {"max_stall_vs_map", stallMeasure}, {"gc_cpu_vs_map", collectMeasure},
	} {
		ratio, err := report.Ratio(f.figure, b.samples, f.measure, caches.Tidegate, caches.GoMap)
		if err != nil {
			return nil, err
		}
		figures = append(figures, ratio)
	}
	return figures, nil
}

// collections measures what garbage collection costs the process, and what
// memory it takes.
func collections(child *caches.Child) (map[string]float64, error) {
	c, err := child.MeasureCollections(forced)
	if err != nil {
		return nil, err
	}
	memory, err := procstat.UserMemory([]int{child.PID()})
	return map[string]float64{
		collectMeasure: float64(c.CPU.Microseconds()) / 1e3,
		pauseMeasure:   float64(c.MaxPause.Nanoseconds()) / 1e3,
		stallMeasure:   float64(c.MaxStall.Nanoseconds()) / 1e3,
		heapMeasure:    float64(c.Heap) / (1 << 20),
		"memory_mib":   float64(memory) / (1 << 20),
	}, err
}
