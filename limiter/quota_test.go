package limiter

import (
	"math/rand/v2"
	"testing"
	"time"
)

func utc(month time.Month, day, hour int) int64 {
	return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC).UnixNano()
}

// count spends up to n requests and returns how many were allowed.
func count(c *Counter, q Quota, wall int64, n int) (allowed int) {
	charges := []Charge{{Counter: c, Quota: &q}}
	for range n {
		if d := SpendAll(0, wall, 0, charges); d.Allowed() {
			allowed++
		}
	}
	return allowed
}

func TestQuotaWindows(t *testing.T) {
	var c Counter
	q := NewQuota(5, Month, 2, utc(1, 15, 0)) // two fewer in January
	for _, step := range []struct {
		wall          int64
		ask, get, sum int
		says          string
	}{
		{utc(1, 15, 0), 2, 2, 2, "the first period"},
		{utc(1, 31, 23), 9, 1, 3, "has two fewer"},
		{utc(2, 1, 0), 9, 5, 5, "then all"},
		{utc(2, 28, 23), 9, 0, 5, "to the end of the month"},
		{utc(3, 1, 0), 4, 4, 4, "a new month"},
		{utc(2, 28, 23), 9, 0, 5, "the clock steps back: February is still spent"},
		{utc(3, 1, 0), 9, 1, 5, "and March has one left"},
		{utc(6, 1, 0), 9, 5, 5, "a jump of months"},
	} {
		if got := count(&c, q, step.wall, step.ask); got != step.get {
			t.Fatalf("%s: %d of %d allowed, want %d", step.says, got, step.ask, step.get)
		}
		if used := c.Used(step.wall, q); used != int64(step.sum) {
			t.Fatalf("%s: %d used, want %d", step.says, used, step.sum)
		}
	}
}

func TestQuotaAllowance(t *testing.T) {
	now := utc(5, 5, 5)
	for _, tt := range []struct {
		q    Quota
		want int64
	}{
		{NewQuota(10, Day, 0, now), 10},
		{NewQuota(10, Day, 3, now), 7},
		{NewQuota(10, Day, 3, now-dayNanos), 10},
		{NewQuota(10, Day, 30, now), 0},
		{NewQuota(10, Day, -5, now), 15}, // a grant for this window
		{NewQuota(1<<62, Day, 0, now), maxCount},
		{Quota{}, 0},
	} {
		if got := tt.q.Allowance(now); got != tt.want {
			t.Errorf("%+v allows %d, want %d", tt.q, got, tt.want)
		}
	}
}

// A clock that was once decades ahead neither stops the windows nor has them
// counted twice when it comes again.
func TestCounterSurvivesAWrongClock(t *testing.T) {
	var c Counter
	q := NewQuota(10, Day, 0, 0)
	count(&c, q, utc(1, 1, 0), 4)
	wrong := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	count(&c, q, wrong, 7)
	for day := 1; day < 28; day++ {
		want := 10
		if day == 1 {
			want = 6
		}
		if got := count(&c, q, utc(1, day, 0), 20); got != want {
			t.Fatalf("day %d: %d allowed, want %d", day, got, want)
		}
	}
	if got := count(&c, q, wrong, 20); got != 3 {
		t.Errorf("%d allowed of the window far ahead, want the 3 left", got)
	}
}

// Around a boundary, with a clock that jitters over it, each window counts to
// its limit and no further.
func TestCounterJitterOverABoundary(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, p := range []Period{Day, Week, Month} {
		var c Counter
		q := NewQuota(50, p, 0, 0)
		got := map[int64]int{}
		for i := range 1000 {
			wall := p.Start(700) + int64(i-500)*1e6 + r.Int64N(4e8) - 2e8
			got[p.Number(wall)] += count(&c, q, wall, 1)
		}
		if got[699] != 50 || got[700] != 50 {
			t.Errorf("%v: %v, want 50 in each of windows 699 and 700", p, got)
		}
	}
}

func TestCounterChangeOfPeriod(t *testing.T) {
	var c Counter
	now := utc(1, 2, 0)
	count(&c, NewQuota(5, Day, 0, 0), now, 5)
	if got := count(&c, NewQuota(5, Month, 0, 0), now, 9); got != 5 {
		t.Errorf("%d allowed of a new period, want 5", got)
	}
}

func TestCounterSnapshotAndRestore(t *testing.T) {
	var c Counter
	q := NewQuota(100, Day, 0, 0)
	count(&c, q, utc(1, 1, 0), 7)
	count(&c, q, utc(1, 2, 0), 9)
	kept := c.Snapshot()

	var back Counter
	for range 2 { // twice is once
		for _, k := range kept {
			back.Restore(k)
		}
	}
	if one, two := back.Used(utc(1, 1, 0), q), back.Used(utc(1, 2, 0), q); one != 7 || two != 9 {
		t.Errorf("%d and %d restored, want 7 and 9", one, two)
	}
	count(&back, q, utc(1, 2, 0), 1)
	back.Restore(kept[0])
	back.Restore(kept[1])
	if used := back.Used(utc(1, 2, 0), q); used != 10 {
		t.Errorf("%d after an older count was restored, want 10", used)
	}
	back.Restore(Count{Period: Day, Number: 3, Used: 99}) // long past
	if back.Snapshot() == kept || back.Used(utc(1, 1, 0), q) != 7 {
		t.Errorf("a count of long ago replaced one: %+v", back.Snapshot())
	}
	if (new(Counter)).Snapshot() != [2]Count{} {
		t.Error("a fresh counter has counts")
	}
}

func TestCounterUnderRaces(t *testing.T) {
	var c Counter
	q := NewQuota(3000, Day, 0, 0)
	times, _ := race(4, 5000, int64(24*time.Hour)/10000, func(now int64, loop int) bool {
		charges := [1]Charge{{Counter: &c, Quota: &q}}
		d := SpendAll(0, now, loop, charges[:])
		return d.Allowed()
	})
	per := map[int64]int{}
	for _, at := range times {
		per[Day.Number(at)]++
	}
	if per[0] != 3000 || per[1] != 3000 {
		t.Errorf("%v allowed per day, want 3000 each", per)
	}
}

func TestQuotaExtended(t *testing.T) {
	now := utc(5, 5, 5)
	for _, tt := range []struct {
		q     Quota
		extra int64
		want  int64
	}{
		{NewQuota(10, Day, 0, 0), 5, 15},
		{NewQuota(10, Day, 0, 0), -3, 7},
		{NewQuota(10, Day, 0, 0), -30, 0},
		{NewQuota(10, Day, 4, now), 5, 11},
		{NewQuota(10, Day, 40, now), 5, 5}, // on top of what was allowed, which was none
		{NewQuota(10, Month, 0, 0), 1 << 62, maxCount},
	} {
		e := tt.q.Extended(now, tt.extra)
		if got := e.Allowance(now); got != tt.want || e.Period() != tt.q.Period() {
			t.Errorf("%+v with %d more allows %d, want %d", tt.q, tt.extra, got, tt.want)
		}
	}
}

func TestCounterCount(t *testing.T) {
	var c Counter
	for i, wall := range []int64{utc(1, 1, 0), utc(1, 1, 23), utc(1, 2, 0), utc(1, 1, 23), utc(1, 2, 1)} {
		if got := c.Count(wall, Day); got != Day.Number(wall) {
			t.Errorf("step %d: counted in window %d", i, got)
		}
	}
	q := NewQuota(100, Day, 0, 0)
	if one, two := c.Used(utc(1, 1, 0), q), c.Used(utc(1, 2, 0), q); one != 3 || two != 2 {
		t.Errorf("%d and %d counted, want 3 and 2", one, two)
	}
	c.Restore(Count{Period: Day, Number: Day.Number(utc(1, 2, 0)), Used: maxCount})
	if c.Count(utc(1, 2, 0), Day); c.Used(utc(1, 2, 0), q) != maxCount {
		t.Error("a full window must stay full")
	}
	if c.Clear(); c.Snapshot() != [2]Count{} {
		t.Error("a cleared counter has counts")
	}
}

func TestCounterCountUnderRaces(t *testing.T) {
	var c Counter
	race(4, 4999, int64(24*time.Hour)/10000, func(now int64, _ int) bool {
		c.Count(now, Day)
		return true
	})
	if got := c.Snapshot(); got[0].Used != 9999 || got[1].Used != 9997 {
		t.Errorf("%+v, want 9999 on the first day and 9997 on the second", got)
	}
}
