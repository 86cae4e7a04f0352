package window

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const second = int64(time.Second)

func TestNarrative(t *testing.T) {
	c := New(time.Minute, 64)
	const limit = 10
	for i := int64(1); i <= 10; i++ {
		if n := c.Count(7, 100*second, limit); n != i {
			t.Fatalf("count %d, want %d", n, i)
		}
	}
	if n := c.Count(7, 101*second, limit); n != 11 {
		t.Errorf("count %d, want 11", n)
	}
	until := c.Until(7, 101*second, limit)
	if until <= 160*second || until > 164*second {
		t.Errorf("until %d s", until/second)
	}
	if n := c.Count(7, 160*second, limit); n != 12 {
		t.Errorf("after a minute the count is %d, want 12", n)
	}
	if n := c.Count(8, 160*second, limit); n != 1 {
		t.Errorf("another key has count %d", n)
	}
	if n := c.Count(7, 165*second, limit); n != 2 {
		t.Errorf("after a tick more the count is %d, want that of 160 s and itself", n)
	}
	if until := c.Until(7, 165*second, limit); until != 165*second {
		t.Errorf("who is within the limit has to wait until %d s", until/second)
	}
	if until := c.Until(9, 5, limit); until != 5 {
		t.Errorf("who is not known has to wait until %d", until)
	}
	if n := c.Count(7, 100_000*second, limit); n != 1 {
		t.Errorf("long after the count is %d", n)
	}
}

// Random events of one key against the bounds of the package comment.
func TestBoundsHold(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(1, seed))
		length := time.Duration(1+r.IntN(600)) * time.Second
		w := int64(length)
		limit := int64(1 + r.IntN(50))
		c := New(length, 16)
		var all, within []int64
		now := r.Int64N(1e15)
		for range 3000 {
			switch r.IntN(20) {
			case 0:
				now += r.Int64N(2 * w)
			case 1, 2, 3:
				now += r.Int64N(w/limit + 1)
			default:
				now += r.Int64N(w/(4*limit) + 1)
			}
			all = append(all, now)
			longer := int64(0)
			for i := len(all) - 1; i >= 0 && all[i] > now-w*ticks/(ticks-1)-ticks; i-- {
				longer++
			}
			until := c.Until(42, now, limit)
			n := c.Count(42, now, limit)
			if n <= limit {
				within = append(within, now)
			} else if longer <= limit {
				t.Fatalf("seed %d: count %d of limit %d with %d in the longer window", seed, n, limit, longer)
			}
			if (until <= now) != (n <= limit) {
				t.Fatalf("seed %d: now %d, until %d, count %d of limit %d", seed, now, until, n, limit)
			}
		}
		for i, end := range within {
			if first := i - int(limit); first >= 0 && within[first] > end-w {
				t.Fatalf("seed %d: more than %d within a window of %v", seed, limit, length)
			}
		}
	}
}

// Whoever waits until Until says is within the limit then, and not before.
func TestUntilIsWhenTheCountFalls(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		limit := int64(1 + r.IntN(20))
		c := New(time.Minute, 16)
		now := r.Int64N(1e12)
		for range 60 {
			now += r.Int64N(2 * second)
			c.Count(1, now, limit)
		}
		until := c.Until(1, now, limit)
		if until <= now {
			continue
		}
		cells := c.set(1).lookup(1)
		at := func(now int64) int64 { return cells.sum(c.tickOf(now)) + 1 }
		if at(until-1) <= limit || at(until) > limit {
			t.Fatalf("until %d of limit %d: count %d before and %d then", until, limit, at(until-1), at(until))
		}
	}
}

func TestManyGoroutinesAdmitNoMoreThanTheLimit(t *testing.T) {
	for round := range 20 {
		c := New(time.Minute, 64)
		const limit, goroutines = 1000, 8
		var admitted, now atomic.Int64
		now.Store(int64(round) * 7 * second)
		var all sync.WaitGroup
		for g := range goroutines {
			all.Go(func() {
				for i := range 500 {
					at := now.Load()
					if g == 0 && i%25 == 0 { // time passes, by less than a window
						at = now.Add(2 * second)
					}
					if n := c.Count(99, at, limit); n > 0 && n <= limit {
						admitted.Add(1)
					}
				}
			})
		}
		all.Wait()
		if n := admitted.Load(); n > limit || n < limit-goroutines {
			t.Errorf("round %d: %d admitted, want %d", round, n, limit)
		}
	}
}

// A million sources neither make the table larger nor let anybody go who is over
// the limit.
func TestAMillionKeysSetNobodyFree(t *testing.T) {
	const keys, limit, offenders = 1 << 14, 10, 1000
	c := New(time.Minute, keys)
	r := rand.New(rand.NewPCG(5, 6))
	bad := make([]uint64, offenders)
	for i := range bad {
		bad[i] = r.Uint64()
		for range limit + 1 {
			c.Count(bad[i], second, limit)
		}
	}
	sources := 1_000_000
	if underRace {
		sources = 50_000
	}
	for i := range sources {
		c.Count(r.Uint64(), second+int64(i), limit)
	}
	for _, key := range bad {
		if n := c.Count(key, 2*second, limit); n != limit+2 {
			t.Fatalf("an offender has count %d", n)
		}
	}
	if s := c.Stats(); s.Keys != keys || s.Displaced == 0 || s.Uncounted > 0 {
		t.Errorf("%+v", s)
	}
	if got := len(c.sets) * ways; got != keys {
		t.Errorf("room for %d keys", got)
	}
}

// Where every place has somebody over the limit, who comes is let pass uncounted.
func TestNoPlaceAtAll(t *testing.T) {
	c := New(time.Minute, ways)
	for key := uint64(1); key <= ways; key++ {
		for range 3 {
			c.Count(key, 0, 2)
		}
	}
	if n := c.Count(100, 0, 2); n != 0 {
		t.Errorf("count %d", n)
	}
	if s := c.Stats(); s.Uncounted != 1 {
		t.Errorf("%+v", s)
	}
	if n := c.Count(100, 70*second, 2); n != 1 {
		t.Errorf("after the window the count is %d", n)
	}
	if s := c.Stats(); s.Displaced != 0 {
		t.Errorf("who no longer counts was displaced: %+v", s)
	}
}

func TestHalfAFullTableDisplacesLittle(t *testing.T) {
	const keys = 1 << 14
	c := New(time.Minute, keys)
	r := rand.New(rand.NewPCG(7, 8))
	for range keys / 2 {
		c.Count(r.Uint64(), second, 10)
	}
	if s := c.Stats(); s.Displaced*1000 > keys/2*25 {
		t.Errorf("%d of %d displaced", s.Displaced, keys/2)
	} else {
		t.Logf("%d of %d displaced", s.Displaced, keys/2)
	}
}

// Keys come and go on all goroutines at once: for the race detector, and no
// count may be lost of a key that nobody displaces.
func TestDisplacementUnderLoad(t *testing.T) {
	c := New(time.Minute, 512)
	const limit, steady = 1 << 30, 12345
	var all sync.WaitGroup
	for g := range uint64(4) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(9, g))
			for range 20_000 {
				c.Count(steady, second, limit)
				c.Count(r.Uint64(), second, limit)
			}
		})
	}
	all.Wait()
	if n := c.Count(steady, second, limit); n < 4*20_000-100 {
		t.Errorf("%d of %d counted", n, 4*20_000+1)
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	c := New(time.Minute, 1024)
	r := rand.New(rand.NewPCG(1, 1))
	if n := testing.AllocsPerRun(10_000, func() {
		key := r.Uint64()
		c.Count(key, second, 1)
		c.Until(key, second, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCountKnown(b *testing.B) {
	c := New(time.Minute, 1<<16)
	for b.Loop() {
		c.Count(1, second, 100)
	}
}

func BenchmarkCountOf50000Keys(b *testing.B) {
	c := New(time.Minute, 1<<16)
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([]uint64, 50_000)
	for i := range keys {
		keys[i] = r.Uint64()
	}
	i := 0
	for b.Loop() {
		c.Count(keys[i%len(keys)], second, 100)
		i++
	}
}
