package caches

import (
	"errors"
	"runtime"
	"time"
)

// Gets is what gets took.
type Gets struct {
	Nanos  float64 `json:"nanos"`  // of one get, on each of the cores that get at the same time
	Allocs float64 `json:"allocs"` // heap allocations of one get, rounded down as Go's benchmarks do
}

var errNotThere = errors.New("caches: a get did not return what was stored")

// MeasureGets has as many goroutines as cores get entries at random for d, each
// on a thread of its own. A value that is not there, or is another one's, is an
// error.
//
// When chained, which entry is next depends on the value got before: a processor
// cannot begin a get before the last one is done, as it cannot when a get is one
// step of a request. Else it looks ahead, as in most benchmarks of caches.
func (f *Filled) MeasureGets(cores int, d time.Duration, chained bool) (Gets, error) {
	results := make(chan done, cores)
	ready, start := make(chan struct{}, cores), make(chan struct{})
	for core := range cores {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			w := f.worker(core, chained)
			ready <- struct{}{}
			<-start
			results <- w.work(d)
		}()
	}
	for range cores {
		<-ready
	}
	before := mallocs()
	close(start)
	var perSecond float64
	var gets int
	failed := false
	for range cores {
		r := <-results
		perSecond += float64(r.gets) / r.took.Seconds()
		gets += r.gets
		failed = failed || r.failed
	}
	if failed {
		return Gets{}, errNotThere
	}
	return Gets{
		Nanos:  float64(cores) * 1e9 / perSecond,
		Allocs: float64((mallocs() - before) / uint64(gets)),
	}, nil
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// worker gets entries at random, for one goroutine.
type worker struct {
	filled  *Filled
	keys    *keys
	get     func([]byte) []byte
	chained bool
}

func (f *Filled) worker(core int, chained bool) *worker {
	w := &worker{filled: f, keys: f.keys(), get: f.cache.reader(), chained: chained}
	w.keys.state += uint32(core) << 16 // elsewhere in the same sequence
	return w
}

type done struct {
	gets   int
	took   time.Duration
	failed bool
}

// batch is how many gets are made between two looks at the clock.
const batch = 256

func (w *worker) work(d time.Duration) (r done) {
	for begin := time.Now(); r.took < d && !r.failed; r.took = time.Since(begin) {
		r.failed = !w.gets(batch)
		r.gets += batch
	}
	return r
}

// gets makes n gets and says whether each returned what was stored.
func (w *worker) gets(n int) bool {
	var last byte
	for range n {
		i := w.keys.next(last)
		v := w.get(w.keys.of(i))
		if !w.filled.isValue(v, i) {
			return false
		}
		last = 0
		if w.chained {
			last = v[len(v)-1]
		}
	}
	return true
}
