package caches

import (
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// BenchmarkGet gets random ones of a million entries of 256 bytes, from one
// core and from two: ns/op halve where a cache scales. In this process the
// garbage collector has to do with one cache at a time.
func BenchmarkGet(b *testing.B) {
	for _, name := range []string{Tidegate, Fastcache, Bigcache, Freecache, Otter, Ristretto} {
		b.Run(name, func(b *testing.B) {
			f, err := Fill(name, Contents{Entries: 1_000_000, ValueBytes: 256})
			if err != nil {
				b.Fatal(err)
			}
			for cores := 1; cores <= min(2, runtime.GOMAXPROCS(0)); cores++ {
				b.Run("cores-"+strconv.Itoa(cores), func(b *testing.B) { f.benchmark(b, cores) })
			}
		})
	}
}

// benchmark splits b.N over the cores.
func (f *Filled) benchmark(b *testing.B, cores int) {
	b.ReportAllocs()
	var g sync.WaitGroup
	for core := range cores {
		g.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if !f.worker(core, false).gets(b.N / cores) {
				b.Error(errNotThere)
			}
		})
	}
	g.Wait()
}
