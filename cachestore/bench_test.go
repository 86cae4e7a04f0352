package cachestore

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/fastcache"
)

const (
	benchEntries = 1 << 20
	benchBytes   = 1 << 30
	benchValue   = 256
)

// BenchmarkGet gets random ones of a million entries, with keys of the same
// length, from a store and from the bare fastcache it is made of, in turns so
// that both see the same machine: ns/op is of a pair.
func BenchmarkGet(b *testing.B) {
	s := New(Options{MaxBytes: benchBytes})
	defer s.Close()
	g := s.Group("g")
	bare := fastcache.New(benchBytes)
	defer bare.Reset()
	value := noise(1, benchValue)
	k := append(g.Key(nil), make([]byte, 40)...)
	for i := range uint64(benchEntries) {
		binary.LittleEndian.PutUint64(k[keyPrefix:], i)
		if err := s.Set(k, Entry{10, 10, nil, value}); err != nil {
			b.Fatal(err)
		}
		bare.Set(k, value)
	}
	var seed, misses atomic.Uint64
	var bareTime, storeTime atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(seed.Add(1), 0))
		k := append(g.Key(nil), make([]byte, 40)...)
		buf := make([]byte, 0, 4096)
		var numbers [256]uint64
		turn := func(spent *atomic.Int64, get func() int) {
			for i := range numbers {
				numbers[i] = r.Uint64N(benchEntries)
			}
			start := time.Now()
			for _, n := range numbers {
				binary.LittleEndian.PutUint64(k[keyPrefix:], n)
				if get() != benchValue {
					misses.Add(1)
				}
			}
			spent.Add(int64(time.Since(start)))
		}
		for i := 0; pb.Next(); i++ {
			if i%len(numbers) != 0 {
				continue // a turn counts for as many
			}
			turn(&bareTime, func() int { return len(bare.Get(buf, k)) })
			turn(&storeTime, func() int {
				_, e, _ := s.Get(buf, k, 5)
				return len(e.Value)
			})
		}
	})
	if misses.Load() > 0 {
		b.Errorf("%d misses", misses.Load())
	}
	b.ReportMetric(float64(storeTime.Load())/float64(bareTime.Load()), "vs_fastcache")
}

func BenchmarkGetLarge(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	k := key(s.Group("g"), "k")
	value := noise(1, 1<<20)
	if err := s.Set(k, Entry{10, 10, nil, value}); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2<<20)
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		if _, _, state := s.Get(buf, k, 5); state != Fresh {
			b.Fatal(state)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for _, savable := range []bool{false, true} {
		name := "plain"
		if savable {
			name = "savable"
		}
		b.Run(name, func(b *testing.B) {
			s := New(Options{Savable: savable})
			defer s.Close()
			k := append(s.Group("g").Key(nil), make([]byte, 40)...)
			value := noise(1, benchValue)
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				binary.LittleEndian.PutUint64(k[keyPrefix:], i)
				if err := s.Set(k, Entry{10, 10, nil, value}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMiss is a request that leads and fills.
func BenchmarkMiss(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	k := append(s.Group("g").Key(nil), make([]byte, 40)...)
	value := noise(1, benchValue)
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		binary.LittleEndian.PutUint64(k[keyPrefix:], i)
		ticket, turn := s.Begin(k, 0, 100, nil)
		if turn != Lead {
			b.Fatal(turn)
		}
		if err := ticket.Commit(Entry{10, 10, nil, value}); err != nil {
			b.Fatal(err)
		}
	}
}
