package upstream

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestCapSmall is exact on one loop and over several.
func TestCapSmall(t *testing.T) {
	c := newCap(2, 3)
	for i, step := range []struct {
		loop int
		give bool
		ok   bool
	}{{0, false, true}, {1, false, true}, {0, false, true}, {1, false, false}, {0, false, false}, {0, true, true}, {1, false, true}, {0, false, false}} {
		if step.give {
			c.give(step.loop, 1)
		} else if c.take(step.loop, 1) != step.ok {
			t.Fatalf("step %d: not %t", i, step.ok)
		}
	}
	if c.Used() != 3 {
		t.Errorf("%d", c.Used())
	}
	c.SetLimit(1) // what is under way goes on
	c.give(0, 1)
	if c.take(0, 1) {
		t.Error("over the lower limit")
	}
}

// TestCapIsNeverExceeded: loops that take and give at once are together never over
// the limit, and have all but an eighth of it in their reach.
func TestCapIsNeverExceeded(t *testing.T) {
	const loops, limit = 4, 1000
	c := newCap(loops, limit)
	var wait sync.WaitGroup
	for i := range loops {
		wait.Go(func() {
			random, mine := rand.New(rand.NewPCG(1, uint64(i))), int64(0)
			for range 20_000 {
				if n := 1 + random.Int64N(5); random.IntN(3) > 0 {
					if c.take(i, n) {
						mine += n
					}
				} else if n = min(n*2, mine); n > 0 {
					c.give(i, n)
					mine -= n
				}
				if used := c.leased.Load(); used > limit || used < 0 {
					t.Errorf("%d are leased", used)
					return
				}
			}
			c.give(i, mine)
		})
	}
	wait.Wait()
	if c.Used() != 0 {
		t.Errorf("%d are used", c.Used())
	}
	n := 0
	for c.take(0, 1) {
		n++
	}
	if n < limit*7/8 || n > limit {
		t.Errorf("%d of %d in reach of one loop", n, limit)
	}
}

// TestBudget: no window has more retries than a fifth of its requests, but for the
// few that are always allowed.
func TestBudget(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		var b budget
		type event struct {
			at    int64
			retry bool
		}
		var log []event
		now := int64(time.Hour)
		for range 20_000 {
			now += random.Int64N(int64(5 * time.Millisecond))
			b.request(now)
			log = append(log, event{now, false})
			for range random.IntN(3) {
				if b.spend(now, 0.2, 1) {
					log = append(log, event{now, true})
				}
			}
		}
		sent, retried, from := 0, 0, 0
		for i, e := range log {
			if e.retry {
				retried++
			} else {
				sent++
			}
			for ; log[from].at < e.at-int64(9*time.Second); from++ {
				if log[from].retry {
					retried--
				} else {
					sent--
				}
			}
			if float64(retried) > max(0.2*float64(sent)*10/9+10, minRetries) {
				t.Fatalf("seed %d, event %d: %d retries of %d requests", seed, i, retried, sent)
			}
		}
	}
	var b budget
	n := 0
	for range 100 {
		b.request(1)
		if b.spend(1, 0.2, 1) {
			n++
		}
	}
	if n != 20 {
		t.Errorf("%d retries of 100 requests", n)
	}
	if b.spend(1, 0, 1) {
		t.Error("a retry without a budget")
	}
	if !b.spend(1+int64(11*time.Second), 0.2, 1) {
		t.Error("the window does not end")
	}
}

func BenchmarkAdmit(b *testing.B) {
	a := &API{InFlight: newCap(2, 8192), Waiting: newCap(2, 4096), Buffered: newCap(2, 64<<20), budgets: make([]budget, 2)}
	c := &Call{request: make([]byte, 512)}
	for range b.N {
		if !a.admit(c, 0) {
			b.Fatal("refused")
		}
		a.budgets[0].request(1)
		a.leave(c, 0)
	}
}
