package limits

import (
	"fmt"
	"runtime"
	"time"
)

// batch is how many spends are made between two looks at the clock.
const batch = 1024

// Cost is what one spend takes.
type Cost struct {
	Nanos  float64
	Allocs float64 // heap allocations, rounded down as Go's benchmarks do
}

// Cost measures one goroutine for d. A spend that is denied is an error.
func (l Limiter) Cost(d time.Duration) (Cost, error) {
	before := mallocs()
	r := l.work(0, d)
	allocs := mallocs() - before
	if r.admitted != r.spends {
		return Cost{}, fmt.Errorf("%s denied %d of %d spends", l.Name, r.spends-r.admitted, r.spends)
	}
	return Cost{Nanos: 1e9 / r.perSecond(), Allocs: float64(allocs / uint64(r.spends))}, nil
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// Scaling is how fast a limit is spent from by one core and by several.
type Scaling struct {
	One, All float64 // spends per second
}

// Ratio is 1 when more cores are of no use, and their number at best.
func (s Scaling) Ratio() float64 { return s.All / s.One }

// Scaling measures one core and several in turns of d/4: one, all, all, one.
// It says nothing of whether spends are admitted.
func (l Limiter) Scaling(cores int, d time.Duration) Scaling {
	first, all := l.throughput(1, d/4), l.throughput(cores, d/2)
	return Scaling{One: (first + l.throughput(1, d/4)) / 2, All: all}
}

// throughput returns the spends per second of that many goroutines, each on a
// thread of its own.
func (l Limiter) throughput(cores int, d time.Duration) (perSecond float64) {
	rates := make(chan float64, cores)
	ready := make(chan struct{}, cores)
	start := make(chan struct{})
	for core := range cores {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready <- struct{}{}
			<-start
			rates <- l.work(core, d).perSecond()
		}()
	}
	for range cores {
		<-ready
	}
	close(start)
	for range cores {
		perSecond += <-rates
	}
	return perSecond
}

type done struct {
	spends, admitted int
	took             int64 // nanoseconds
}

func (d done) perSecond() float64 { return float64(d.spends) / float64(d.took) * 1e9 }

// work spends for d.
func (l Limiter) work(core int, d time.Duration) (r done) {
	begin := momentNow()
	for at := begin; r.took < int64(d); r.took = at.Now - begin.Now {
		r.admitted += l.Spend(core, at, batch)
		r.spends += batch
		at = momentNow()
	}
	return r
}
