package overload

import (
	"io"
	"log/slog"
	"testing"
)

// BenchmarkSample is what one of ten samples a second costs.
func BenchmarkSample(b *testing.B) {
	m := NewMonitor(Config{Descriptors: 1000, InFlight: 1000, Thresholds: thresholds}, Source{
		Now: func() int64 { return 1 }, InFlight: func() int64 { return 1 }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	b.ReportAllocs()
	for b.Loop() {
		m.sample()
	}
	if n := testing.AllocsPerRun(100, m.sample); n != 0 {
		b.Errorf("%g allocations", n)
	}
}
