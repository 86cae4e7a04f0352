package load

import (
	"context"
	"time"
)

// OpenLoop is a load at a constant rate, whatever the answers take. A request
// waits for a free connection when all are busy; its latency counts from the
// moment it was due, so a gateway that stalls is charged for all that it kept
// waiting (no coordinated omission).
type OpenLoop struct {
	Address     string        // host:port, clear text
	Path        string        // of every request, which is a GET
	Connections int           // kept alive
	Rate        float64       // requests per second
	WarmUp      time.Duration // at the start, sent but not recorded
	Duration    time.Duration // recorded, at most: a Load may be stopped sooner
}

// OpenLoopSummary is what an open loop has recorded.
type OpenLoopSummary struct {
	Requests int64   `json:"requests"` // answered with 200
	Failed   int64   `json:"failed"`   // any other answer, none, or no connection; the warm-up's too
	Error    string  `json:"error"`    // the first failure
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Max      float64 `json:"max_us"`
	LateP99  float64 `json:"late_p99_us"` // how late the generator noticed that a request was due: its own share of latency
}

// Load is a running open loop.
type Load struct{ child *child }

// Start starts the load; it ends by itself after WarmUp and Duration.
func (o OpenLoop) Start(ctx context.Context) (*Load, error) {
	c, err := spawn(ctx, nil, openLoopCommand, o)
	return &Load{c}, err
}

// Stop ends the load at once.
func (l *Load) Stop() (OpenLoopSummary, error) {
	l.child.release()
	return l.Wait()
}

// Wait returns when the load has ended by itself.
func (l *Load) Wait() (s OpenLoopSummary, err error) { return s, l.child.wait(&s) }
