package limiter

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

func BenchmarkBucketSpend(b *testing.B) {
	b.Run("allowed", func(b *testing.B) {
		l, bucket, now := NewLimit(1e9, 1e9), Bucket{}, int64(0)
		for b.Loop() {
			now++
			bucket.Spend(now, l)
		}
	})
	b.Run("denied", func(b *testing.B) {
		l, bucket := NewLimit(1, 1), Bucket{}
		bucket.Spend(0, l)
		for b.Loop() {
			bucket.Spend(0, l)
		}
	})
}

// BenchmarkHot is one bucket hit from all cores: Shared against a plain Bucket.
// Compare ns/op at -cpu 1 and 2.
func BenchmarkHot(b *testing.B) {
	for _, load := range []struct {
		name string
		l    Limit
	}{
		{"allowed", NewLimit(1e6, 1e12)},
		{"overload", NewLimit(10000, 5000)},
	} {
		b.Run(load.name+"/shared", func(b *testing.B) {
			s := NewShared(runtime.GOMAXPROCS(0), load.l)
			parallel(b, func(loop, spends int) {
				for now := range int64(spends) {
					s.Spend(1e9+10*now, loop)
				}
			})
		})
		b.Run(load.name+"/plain", func(b *testing.B) {
			s := new(Bucket)
			parallel(b, func(_, spends int) {
				for now := range int64(spends) {
					s.Spend(1e9+10*now, load.l)
				}
			})
		})
	}
}

// parallel splits b.N over all cores. (The counters of b.RunParallel share
// cache lines, which here is most of what it would measure.)
func parallel(b *testing.B, f func(loop, spends int)) {
	var g sync.WaitGroup
	loops := runtime.GOMAXPROCS(0)
	for loop := range loops {
		g.Go(func() { f(loop, b.N/loops) })
	}
	g.Wait()
}

// BenchmarkSpendAll is a whole decision: account, stage, method, key and quota.
func BenchmarkSpendAll(b *testing.B) {
	for _, n := range []int{4, 5} {
		b.Run([]string{4: "account+stage+method+key", 5: "account+stage+method+key+quota"}[n], func(b *testing.B) {
			limit, quota := NewLimit(1e9, 1e9), NewQuota(1e11, Month, 0, 0)
			var stage, method Bucket
			var entry Entry
			charges := []Charge{
				{Shared: NewShared(1, limit)},
				{Bucket: &stage, Limit: &limit},
				{Bucket: &method, Limit: &limit},
				{Bucket: &entry.Bucket, Limit: &limit},
				{Counter: &entry.Counter, Quota: &quota},
			}[:n]
			now, wall := int64(0), utc(11, 22, 0)
			for b.Loop() {
				now++
				if d := SpendAll(now, wall, 0, charges); !d.Allowed() {
					b.Fatalf("%+v", d)
				}
			}
		})
	}
}

// BenchmarkLookup finds one of a million keys, at random, and a Go map does.
func BenchmarkLookup(b *testing.B) {
	const n = 1_000_000
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = randomKey(r)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	bench := func(name string, lookup func(key Key) bool, bytes uint64) {
		b.Run(name, func(b *testing.B) {
			at := uint32(1)
			for b.Loop() {
				at = at*1664525 + 1013904223
				if !lookup(keys[uint64(at)*n>>32]) {
					b.Fatal("missing")
				}
			}
			b.ReportMetric(float64(bytes)/n, "B/key")
		})
	}
	before := heap()
	table := NewTable(n)
	for _, key := range keys {
		if _, err := table.LookupOrAdd(key, 0, 0); err != nil {
			b.Fatal(err)
		}
	}
	bench("table", func(key Key) bool { return table.Lookup(key) != nil }, heap()-before)
	runtime.KeepAlive(table)
	before = heap()
	m := make(map[Key]*Entry)
	for _, key := range keys {
		m[key] = new(Entry)
	}
	bench("map", func(key Key) bool { e := m[key]; return e != nil && e.state.Load() == live }, heap()-before)
	runtime.KeepAlive(m)
}

func BenchmarkMonthNumber(b *testing.B) {
	wall, sum := utc(11, 22, 0), int64(0)
	for b.Loop() {
		wall += 1e9
		sum += Month.Number(wall)
	}
	_ = sum
}
