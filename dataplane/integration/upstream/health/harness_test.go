package health_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
)

// rules are those of a host file that says nothing but that single targets have a
// breaker too.
var rules = health.Rules{
	Failures: 5, FailureRate: 0.2, MinRequests: 20, Window: 10 * time.Second,
	Ejection: 5 * time.Second, MaxEjection: 30 * time.Second, MaxEjected: 0.5,
	Breaker: health.BreakerRules{FailureRate: 0.8, MinRequests: 20, Single: true, Open: 5 * time.Second, MaxOpen: 30 * time.Second},
}

// ward is a group under test, with its own clock.
type ward struct {
	*health.Group
	t      *testing.T
	now    int64
	counts []health.Counts
}

func newWard(t *testing.T, n int, edit ...func(*health.Rules)) *ward {
	r := rules
	for _, e := range edit {
		e(&r)
	}
	w := &ward{t: t, Group: &health.Group{Rules: &r}, now: int64(time.Hour), counts: make([]health.Counts, n)}
	for i := range n {
		w.Targets = append(w.Targets, health.NewTarget(w.now, func() health.Counts { return w.counts[i] }))
	}
	return w
}

// saw counts requests to a target.
func (w *ward) saw(target int, answered, failed int64) *ward {
	w.counts[target].Answered += answered
	w.counts[target].Failed += failed
	return w
}

// after has the group looked at a while later.
func (w *ward) after(d time.Duration) *ward {
	w.now += int64(d)
	w.Look(w.now)
	return w
}

const tick = 250 * time.Millisecond

// letters are the targets' states: u, e, t; upper case is held.
func (w *ward) letters() string {
	b := make([]byte, len(w.Targets))
	for i, t := range w.Targets {
		b[i] = "uet"[t.State]
		if t.Held {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b) + []string{"", " open", " half"}[w.Breaker.State]
}

func (w *ward) expect(what, want string) *ward {
	w.t.Helper()
	if got := w.letters(); got != want {
		w.t.Fatalf("%s: %q, want %q", what, got, want)
	}
	return w
}
