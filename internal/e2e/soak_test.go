package e2e

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// soaking reports whether tests take their full form, with bounds in absolute
// time.
func soaking() bool { return os.Getenv("TIDEGATE_SOAK") == "1" }

// found logs what was measured for a row of the reliability table, in a form
// that make soak gathers.
func found(t *testing.T, row, format string, values ...any) {
	t.Helper()
	t.Logf("FOUND "+row+" | "+format, values...)
}

// tenths rounds a duration for people to read.
func tenths(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(100 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// latencies are what requests took.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

// timed notes how long each request takes.
func (l *latencies) timed(do func(*client, int) error) func(*client, int) error {
	return func(c *client, turn int) error {
		began := time.Now()
		err := do(c, turn)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, time.Since(began))
		return err
	}
}

// quantile returns the duration that a share of the requests did not exceed.
func (l *latencies) quantile(share float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return 0
	}
	slices.Sort(l.all)
	return l.all[min(len(l.all)-1, int(share*float64(len(l.all))))]
}
