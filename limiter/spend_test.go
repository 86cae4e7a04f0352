package limiter

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSpendAllNarrative(t *testing.T) {
	var (
		account        = NewShared(2, NewLimit(1000, 100))
		stage, perKey  Bucket
		counter        Counter
		stageLimit     = NewLimit(10, 3)
		keyLimit       = NewLimit(1, 2)
		wall           = time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC).UnixNano()
		quota          = NewQuota(3, Day, 0, 0)
		untilMidnight  = int64(time.Minute)
		charges        = []Charge{{Shared: account}, {Bucket: &stage, Limit: &stageLimit}, {Bucket: &perKey, Limit: &keyLimit}, {Counter: &counter, Quota: &quota}}
		at             = func(t int64) int64 { return 1e9 + t*ms }
		allowed        = -1
		_, byKey, bySQ = allowed, 2, 3
	)
	for i, step := range []struct {
		now  int64
		want Decision
		says string
	}{
		{at(0), Decision{allowed, 0, byKey, 1, 1000 * ms}, "the key has least left"},
		{at(0), Decision{allowed, 0, byKey, 0, 2000 * ms}, "its last"},
		{at(0), Decision{byKey, 1000 * ms, byKey, 0, 2000 * ms}, "the key denies"},
		{at(1000), Decision{allowed, 0, byKey, 0, 2000 * ms}, "the third of the quota"},
		{at(1000), Decision{bySQ, untilMidnight, bySQ, 0, untilMidnight}, "of two that deny the one with the longest wait"},
		{at(9000), Decision{bySQ, untilMidnight, bySQ, 0, untilMidnight}, "the quota alone"},
	} {
		if got := SpendAll(step.now, wall, 0, charges); got != step.want || got.Allowed() != (step.want.Denied < 0) {
			t.Fatalf("step %d, %s:\n got %+v\nwant %+v", i, step.says, got, step.want)
		}
	}
	if !stage.Full(at(9000)) || counter.Used(wall, quota) != 3 {
		t.Error("a denied request cost something")
	}
	blocks := Limit{}
	charges[1].Limit = &blocks
	if got := SpendAll(at(9000), wall, 0, charges); got != (Decision{1, Never, 1, 0, Never}) {
		t.Errorf("a limit of 0: %+v", got)
	}
	if got := SpendAll(at(9000), wall, 0, nil); got != (Decision{Denied: -1, Tightest: -1}) {
		t.Errorf("no charges: %+v", got)
	}
}

func TestSpendAllChargesABucketTwice(t *testing.T) {
	var b Bucket
	l := NewLimit(1, 3)
	charges := []Charge{{Bucket: &b, Limit: &l}, {Bucket: &b, Limit: &l}}
	if d := SpendAll(5, 0, 0, charges); !d.Allowed() || b.Remaining(5, l) != 1 {
		t.Errorf("%+v", d)
	}
	if d := SpendAll(5, 0, 0, charges); d.Denied != 1 || b.Remaining(5, l) != 1 {
		t.Errorf("one token for two charges: %+v, %d left", d, b.Remaining(5, l))
	}
}

// All or nothing: what every limit has left always is its burst less the
// requests allowed, or refilled.
func TestSpendAllIsAllOrNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		limits := make([]Limit, 1+r.IntN(6))
		buckets := make([]Bucket, len(limits))
		models := make([]Bucket, len(limits))
		charges := make([]Charge, len(limits))
		for i := range limits {
			limits[i] = NewLimit(1+r.Float64()*100, 1+r.IntN(10))
			charges[i] = Charge{Bucket: &buckets[i], Limit: &limits[i]}
		}
		now := int64(1e9)
		for range 200 {
			now += r.Int64N(2e7)
			first := r.IntN(len(charges)) // every request has other limits
			some := charges[first : first+1+r.IntN(len(charges)-first)]
			longest, by := int64(0), -1
			for i := range some {
				l := limits[first+i]
				if models[first+i].Remaining(now, l) == 0 {
					var probe Bucket
					probe.tat.Store(models[first+i].tat.Load())
					if wait := probe.Spend(now, l); wait > longest {
						longest, by = wait, i
					}
				}
			}
			if by < 0 {
				for i := range some {
					models[first+i].Spend(now, limits[first+i])
				}
			}
			if d := SpendAll(now, 0, 0, some); d.Denied != by || d.RetryAfter != longest {
				t.Fatalf("%+v, want denied by %d for %d", d, by, longest)
			}
			for i := range buckets {
				if buckets[i].tat.Load() != models[i].tat.Load() {
					t.Fatalf("bucket %d differs from its model", i)
				}
			}
		}
	}
}

func TestRollbackIsExactOrCostsTheToken(t *testing.T) {
	l := NewLimit(10, 5)
	now := int64(1e9)
	var b Bucket
	b.Spend(now, l)
	c := Charge{Bucket: &b, Limit: &l}
	take := func() {
		if wait, _ := c.peek(now, 0, 0); wait > 0 || c.commit(now, 0, 0) > 0 {
			t.Fatal("denied")
		}
	}
	take()
	c.rollback()
	if left := b.Remaining(now, l); left != 4 {
		t.Errorf("%d left after a rollback, want 4", left)
	}
	// Another spends on top: had the bucket overflowed in between, giving back
	// would create a token.
	take()
	later := now + 60e9
	if b.Spend(later, l) != 0 {
		t.Fatal("denied")
	}
	c.rollback()
	if left := b.Remaining(later, l); left != 4 {
		t.Errorf("%d left, want 4: a rollback created a token", left)
	}
}

// Loops race for charges in different orders, some of which run out. No limit
// is exceeded, the counter equals what was allowed, and next to nothing is lost.
func TestSpendAllUnderRaces(t *testing.T) {
	const loops = 4
	account := NewShared(loops, NewLimit(1e6, 2000))
	la, lb := NewLimit(8e5, 50), NewLimit(7e5, 20)
	var a, b Bucket
	var counter Counter
	quota := NewQuota(1e9, Month, 0, 0)
	orders := make([][]Charge, loops)
	for i := range orders {
		orders[i] = []Charge{{Bucket: &a, Limit: &la}, {Bucket: &b, Limit: &lb}, {Shared: account}, {Counter: &counter, Quota: &quota}}
		rand.Shuffle(len(orders[i]), func(x, y int) { orders[i][x], orders[i][y] = orders[i][y], orders[i][x] })
	}
	times, end := race(loops, 20000, 250, func(now int64, loop int) bool {
		d := SpendAll(now, now, loop, orders[loop])
		return d.Allowed()
	})
	if used := counter.Used(0, quota); used != int64(len(times)) {
		t.Errorf("counted %d, allowed %d", used, len(times))
	}
	if most := float64(end) / float64(lb.interval); float64(len(times)) < 0.99*most {
		t.Errorf("%d of %.0f tokens of the strictest used", len(times), most)
	}
	admitted(t, times, lb)
	admitted(t, times, la)
}

// Two quotas and a burst that never refills: the counts must agree to one.
func TestSpendAllRollsCountersBack(t *testing.T) {
	var one, two Counter
	q1, q2 := NewQuota(1000, Day, 0, 0), NewQuota(700, Month, 0, 0)
	var allowed atomic.Int64
	var g sync.WaitGroup
	for i := range 4 {
		g.Go(func() {
			charges := []Charge{{Counter: &one, Quota: &q1}, {Counter: &two, Quota: &q2}}
			if i%2 == 1 {
				charges[0], charges[1] = charges[1], charges[0]
			}
			for range 1000 {
				if d := SpendAll(0, 0, 0, charges); d.Allowed() {
					allowed.Add(1)
				}
			}
		})
	}
	g.Wait()
	if n := allowed.Load(); n != 700 || one.Used(0, q1) != n || two.Used(0, q2) != n {
		t.Errorf("allowed %d, counted %d and %d; want 700", n, one.Used(0, q1), two.Used(0, q2))
	}
}
