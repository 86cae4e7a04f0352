package window

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

// pass hands what a table has to another, as two processes do.
func pass(t *testing.T, all []Counted, to *Counts, now int64) {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var got []Counted
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	to.Add(now, got)
}

// TestHandover: a table goes on with another's counts, told once, whatever their
// clocks say.
func TestHandover(t *testing.T) {
	const limit = 10
	before, after := New(time.Minute, 64), New(time.Minute, 64)
	old, young := 5000*second, second // the process that goes on has only begun
	for _, at := range []int64{0, 30, 58} {
		for range 4 {
			before.Count(1<<63+7, old+at*second, limit)
		}
	}
	before.Count(8, old-60*second, limit)
	old += 58 * second
	pass(t, before.Counted(old, 1000), after, young)
	if n := after.Count(1<<63+7, young, limit); n != 13 {
		t.Errorf("count %d, want 12 and itself", n)
	}
	if n := after.Count(8, young, limit); n != 1 {
		t.Errorf("what was over counts: %d", n)
	}
	if late := before.LateCounted(old, 1000); late != nil {
		t.Errorf("told twice: %v", late)
	}
	before.Count(1<<63+7, old, limit)    // in a tick that was told
	before.Count(9, old+second, limit)   // of a new key
	before.Count(9, old+5*second, limit) // and another tick
	pass(t, before.LateCounted(old+6*second, 1000), after, young+6*second)
	if n := after.Count(9, young+6*second, limit); n != 3 {
		t.Errorf("count %d, want 2 and itself", n)
	}
	if n := after.Count(1<<63+7, young+12*second, limit); n != 11 { // and without the first 4
		t.Errorf("count %d, want 10 and itself", n)
	}
	if n := after.Count(9, young+80*second, limit); n != 1 {
		t.Errorf("a window later the count is %d", n)
	}
	after.Add(young, []Counted{nil, {}, {5}, {6, 1}, {6, 1 << 63, 3}, {0, 0, 1 << 63}})
}

// TestHandoverForgetsNothingEarly: of the events that two tables in turn judge to be
// within a limit, no more than that fall into a window.
func TestHandoverForgetsNothingEarly(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(9, seed))
		const w, limit = int64(time.Minute), 12
		var within []int64
		at := r.Int64N(1e15)
		count := func(c *Counts, start int64) {
			for range 60 {
				at += r.Int64N(w / limit)
				if c.Count(3, at-start, limit) <= limit {
					within = append(within, at)
				}
			}
		}
		one := New(time.Duration(w), 16)
		first := at - r.Int64N(1e12)
		count(one, first)
		two := New(time.Duration(w), 16)
		second := at - r.Int64N(3*w)*r.Int64N(2)
		pass(t, one.Counted(at-first, 1), two, at-second)
		count(two, second)
		for i := range within {
			if i >= limit && within[i]-within[i-limit] < w {
				t.Fatalf("seed %d: %d within the limit in %s", seed, limit+1, time.Duration(within[i]-within[i-limit]))
			}
		}
	}
}

// TestHandoverInParts: what is too much at once comes with the next calls.
func TestHandoverInParts(t *testing.T) {
	before, after := New(time.Minute, 1024), New(time.Minute, 1024)
	for key := range uint64(100) {
		before.Count(key+1, second, 10)
	}
	parts := 0
	for all := before.Counted(second, 30); all != nil; all = before.LateCounted(second, 30) {
		if len(all) > 30 {
			t.Errorf("%d keys at once", len(all))
		}
		pass(t, all, after, second)
		parts++
	}
	for key := range uint64(100) {
		if n := after.Count(key+1, second, 10); n != 2 {
			t.Errorf("key %d: count %d, want 2", key, n)
		}
	}
	if parts != 4 {
		t.Errorf("%d parts, want 4", parts)
	}
}
