package limits

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tidegate/tidegate/limiter"
)

// The account's default limit, and what is asked of it.
const (
	accuracyRate  = 10_000 // per second
	accuracyBurst = 5_000
	overload      = 4
)

// Accuracy is how a limit under overload is kept and used.
type Accuracy struct {
	Used float64 // admitted of the burst + rate·t that could be, over all of the time
	Over float64 // the most admitted in any window, divided by its burst + rate·t
}

// MeasureAccuracy has as many goroutines as cores spend from one account's
// limit, four times as often as it refills, for that many seconds. The seconds
// are numbers and do not pass: requests follow one another at equal distances,
// whichever goroutine gets the next one, so that old moments meet new ones.
func MeasureAccuracy(cores int, seconds float64) (Accuracy, error) {
	const distance = 1_000_000_000 / (overload * accuracyRate)
	l := limiter.NewLimit(accuracyRate, accuracyBurst)
	s := limiter.NewShared(cores, l)
	requests := int64(seconds * overload * accuracyRate)

	var next atomic.Int64
	admitted := make([][]int64, cores) // when, by core
	var g sync.WaitGroup
	for core := range cores {
		g.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := next.Add(1); i <= requests; i = next.Add(1) {
				if now := i * distance; s.Spend(now, core) == 0 {
					admitted[core] = append(admitted[core], now)
				}
			}
		})
	}
	g.Wait()
	all := slices.Concat(admitted...)
	slices.Sort(all)
	if len(all) == 0 {
		return Accuracy{}, fmt.Errorf("none of %d requests was admitted", requests)
	}
	return accuracy(all, (requests-1)*distance, l), nil
}

// accuracy judges the moments, sorted, at which requests were admitted within a
// time of t nanoseconds. It counts in nanoseconds of refill, for which a
// float64 is exact.
func accuracy(admitted []int64, t int64, l limiter.Limit) Accuracy {
	share := func(n int, t int64) float64 {
		return float64(int64(n)*l.Interval()) / float64(l.Burst()*l.Interval()+t)
	}
	a := Accuracy{Used: share(len(admitted), t)}
	for i, from := range admitted {
		for j, to := range admitted[i:] {
			a.Over = max(a.Over, share(j+1, to-from))
		}
	}
	return a
}
