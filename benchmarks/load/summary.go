package load

import (
	"slices"
	"time"
)

func (g *generator) summary() OpenLoopSummary {
	slices.Sort(g.latency)
	slices.Sort(g.late)
	s := OpenLoopSummary{
		Requests: int64(len(g.latency)), Failed: g.failed,
		P50: percentile(g.latency, 0.5), P99: percentile(g.latency, 0.99), Max: percentile(g.latency, 1),
		LateP99: percentile(g.late, 0.99),
	}
	if g.firstErr != nil {
		s.Error = g.firstErr.Error()
	}
	return s
}

// percentile returns the smallest value that at least the fraction p of the
// sorted values does not exceed; 0 when there are none.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	n := int(float64(len(sorted))*p+0.999999) - 1
	return sorted[min(max(n, 0), len(sorted)-1)]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
