package gatetest

import "runtime"

// Allocations returns what the whole process allocates for each of count calls of
// f. It is the least of four windows: a tick or a collection, which empties the
// pools, falls into one of them and is not the call's doing.
func Allocations(count int, f func()) float64 {
	const windows = 4
	count = max(count/windows, 1)
	least := uint64(0)
	for i := range windows {
		var before, after runtime.MemStats
		runtime.GC()
		f() // what the collection took from the pools comes back
		runtime.ReadMemStats(&before)
		for range count {
			f()
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; i == 0 || n < least {
			least = n
		}
	}
	return float64(least) / float64(count)
}
