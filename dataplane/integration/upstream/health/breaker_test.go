package health_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
)

func TestBreaker(t *testing.T) {
	w := newWard(t, 1)
	w.saw(0, 3, 16).after(tick).expect("too few", "u")
	w.saw(0, 2, 3).after(tick).expect("too seldom", "u") // 19 of 24
	w.saw(0, 0, 1).after(tick).expect("20 of 25", "u open")
	if got := w.Breaker.Cause.String(); got != "20 of 25 requests failed" {
		t.Error(got)
	}
	if wait := w.Breaker.Wait(w.now); wait != 5*time.Second {
		t.Error(wait)
	}
	epoch := w.Targets[0].Epoch
	w.saw(0, 0, 50).after(5*time.Second-1).expect("what was sent before says nothing", "u open")
	w.after(1).expect("a trial", "t half")
	w.saw(0, 2, 0).after(tick).expect("two", "t half")
	w.saw(0, 0, 1).after(tick).expect("failed", "u open")
	if w.Targets[0].Epoch == epoch {
		t.Error("the epoch is the same")
	}
	w.after(10*time.Second-1).expect("twice as long", "u open").after(1).expect("a trial", "t half")
	w.saw(0, 3, 0).after(tick).expect("closed", "u")
	if w.Breaker.Wait(w.now) != 0 || w.Events.Opens != 2 || w.Events.Ejections != 0 {
		t.Errorf("%v %+v", w.Breaker.Wait(w.now), w.Events)
	}
	w.saw(0, 0, 30).after(tick).after(19*time.Second).expect("soon again", "u open").
		after(time.Second).saw(0, 3, 0).after(tick).after(30*time.Second).expect("well", "u")
	w.saw(0, 0, 30).after(tick).after(5*time.Second).expect("forgiven", "t half")
}

// TestBreakerOfOne: unless asked for, a single target has none.
func TestBreakerOfOne(t *testing.T) {
	none := func(r *health.Rules) { r.Breaker.Single = false }
	newWard(t, 1, none).saw(0, 0, 100).after(tick).expect("all of one fail", "u")
	newWard(t, 2, none).saw(0, 0, 100).saw(1, 0, 100).after(tick).expect("all of two fail", "uu open")
}

func TestBreakerOfSeveral(t *testing.T) {
	w := newWard(t, 3)
	w.saw(0, 0, 30).saw(1, 0, 30).saw(2, 30, 0).after(tick).expect("one is well", "euu")
	w.saw(1, 0, 30).saw(2, 0, 200).after(tick).expect("now all fail", "uuu open")
	w.after(5*time.Second).expect("all on trial", "ttt half")
	w.saw(0, 0, 1).saw(1, 2, 0).after(tick).expect("one failed", "ttt half")
	w.saw(1, 1, 0).after(tick).expect("one passed", "euu")
	w.saw(1, 0, 30).saw(2, 0, 30).after(tick).expect("and fail again", "uuu open")
	w.after(10*time.Second).saw(0, 0, 1).saw(1, 0, 1).saw(2, 0, 1).after(tick).expect("none passed", "uuu open")
}

// TestBreakerIgnoresTheIdle: a target that got no requests keeps nothing closed.
func TestBreakerIgnoresTheIdle(t *testing.T) {
	w := newWard(t, 4)
	w.saw(0, 0, 30).saw(1, 0, 30).after(tick).expect("two ejected, the others idle", "eeuu")
	w.saw(2, 0, 20).after(tick).expect("one of the others fails", "uuuu open")
}

func TestBreakerOff(t *testing.T) {
	w := newWard(t, 1, func(r *health.Rules) { r.Breaker.FailureRate = 0 })
	w.saw(0, 0, 1000).after(tick).expect("off", "u")
}

// TestChecksAndBreaker: a check that is wrong about everybody does not keep the
// breaker open.
func TestChecksAndBreaker(t *testing.T) {
	w := newWard(t, 2)
	for range 3 {
		w.Targets[0].Checked(w.now, "404", 2, 3)
		w.Targets[1].Checked(w.now, "404", 2, 3)
	}
	w.after(tick).expect("half is held", "Uu")
	w.saw(1, 0, 30).after(tick).expect("the other fails", "Uu open")
	w.after(5*time.Second).expect("on trial", "Tt half")
	w.saw(1, 3, 0).after(tick).expect("well", "Uu")
}

// TestQuiet: nobody needs to look while nothing is wrong, and again once all is
// forgiven.
func TestQuiet(t *testing.T) {
	w := newWard(t, 2)
	quiet := func(what string, want bool) {
		t.Helper()
		if w.Quiet() != want {
			t.Errorf("%s: %t", what, w.Quiet())
		}
	}
	quiet("new", true)
	w.saw(0, 0, 1).after(tick)
	quiet("a failure", false)
	w.after(11 * time.Second)
	quiet("it is old", true)
	w.saw(0, 0, 4).after(tick).expect("five in a row all the same", "eu")
	quiet("ejected", false)
	w.after(5*time.Second).saw(0, 3, 0).after(tick).expect("back", "uu")
	quiet("back", false)
	w.after(30 * time.Second)
	quiet("forgiven", true)
	w.saw(0, 0, 4).after(tick).saw(0, 10, 0).after(11 * time.Second)
	w.saw(0, 3, 0)
	w.Targets[0].Restart()
	w.saw(0, 0, 4).after(tick).expect("answered while nobody looked", "uu")
}
