package limits

import (
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// BenchmarkSpend is one spend without contention, with the clock as each takes
// it, and a whole decision of Tidegate.
func BenchmarkSpend(b *testing.B) {
	for _, l := range Uncontended() {
		b.Run(l.Name, func(b *testing.B) {
			b.ReportAllocs()
			if n := l.spend(0, b.N); n != b.N {
				b.Fatalf("denied %d of %d", b.N-n, b.N)
			}
		})
	}
}

// BenchmarkHot is one limit hit from 1 core and from 2: where ns/op halve, the
// limiter scales.
func BenchmarkHot(b *testing.B) {
	for cores := 1; cores <= min(2, runtime.GOMAXPROCS(0)); cores++ {
		b.Run("cores-"+strconv.Itoa(cores), func(b *testing.B) {
			for _, l := range Hot(cores) {
				b.Run(l.Name, func(b *testing.B) { l.benchmark(b, cores) })
			}
			b.Run(OverloadedName, func(b *testing.B) { Overloaded(cores).benchmark(b, cores) })
			b.Run(UnderusedName, func(b *testing.B) { Underused(cores).benchmark(b, cores) })
		})
	}
}

// benchmark splits b.N over the cores.
func (l Limiter) benchmark(b *testing.B, cores int) {
	b.ReportAllocs()
	var g sync.WaitGroup
	for core := range cores {
		g.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			l.spend(core, b.N/cores)
		})
	}
	g.Wait()
}

// BenchmarkFind finds one of a million API keys in plans, at random.
func BenchmarkFind(b *testing.B) {
	const keys = 1_000_000
	k, gateway, plain, err := NewKeys(keys)
	if err != nil {
		b.Fatal(err)
	}
	for i, l := range k.Finds() {
		b.Run(l.Name, func(b *testing.B) {
			b.ReportAllocs()
			if n := l.spend(0, b.N); n != b.N {
				b.Fatalf("%d of %d not found", b.N-n, b.N)
			}
			m := []KeyMemory{gateway, plain}[i]
			b.ReportMetric(m.Bytes, "B/key")
			b.ReportMetric(m.Scanned, "scanned-B/key")
		})
	}
}

// spend makes n spends, in batches as the scenario does.
func (l Limiter) spend(core, n int) (admitted int) {
	for left := n; left > 0; {
		spends := min(left, batch)
		admitted += l.Spend(core, momentNow(), spends)
		left -= spends
	}
	return admitted
}
