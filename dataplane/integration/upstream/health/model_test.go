package health_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
)

// model says the same as Group in the plainest way: it keeps everything that ever
// happened and works each answer out from it.
type model struct {
	r       *health.Rules
	targets []*modelled
	open    bool
	half    bool
	until   int64 // of open
	opened  []int64
	closed  int64
}

type modelled struct {
	state     byte // u, e, t
	since     int64
	until     int64
	log       []event // since then
	ejections []int64
	back      int64
}

// event is what was counted at one look.
type event struct{ at, answered, failed int64 }

func (m *modelled) row() (n int64) {
	for _, e := range m.log {
		if n += e.failed; e.answered > 0 {
			n = 0
		}
	}
	return n
}

func (m *modelled) sum(now int64, window time.Duration) (answered, failed int64) {
	slot := int64(window) / 10
	for _, e := range m.log {
		if e.at/slot > now/slot-10 {
			answered, failed = answered+e.answered, failed+e.failed
		}
	}
	return answered, failed
}

func (m *modelled) become(state byte, now int64) { m.state, m.since, m.log = state, now, nil }

func (m *model) out() (n int) {
	for _, t := range m.targets {
		if t.state != 'u' {
			n++
		}
	}
	return n
}

func (m *model) eject(t *modelled, now int64) {
	t.ejections = append(t.ejections, now)
	t.become('e', now)
	t.until = now + doubled(m.r.Ejection, m.r.MaxEjection, len(t.ejections))
}

func doubled(first, most time.Duration, times int) int64 {
	d := first << (times - 1)
	return int64(min(d, most))
}

// look is Group.Look. got is what was counted of each target.
func (m *model) look(now int64, got []event) {
	for i, t := range m.targets {
		if t.state != 'e' {
			t.log = append(t.log, got[i])
		}
	}
	switch {
	case m.open:
		if now >= m.until {
			m.open, m.half = false, true
			for _, t := range m.targets {
				t.become('t', now)
			}
		}
		return
	case m.half:
		m.lookHalf(now)
		return
	}
	for _, t := range m.targets {
		switch answered, failed := trial(t); {
		case t.state == 'e' && now >= t.until:
			t.become('t', now)
		case t.state == 't' && failed > 0:
			m.eject(t, now)
		case t.state == 't' && answered >= health.Trials:
			t.become('u', now)
			t.back = now
		}
	}
	for _, t := range m.targets {
		if t.state == 'u' && now-t.back >= int64(m.r.MaxEjection) {
			t.ejections = nil
		}
	}
	if now-m.closed >= int64(m.r.Breaker.MaxOpen) {
		m.opened = nil
	}
	for _, t := range m.targets {
		if t.state == 'u' && m.out() < len(m.targets)/2 && m.outlier(t, now) {
			m.eject(t, now)
		}
	}
	if m.allFail(now) {
		m.trip(now)
	}
}

func trial(t *modelled) (answered, failed int64) {
	for _, e := range t.log {
		answered, failed = answered+e.answered, failed+e.failed
	}
	return answered, failed
}

func (m *model) outlier(t *modelled, now int64) bool {
	if t.row() >= int64(m.r.Failures) {
		return true
	}
	answered, failed := t.sum(now, m.r.Window)
	total := float64(answered + failed)
	if total < float64(m.r.MinRequests) || float64(failed) < m.r.FailureRate*total {
		return false
	}
	var othersFailed, others float64
	for _, o := range m.targets {
		if o != t && o.state == 'u' {
			a, f := o.sum(now, m.r.Window)
			othersFailed, others = othersFailed+float64(f), others+float64(a+f)
		}
	}
	return others == 0 || float64(failed)*others >= 2*othersFailed*total
}

func (m *model) allFail(now int64) bool {
	var sum, bad int64
	for _, t := range m.targets {
		if t.state != 'u' {
			continue
		}
		answered, failed := t.sum(now, m.r.Window)
		if total := answered + failed; total > 0 && (failed == 0 || float64(failed) < m.r.Breaker.FailureRate*float64(total)) {
			return false
		}
		sum, bad = sum+answered+failed, bad+failed
	}
	return bad > 0 && sum >= int64(m.r.Breaker.MinRequests)
}

func (m *model) trip(now int64) {
	m.opened = append(m.opened, now)
	m.open, m.half, m.until = true, false, now+doubled(m.r.Breaker.Open, m.r.Breaker.MaxOpen, len(m.opened))
	for _, t := range m.targets {
		t.become('u', now)
		t.back = now
	}
}

func (m *model) lookHalf(now int64) {
	passed, failing := false, 0
	var bad []*modelled
	for _, t := range m.targets {
		answered, failed := trial(t)
		passed = passed || failed == 0 && answered >= health.Trials
		if failed > 0 {
			failing++
			bad = append(bad, t)
		}
	}
	switch {
	case passed:
		m.half, m.closed = false, now
		for _, t := range m.targets {
			t.become('u', now)
			t.back = now
		}
		for _, t := range bad {
			if m.out() < len(m.targets)/2 {
				m.eject(t, now)
			}
		}
	case failing == len(m.targets):
		m.trip(now)
	}
}

func (m *model) letters() string {
	var b []byte
	for _, t := range m.targets {
		b = append(b, t.state)
	}
	switch {
	case m.open:
		return string(b) + " open"
	case m.half:
		return string(b) + " half"
	}
	return string(b)
}

// TestAgainstModel has random groups go through random days, and compares every
// state with the model's.
func TestAgainstModel(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := newWard(t, 1+random.IntN(6), func(r *health.Rules) {
			r.MinRequests = 5 + random.IntN(20)
			r.Failures = 2 + random.IntN(5)
			r.Breaker.MinRequests = r.MinRequests
		})
		m := &model{r: w.Rules}
		for range w.Targets {
			m.targets = append(m.targets, &modelled{state: 'u', back: w.now})
		}
		mood := make([]float64, len(w.Targets)) // how often each fails
		for step := range 400 {
			if random.IntN(20) == 0 {
				mood[random.IntN(len(mood))] = []float64{0, 0, 0.1, 0.3, 1}[random.IntN(5)]
			}
			got := make([]event, len(w.Targets))
			d := time.Duration(1+random.IntN(8)) * tick
			for i, target := range w.Targets {
				n := random.IntN(12)
				if target.State == health.Trial {
					n = min(n, 4)
				}
				if !target.Asked() || w.Breaker.State == health.Open {
					n = 0
				}
				for range n {
					if random.Float64() < mood[i] {
						got[i].failed++
					} else {
						got[i].answered++
					}
				}
				got[i].at = w.now + int64(d)
				w.saw(i, got[i].answered, got[i].failed)
			}
			w.after(d)
			m.look(w.now, got)
			if a, b := w.letters(), m.letters(); a != b {
				t.Fatalf("seed %d, step %d: %q, and the model says %q", seed, step, a, b)
			}
			for _, target := range w.Targets {
				seen["uet"[target.State:target.State+1]]++
			}
			seen[[]string{"closed", "open", "half"}[w.Breaker.State]]++
		}
	}
	for _, what := range []string{"u", "e", "t", "closed", "open", "half"} {
		if seen[what] < 300 {
			t.Errorf("%q was seen %d times only", what, seen[what])
		}
	}
}

// TestBounds: whatever is said of targets by requests and checks, and whichever
// come and go, no more than half are out, and none for longer than the longest
// ejection.
func TestBounds(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 8))
		w := newWard(t, 8)
		all := w.Targets
		for range 500 {
			if random.IntN(10) == 0 {
				w.Targets = all[:1+random.IntN(len(all))]
			}
			for i, target := range all {
				w.saw(i, int64(random.IntN(3)), int64(random.IntN(3)*random.IntN(10)))
				if random.IntN(3) == 0 {
					target.Checked(w.now, []string{"", "no"}[random.IntN(2)], 1+random.IntN(2), 1+random.IntN(2))
				}
			}
			w.after(time.Duration(random.IntN(4000)) * time.Millisecond)
			out, held := 0, 0
			for _, target := range w.Targets {
				if target.State == health.Ejected && target.Until-w.now > int64(w.Rules.MaxEjection) {
					t.Fatalf("seed %d: out for %d s", seed, (target.Until-w.now)/1e9)
				}
				if target.Held {
					held++
				}
				if target.Held || target.State != health.Up && w.Breaker.State == health.Closed {
					out++
				}
			}
			if limit := len(w.Targets) / 2; out > limit || held > limit {
				t.Fatalf("seed %d: %d of %d are out, %d for their checks: %s", seed, out, len(w.Targets), held, w.letters())
			}
		}
	}
}

// TestOutAndBack: with a request of each target every 100 ms and the host file's
// defaults, a target that fails is out within 10 s, and back within 40 s after it
// is well again, however long it was not.
func TestOutAndBack(t *testing.T) {
	for _, rate := range []float64{1, 0.6, 0.3} {
		for seed := range uint64(50) {
			random := rand.New(rand.NewPCG(seed, 9))
			w := newWard(t, 2+random.IntN(4))
			step := func(fails float64) {
				for i, target := range w.Targets {
					if !target.Asked() {
						continue
					}
					for range 10 {
						if i == 0 && random.Float64() < fails {
							w.saw(i, 0, 1)
							if target.State == health.Trial {
								break
							}
						} else {
							w.saw(i, 1, 0)
						}
					}
				}
				w.after(time.Second)
			}
			within := func(what string, seconds int, fails float64, is func() bool) {
				for range seconds {
					if is() {
						return
					}
					step(fails)
				}
				t.Fatalf("rate %g, seed %d: not %s within %d s: %s", rate, seed, what, seconds, w.letters())
			}
			for range 20 {
				step(0)
			}
			out := func() bool { return !w.Targets[0].Asked() }
			within("out", 10, rate, out)
			for range random.IntN(300) {
				step(rate)
			}
			within("back", 40, 0, func() bool { return w.Targets[0].State == health.Up })
		}
	}
}
