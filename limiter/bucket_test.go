package limiter

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

const ms = int64(1e6)

func TestBucketSpend(t *testing.T) {
	l := NewLimit(10, 3) // one token per 100 ms
	var b Bucket
	for i, step := range []struct {
		now  int64
		wait int64
		left int64
		says string
	}{
		{1000 * ms, 0, 2, "full at first"},
		{1000 * ms, 0, 1, "burst"},
		{1000 * ms, 0, 0, "burst"},
		{1000 * ms, 100 * ms, 0, "empty"},
		{1040 * ms, 60 * ms, 0, "a refused request costs nothing"},
		{1099 * ms, 1 * ms, 0, "not yet"},
		{1100 * ms, 0, 0, "refilled by one"},
		{1100 * ms, 100 * ms, 0, "by one only"},
		{1350 * ms, 0, 1, "refilled by two and a half"},
		{1350 * ms, 0, 0, "the second"},
		{1350 * ms, 50 * ms, 0, "the half counts"},
		{1200 * ms, 200 * ms, 0, "an old now waits longer"},
		{9000 * ms, 0, 2, "a full bucket overflows"},
		{9000 * ms, 0, 1, "burst"},
		{9000 * ms, 0, 0, "burst"},
		{9000 * ms, 100 * ms, 0, "empty"},
	} {
		if wait := b.Spend(step.now, l); wait != step.wait {
			t.Fatalf("step %d, %s: wait %d, want %d", i, step.says, wait, step.wait)
		}
		if left := b.Remaining(step.now, l); left != step.left {
			t.Fatalf("step %d, %s: %d left, want %d", i, step.says, left, step.left)
		}
	}
	if b.Full(9299*ms) || !b.Full(9300*ms) {
		t.Error("the bucket must be full 300 ms later, not before")
	}
}

func TestBucketDebtAndClear(t *testing.T) {
	var b Bucket
	l := NewLimit(10, 3)
	b.Spend(1000*ms, l)
	b.Spend(1000*ms, l)
	if d := b.Debt(1050 * ms); d != 150*ms {
		t.Errorf("debt %d, want 150 ms", d)
	}
	if d := b.Debt(5000 * ms); d != 0 {
		t.Errorf("debt %d of a full bucket", d)
	}
	if b.Clear(); !b.Full(1000 * ms) {
		t.Error("a cleared bucket is full")
	}
}

func TestBlockedBucket(t *testing.T) {
	for _, l := range []Limit{{}, NewLimit(0, 5), NewLimit(5, 0)} {
		var b Bucket
		if wait := b.Spend(5, l); wait != Never || !b.Full(5) || b.Remaining(5, l) != 0 {
			t.Errorf("%+v: wait %d", l, wait)
		}
	}
}

func TestBucketChange(t *testing.T) {
	for _, tt := range []struct {
		says     string
		from, to Limit
		spent    int
		left     int64
		wait     int64 // after left more
	}{
		{"faster", NewLimit(1, 10), NewLimit(100, 10), 10, 0, 10 * ms},
		{"slower", NewLimit(100, 10), NewLimit(1, 10), 10, 0, 1000 * ms},
		{"larger", NewLimit(10, 5), NewLimit(10, 8), 5, 3, 100 * ms},
		{"smaller", NewLimit(10, 5), NewLimit(10, 2), 5, 0, 100 * ms},
		{"smaller, not all spent", NewLimit(10, 5), NewLimit(10, 3), 1, 2, 100 * ms},
		{"full stays full", NewLimit(10, 5), NewLimit(100, 50), 0, 50, 10 * ms},
		{"blocked", NewLimit(10, 5), Limit{}, 5, 0, Never},
		{"from blocked", Limit{}, NewLimit(10, 5), 0, 5, 100 * ms},
	} {
		var b Bucket
		now := 1000 * ms
		for range tt.spent {
			b.Spend(now, tt.from)
		}
		b.Change(now, tt.from, tt.to)
		if left := b.Remaining(now, tt.to); left != tt.left {
			t.Errorf("%s: %d left, want %d", tt.says, left, tt.left)
		}
		for range tt.left {
			if b.Spend(now, tt.to) != 0 {
				t.Errorf("%s: a token it had was denied", tt.says)
			}
		}
		if wait := b.Spend(now, tt.to); wait != tt.wait {
			t.Errorf("%s: wait %d, want %d", tt.says, wait, tt.wait)
		}
	}
}

// admitted checks the bound in every window of the admission times: no more
// than burst + rate·t. It is linear: the excess over the refill, k - r·t, may
// nowhere rise by more than burst.
func admitted(t *testing.T, times []int64, l Limit) {
	t.Helper()
	slices.Sort(times)
	lowest := int64(1) << 62
	for i, at := range times {
		// In units of 1/T: excess before this one, and after.
		before := int64(i)*l.interval - (at - times[0])
		lowest = min(lowest, before)
		if before+l.interval-lowest > l.horizon {
			t.Fatalf("admission %d at %d: more than %d + t/%d in a window", i, at, l.Burst(), l.interval)
		}
	}
}

func TestBucketBoundInEveryWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		l := NewLimit(1+r.Float64()*1e5, 1+r.IntN(50))
		var b Bucket
		var times []int64
		now := int64(1e9)
		for range 2000 {
			now += r.Int64N(1 + l.interval*2*r.Int64N(4)/(1+r.Int64N(8)))
			at := max(0, now-r.Int64N(1+3*l.interval)) // callers' clocks are not in step
			if b.Spend(at, l) == 0 {
				times = append(times, at)
			}
		}
		admitted(t, times, l)
	}
}

// FuzzBucket compares decisions and waits with GCRA in big numbers.
func FuzzBucket(f *testing.F) {
	f.Add(10.0, 3, []byte{0, 0, 0, 0, 90, 200, 16, 255})
	f.Add(1e9, 1, []byte{0, 1, 2, 3})
	f.Add(1e-8, 1<<40, []byte{0, 255, 255})
	f.Fuzz(func(t *testing.T, rate float64, burst int, gaps []byte) {
		l := NewLimit(rate, burst)
		if l.Blocks() {
			return
		}
		var b Bucket
		tat, now := new(big.Int), int64(0)
		interval, horizon := big.NewInt(l.interval), big.NewInt(l.horizon)
		for _, gap := range gaps[:min(len(gaps), 1000)] {
			now = min(now+int64(gap)*max(1, l.interval/256), maxHorizon)
			next := big.NewInt(now)
			if tat.Cmp(next) > 0 {
				next.Set(tat)
			}
			next.Add(next, interval)
			want := new(big.Int).Sub(next, big.NewInt(now))
			want.Sub(want, horizon)
			if want.Sign() <= 0 {
				want.SetInt64(0)
				tat.Set(next)
			}
			if wait := b.Spend(now, l); !want.IsInt64() || wait != want.Int64() {
				t.Fatalf("rate %g, burst %d, now %d: wait %d, want %v", rate, burst, now, wait, want)
			}
		}
	})
}

// race lets loops spend against one clock that they all push forward, and
// returns when each admission was, by the spender's own now.
func race(loops, spends int, step int64, spend func(now int64, loop int) bool) (times []int64, end int64) {
	var clock atomic.Int64
	all := make([][]int64, loops)
	var g sync.WaitGroup
	for loop := range loops {
		g.Go(func() {
			for range spends {
				if now := clock.Add(step); spend(now, loop) {
					all[loop] = append(all[loop], now)
				}
			}
		})
	}
	g.Wait()
	return slices.Concat(all...), clock.Load()
}

func TestBucketUnderRaces(t *testing.T) {
	l := NewLimit(1e6, 100)
	var b Bucket
	times, end := race(4, 20000, 250, func(now int64, _ int) bool { return b.Spend(now, l) == 0 })
	admitted(t, times, l)
	if most := float64(l.Burst()) + float64(end)/float64(l.interval); float64(len(times)) < 0.99*most {
		t.Errorf("%d of %.0f tokens used", len(times), most)
	}
}
