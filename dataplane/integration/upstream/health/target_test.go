package health_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
)

func TestInARow(t *testing.T) {
	w := newWard(t, 3)
	w.saw(0, 0, 4).after(tick).expect("four", "uuu")
	w.saw(0, 1, 0).after(tick).saw(0, 0, 4).after(tick).expect("four again", "uuu")
	w.saw(0, 0, 1).after(tick).expect("five", "euu")
	if got := w.Targets[0].Cause.String(); got != "5 requests in a row failed" {
		t.Error(got)
	}
	if w.Targets[0].Asked() || !w.Targets[1].Asked() {
		t.Error("who is asked")
	}
}

// TestInARowOverTime: failures far apart are in a row all the same.
func TestInARowOverTime(t *testing.T) {
	w := newWard(t, 2)
	for range 4 {
		w.saw(0, 0, 1).after(time.Minute).expect("not yet", "uu")
	}
	w.saw(0, 0, 1).after(time.Minute).expect("the fifth", "eu")
}

func TestRate(t *testing.T) {
	w := newWard(t, 2)
	w.saw(0, 14, 4).saw(1, 18, 0).after(tick).expect("too few", "uu")
	w.saw(0, 2, 1).after(tick).expect("a fifth", "eu")
	if got := w.Targets[0].Cause.String(); got != "5 of 21 requests failed" {
		t.Error(got)
	}

	w = newWard(t, 2)
	w.saw(0, 100, 20).saw(1, 110, 10).after(tick).expect("less than the rate", "uu")
	w = newWard(t, 3) // who fails no more than twice as often as the others is no outlier
	w.saw(0, 70, 30).saw(1, 80, 20).saw(2, 80, 20).after(tick).expect("all fail", "uuu")
	w = newWard(t, 3)
	w.saw(0, 50, 50).saw(1, 80, 20).saw(2, 80, 20).after(tick).expect("one fails more", "euu")

	w = newWard(t, 2)
	for range 9 {
		w.saw(0, 1, 1).saw(1, 2, 0).after(1100 * time.Millisecond)
	}
	w.after(5*time.Second).saw(0, 1, 1).saw(1, 2, 0).after(tick).expect("what is old does not count", "uu")
}

// TestTrial: the ejection ends with a trial of three requests, and each further
// ejection lasts twice as long, up to the longest.
func TestTrial(t *testing.T) {
	w := newWard(t, 2)
	w.saw(0, 0, 5).after(tick).expect("out", "eu")
	for _, d := range []time.Duration{5, 10, 20, 30, 30} {
		w.saw(0, 0, 50).saw(0, 50, 0) // of what was sent before
		w.after(d*time.Second-time.Millisecond).expect("still out", "eu")
		w.after(time.Millisecond).expect("on trial", "tu")
		w.saw(0, 2, 0).after(tick).expect("two of three", "tu")
		w.saw(0, 0, 1).after(tick).expect("failed", "eu")
		if got := w.Targets[0].Cause.String(); got != "a request on trial failed" {
			t.Error(got)
		}
	}
	w.after(30*time.Second).saw(0, 3, 0).after(tick).expect("passed", "uu")
	if n := w.Events.Ejections; n != 6 {
		t.Errorf("%d ejections", n)
	}
	// Soon after the next one is long, later it is short again.
	w.saw(0, 0, 5).after(tick).after(29*time.Second).expect("again", "eu")
	w.after(time.Second).saw(0, 3, 0).after(tick).after(30*time.Second).expect("back", "uu")
	w.saw(0, 0, 5).after(tick).after(5*time.Second).expect("forgiven", "tu")
}

// TestEpoch: an ejection ends what requests sent before say of the target.
func TestEpoch(t *testing.T) {
	w := newWard(t, 2)
	before := w.Targets[0].Epoch
	w.saw(0, 0, 5).after(tick)
	if w.Targets[0].Epoch == before || w.Targets[1].Epoch != before {
		t.Errorf("epochs %d, %d, and before %d", w.Targets[0].Epoch, w.Targets[1].Epoch, before)
	}
}

func TestNeverMoreThanHalf(t *testing.T) {
	for n, most := range []int{0, 0, 1, 1, 2, 2, 3} {
		w := newWard(t, n, func(r *health.Rules) { r.Breaker.FailureRate = 0 })
		for i := range n {
			w.saw(i, 0, 100)
		}
		w.after(tick)
		out := 0
		for _, target := range w.Targets {
			if !target.Asked() {
				out++
			}
		}
		if out != most {
			t.Errorf("%d of %d are out, want %d", out, n, most)
		}
	}
}

// TestTargetsGoAway: when there are fewer, fewer may be out.
func TestTargetsGoAway(t *testing.T) {
	w := newWard(t, 4)
	w.saw(0, 0, 5).after(tick).saw(1, 0, 5).after(tick).expect("two out", "eeuu")
	w.Targets = w.Targets[:3]
	w.after(tick).expect("the first comes back", "ueu")
	w.Targets = w.Targets[1:2]
	w.after(tick).expect("alone", "u")
}

func TestChecks(t *testing.T) {
	w := newWard(t, 3)
	check := func(i int, err string) *ward {
		w.Targets[i].Checked(w.now, err, 2, 3)
		return w.after(tick)
	}
	check(0, "refused").expect("one", "uuu")
	check(0, "")
	check(0, "refused")
	check(0, "refused").expect("two in a row", "uuu")
	check(0, "refused").expect("three in a row", "Uuu")
	if c := w.Targets[0]; c.Cause.String() != "its health check fails" || c.Check.Err != "refused" || c.Asked() {
		t.Errorf("%+v", c)
	}
	for range 3 {
		check(1, "refused")
	}
	w.expect("a second one stays, for one of three may be out", "Uuu")
	check(0, "").expect("one good", "Uuu")
	check(0, "").expect("two good; the other one's turn", "uUu")
	w.saw(0, 0, 5).after(tick).expect("no room for an ejection", "uUu")
	check(1, "")
	check(1, "").expect("both", "euu")
	for range 3 {
		check(0, "refused")
	}
	w.expect("who is ejected can be held too", "Euu")
	w.after(5*time.Second).saw(0, 3, 0).after(tick).expect("the ejection alone ends", "Uuu")
}
