package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/benchmarks/network"
)

// Fresh is a load of connections, each opened for one request and closed after
// the server has: at a constant rate, or as many as a number of them carries.
type Fresh struct {
	Address     string        // host:port, clear text
	Host, Path  string        // of the requests, which are GETs; Host "" is Address
	Connections int           // under way at once, at most
	Rate        float64       // connections per second; 0: the next when one is done
	Patience    time.Duration // a connection without an answer is given up then, without a word
	Duration    time.Duration // at most: it may be stopped sooner
	From        *network.Host `json:"-"` // where it runs; nil for the host of this process
}

// FreshSummary is what became of the connections. Every one that was opened is
// counted in one way.
type FreshSummary struct {
	Opened int64         `json:"opened"`
	Status map[int]int64 `json:"status"` // whole answers
	Reset  int64         `json:"reset"`  // refused, or reset before an answer
	Silent int64         `json:"silent"` // given up
	Excess int64         `json:"excess"` // were due while all were under way, and not opened
	Micros float64       `json:"micros"` // how long connections were opened
	Failed int64         `json:"failed"` // closed without an answer, or with one that is none
	Error  string        `json:"error"`  // of the first that failed
}

// PerSecond is how many connections were opened.
func (s FreshSummary) PerSecond() float64 { return float64(s.Opened) / s.Micros * 1e6 }

// Only returns an error unless all connections were answered with that status.
func (s FreshSummary) Only(status int) error {
	if s.Failed > 0 {
		return fmt.Errorf("%d connections failed, the first: %s", s.Failed, s.Error)
	}
	if s.Opened == 0 {
		return errors.New("no connection was opened")
	}
	if n := s.Status[status]; n != s.Opened {
		return fmt.Errorf("%d of %d connections were answered with status %d; answers %v, %d reset, %d without an answer",
			n, s.Opened, status, s.Status, s.Reset, s.Silent)
	}
	return nil
}

// FreshLoad is a running load of connections.
type FreshLoad struct{ child *child }

// Start starts the load; it ends by itself after Duration.
func (f Fresh) Start(ctx context.Context) (*FreshLoad, error) {
	c, err := spawn(ctx, f.From, freshCommand, f)
	return &FreshLoad{c}, err
}

// Stop opens no more connections, and returns when those under way are done.
func (l *FreshLoad) Stop() (FreshSummary, error) {
	l.child.release()
	return l.Wait()
}

// Wait returns when the load has ended by itself.
func (l *FreshLoad) Wait() (s FreshSummary, err error) { return s, l.child.wait(&s) }
