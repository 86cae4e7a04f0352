package load

import (
	"fmt"
	"slices"
	"time"
)

// window bounds how many clients are on their way when nothing but their number
// matters, and patience how long anything may take to come.
const (
	window   = 32
	patience = 10 * time.Second
)

// gather connects the clients that a crowd begins with.
type gather struct {
	left, pending int
	last          time.Time // that one was ready
}

func (g *gather) joined(_ *crowd, _ *client, now time.Time) {
	g.pending--
	g.last = now
}

func (g *gather) message(c *crowd, _ *client, payload []byte, _ time.Time) {
	c.fail(fmt.Errorf("a message nobody waits for: %.100q", payload))
}

func (g *gather) step(c *crowd, now time.Time) (*crowdAnswer, time.Time) {
	for g.pending < window && g.left > 0 && c.failed == nil {
		g.pending++
		g.left--
		g.last = now
		c.join(now)
	}
	switch {
	case g.pending > 0:
		if now.Sub(g.last) > patience {
			c.fail(fmt.Errorf("%d clients are not connected after %v", g.pending, patience))
		}
		return nil, g.last.Add(patience + tick)
	case c.Hello == "":
		return &crowdAnswer{}, now
	}
	a := &crowdAnswer{}
	for _, m := range c.clients {
		if m.id != "" {
			a.IDs = append(a.IDs, m.id)
		}
	}
	return a, now
}

// arrive has new clients come at a constant rate, whatever connecting takes.
type arrive struct {
	Rate float64       // clients per second
	For  time.Duration // that they come

	start   time.Time
	came    int // asked for a connection
	latency []float64
	late    []float64
}

// ArrivalSummary is what has come of new clients.
type ArrivalSummary struct {
	Clients int     `json:"clients"`     // all that came
	P50     float64 `json:"p50_us"`      // from when a client was due until its handshake, and its hello, was answered
	P99     float64 `json:"p99_us"`      // likewise
	LateP99 float64 `json:"late_p99_us"` // how late the generator noticed that a client was due
}

func (a *arrive) joined(_ *crowd, m *client, now time.Time) {
	a.latency = append(a.latency, micros(now.Sub(m.due)))
}

func (a *arrive) message(c *crowd, _ *client, payload []byte, _ time.Time) {
	c.fail(fmt.Errorf("a message nobody waits for: %.100q", payload))
}

func (a *arrive) step(c *crowd, now time.Time) (*crowdAnswer, time.Time) {
	if a.start.IsZero() {
		a.start = now
	}
	all := int(a.Rate * a.For.Seconds())
	for a.came < all && c.failed == nil {
		due := a.start.Add(time.Duration(float64(a.came) / a.Rate * float64(time.Second)))
		if due.After(now) {
			return nil, due
		}
		a.came++
		a.late = append(a.late, micros(now.Sub(due)))
		c.join(due)
		now = time.Now()
	}
	if len(a.latency) < all {
		end := a.start.Add(a.For + patience)
		if now.After(end) {
			c.fail(fmt.Errorf("%d of %d new clients are not connected %v after the last", all-len(a.latency), all, patience))
		}
		return nil, end.Add(tick)
	}
	slices.Sort(a.latency)
	slices.Sort(a.late)
	return &crowdAnswer{Arrivals: &ArrivalSummary{
		Clients: all, P50: percentile(a.latency, 0.5), P99: percentile(a.latency, 0.99), LateP99: percentile(a.late, 0.99),
	}}, now
}
