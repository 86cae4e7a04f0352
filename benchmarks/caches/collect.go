package caches

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// Collections is what garbage collections took of a process that holds a cache,
// while two goroutines allocated.
type Collections struct {
	MaxPause time.Duration `json:"max_pause"` // the longest the world was stopped for by one collection, its stops added up
	MaxStall time.Duration `json:"max_stall"` // the longest an allocating goroutine took for what takes microseconds: it stood still, or had to mark
	CPU      time.Duration `json:"cpu"`       // of one collection, on all cores
	Heap     uint64        `json:"heap"`      // bytes of live objects
}

// kept is how many collections' pauses the runtime remembers.
const kept = uint32(len(runtime.MemStats{}.PauseNs))

// MeasureCollections forces n garbage collections, at most as many as the
// runtime remembers, one after the other under an allocation load of two
// goroutines. Those that the load itself makes necessary count as well.
func (f *Filled) MeasureCollections(n int) (Collections, error) {
	heap := liveHeap()
	load := startAllocating(2)
	before, cpu := pauses(), collectorCPU()
	for range n {
		runtime.GC()
	}
	after, spent := pauses(), collectorCPU()-cpu
	c := Collections{MaxStall: load.stop(), Heap: heap}
	ran := after.NumGC - before.NumGC
	if ran > kept {
		return c, fmt.Errorf("caches: %d collections ran and the runtime remembers %d", ran, kept)
	}
	for i := range ran {
		// The last one is at (NumGC+255)%256; see runtime.MemStats.
		c.MaxPause = max(c.MaxPause, time.Duration(after.PauseNs[(after.NumGC-i+kept-1)%kept]))
	}
	c.CPU = time.Duration(float64(spent) / float64(ran))
	runtime.KeepAlive(f)
	return c, nil
}

func pauses() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // the second frees what the first found
	return metric("/memory/classes/heap/objects:bytes").Uint64()
}

// collectorCPU is what all collections took that have ended, marking by cores
// that had nothing else to do included.
func collectorCPU() time.Duration {
	return time.Duration(metric("/cpu/classes/gc/total:cpu-seconds").Float64() * 1e9)
}

func metric(name string) metrics.Value {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindBad {
		panic("caches: this Go does not measure " + name)
	}
	return sample[0].Value
}

// allocating is a load of goroutines that allocate as requests do: some
// buffers, which are soon garbage, and then nothing for a millisecond.
type allocating struct {
	end     chan struct{}
	running sync.WaitGroup
	stalls  []time.Duration // the longest of each
}

func startAllocating(goroutines int) *allocating {
	a := &allocating{end: make(chan struct{}), stalls: make([]time.Duration, goroutines)}
	for i := range goroutines {
		a.running.Go(func() { a.stalls[i] = a.allocate() })
	}
	return a
}

func (a *allocating) allocate() (longest time.Duration) {
	const buffers, bufferBytes, perTurn = 1024, 2048, 64
	var live [buffers][]byte
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n += perTurn {
		select {
		case <-a.end:
			return longest
		case <-pace.C:
		}
		began := time.Now()
		for i := range perTurn {
			live[(n+i)%buffers] = make([]byte, bufferBytes)
		}
		longest = max(longest, time.Since(began))
	}
}

// stop ends the load and returns its longest stall.
func (a *allocating) stop() (longest time.Duration) {
	close(a.end)
	a.running.Wait()
	for _, s := range a.stalls {
		longest = max(longest, s)
	}
	return longest
}
