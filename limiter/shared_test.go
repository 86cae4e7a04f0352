package limiter

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// One instant, any order of shards: exactly the burst, then exactly one wait.
func TestSharedAdmitsExactlyTheBurst(t *testing.T) {
	for _, shards := range []int{1, 2, 8, 64} {
		for _, burst := range []int{1, 2, 7, 100, 5000} {
			l := NewLimit(10000, burst)
			s := NewShared(shards, l)
			earn(s)
			r := rand.New(rand.NewPCG(uint64(shards), uint64(burst)))
			now, got := int64(1e9), 0
			for range burst + 50 {
				if shard := r.IntN(shards); s.Wait(now, shard) == 0 != (got < burst) {
					t.Fatalf("%d shards: %d of a burst of %d are spent, and Wait says otherwise", shards, got, burst)
				}
				if s.Spend(now, r.IntN(shards)) == 0 {
					got++
				}
			}
			if got != burst {
				t.Errorf("%d shards: %d of a burst of %d", shards, got, burst)
			}
			if wait := s.Spend(now, 0); wait != l.Interval() {
				t.Errorf("%d shards: wait %d, want %d", shards, wait, l.Interval())
			}
		}
	}
}

// What one shard borrowed and does not use is not lost to the others.
func TestSharedSpendsWhatOthersHold(t *testing.T) {
	s := NewShared(4, NewLimit(10000, 1000))
	now := int64(1e9)
	earn(s)
	for shard := range 4 {
		if s.Spend(now, shard) != 0 {
			t.Fatal("denied a full bucket")
		}
	}
	if held := s.shards[1].run.Load() & maxRun; held < 2 {
		t.Fatalf("shard 1 holds %d slots, the test needs more", held)
	}
	got := 4
	for s.Spend(now, 0) == 0 {
		got++
	}
	if got != 1000 {
		t.Errorf("%d of 1000 tokens", got)
	}
}

// earn lets every shard borrow as many slots at a time as there can be.
func earn(s *Shared) {
	for i := range s.shards {
		s.shards[i].credit.Store(maxRun * creditPerSlot)
	}
}

func TestSharedRunsExpire(t *testing.T) {
	l := NewLimit(1000, 1000)
	s := NewShared(2, l)
	now := int64(1e9)
	earn(s)
	s.Spend(now, 0)
	if s.shards[0].run.Load()&maxRun == 0 {
		t.Fatal("nothing was borrowed")
	}
	// Long after, the bucket is full once; what was held is not on top of it.
	now += 10e9
	got := 0
	for i := 0; s.Spend(now, i%2) == 0; i++ {
		got++
	}
	if got != 1000 {
		t.Errorf("%d of a burst of 1000", got)
	}
}

func TestSharedDeniesAnOldNow(t *testing.T) {
	l := NewLimit(1000, 100)
	s := NewShared(1, l)
	earn(s)
	now := int64(1e9)
	for range 50 {
		s.Spend(now, 0)
	}
	if s.Spend(now-60*l.Interval(), 0) == 0 {
		t.Error("a token was spent before it could have been there")
	}
	for i := range 50 {
		if s.Spend(now, 0) != 0 {
			t.Fatalf("token %d of the rest was denied", i)
		}
	}
}

func TestSharedSetLimit(t *testing.T) {
	s := NewShared(2, NewLimit(10, 100))
	now := int64(1e9)
	for i := 0; s.Spend(now, i%2) == 0; i++ {
		continue
	}
	s.SetLimit(now, NewLimit(1000, 100))
	if wait := s.Spend(now, 0); wait != ms {
		t.Errorf("wait %d after the rate was raised, want 1 ms", wait)
	}
	if s.Spend(now+ms, 1) != 0 {
		t.Error("denied at the new rate")
	}
	s.SetLimit(now+ms, Limit{})
	if s.Spend(now+60e9, 0) != Never {
		t.Error("a limit of 0 admits")
	}
	s.SetLimit(now+60e9, NewLimit(1000, 5))
	if got := s.Limit().Burst(); got != 5 || s.Spend(now+60e9, 0) != 0 {
		t.Errorf("burst %d, or denied after unblocking", got)
	}
}

// The bound holds in every window, and at overload nearly all of it is used,
// whichever shards the load is on.
func TestSharedBoundAndUse(t *testing.T) {
	loads := map[string]func(r *rand.Rand, shards, i int) int{
		"even": func(r *rand.Rand, shards, _ int) int { return r.IntN(shards) },
		"one":  func(*rand.Rand, int, int) int { return 0 },
		"skewed": func(r *rand.Rand, shards, _ int) int {
			return int(float64(shards) * r.Float64() * r.Float64() * r.Float64())
		},
		"wanders":  func(_ *rand.Rand, shards, i int) int { return i / 500 % shards },
		"trickles": func(r *rand.Rand, shards, i int) int { return max(0, i%50-49+r.IntN(shards)) * (i % 50 / 49) },
	}
	limits := []Limit{NewLimit(10000, 5000), NewLimit(10000, 100), NewLimit(333, 20), NewLimit(3e7, 30000)}
	for name, load := range loads {
		for _, shards := range []int{1, 2, 16} {
			for i, l := range limits {
				t.Run(fmt.Sprintf("%s/%d/%d", name, shards, i), func(t *testing.T) {
					r := rand.New(rand.NewPCG(3, uint64(i)))
					s := NewShared(shards, l)
					var times []int64
					start := int64(1e9)
					now := start
					n := 4*int(l.Burst()) + 20000
					// Idle, underloaded, then four times overloaded.
					for range 100 {
						now += l.interval * 10
						if s.Spend(now, load(r, shards, len(times))) == 0 {
							times = append(times, now)
						}
					}
					if len(times) != 100 {
						t.Fatalf("only %d of 100 under a tenth of the rate", len(times))
					}
					begin := now
					gap := func() int64 { // a quarter of the interval on average
						return r.Int64N(1 + l.interval/2)
					}
					for i := range n {
						now += gap()
						at := max(begin, now-r.Int64N(1+2*l.interval))
						if s.Spend(at, load(r, shards, i)) == 0 {
							times = append(times, at)
						}
					}
					used := float64(len(times) - 100)
					most := float64(l.Burst()) + float64(now-begin)/float64(l.interval)
					if used < 0.99*most-1 {
						t.Errorf("%.0f of %.0f tokens used: %.2f %%", used, most, 100*used/most)
					}
					admitted(t, times, l)
				})
			}
		}
	}
}

func TestSharedUnderRaces(t *testing.T) {
	for _, shards := range []int{1, 2, 4} { // fewer shards than loops, too
		l := NewLimit(1e6, 1000)
		s := NewShared(shards, l)
		times, end := race(4, 20000, 250, func(now int64, loop int) bool { return s.Spend(now, loop%shards) == 0 })
		admitted(t, times, l)
		most := float64(l.Burst()) + float64(end)/float64(l.interval)
		if float64(len(times)) < 0.99*most {
			t.Errorf("%d shards: %d of %.0f tokens used", shards, len(times), most)
		}
	}
}

// FuzzShared: no order of shards, gaps and old clocks gets more out of it than
// burst + rate·t in any window.
func FuzzShared(f *testing.F) {
	f.Add(10000.0, uint16(100), []byte{1, 0, 2, 0, 3, 9, 1, 255, 7, 7})
	f.Add(5e8, uint16(3000), []byte("every shard, every gap, every clock"))
	f.Fuzz(func(t *testing.T, rate float64, burst uint16, steps []byte) {
		l := NewLimit(rate, int(burst))
		if l.Blocks() || l.interval > 1e15 {
			return
		}
		s := NewShared(3, l)
		earn(s)
		var times []int64
		now := int64(1e9)
		for len(steps) >= 2 && len(times) < 1<<16 {
			how, gap := steps[0], steps[1]
			steps = steps[2:]
			now += int64(gap) * l.interval / 64
			at := max(0, now-int64(how>>5)*l.interval/2)
			for range 1 + int(how&16)*int(burst)/64 {
				if s.Spend(at, int(how&15)%3) == 0 {
					times = append(times, at)
				}
			}
		}
		if len(times) > 0 {
			admitted(t, times, l)
		}
	})
}

// Rates change while loops spend: never more than at the fastest, but for what
// refills at both rates between a change's now and the change.
func TestSharedSetLimitUnderRaces(t *testing.T) {
	slow, fast := NewLimit(1e5, 1000), NewLimit(1e6, 1000)
	s := NewShared(4, slow)
	var clock atomic.Int64
	var lag int64
	times, _ := race(5, 20000, 100, func(now int64, loop int) bool {
		if loop < 4 {
			clock.Store(now)
			return s.Spend(now, loop) == 0
		}
		if now%64 == 0 {
			s.SetLimit(now, []Limit{slow, fast}[now/64%2])
			lag += max(0, clock.Load()+1000-now)
		}
		return false
	})
	fast.horizon += lag / 10 // at the slow rate
	admitted(t, times, fast)
}
