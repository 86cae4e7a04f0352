package usage

import (
	"runtime"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// The two benchmarks look up one of a million keys at random, and read what is
// found. As in a request, the value was read just before: it is written anew
// each time and is in cache, while the keys are not.

func BenchmarkFind(b *testing.B) {
	b.Run("1M", func(b *testing.B) {
		var value [40]byte
		f := newFixture(b)
		stage := f.deploy(onProd("gold01", definition.UsagePlan{}))
		for i, id := range millionIDs() {
			_ = f.PutKey(id, f.hasher.Sum(write(&value, uint64(i))), true)
			_ = f.PutPlanKey("gold01", id)
		}
		randomly(b, func(i uint64) bool {
			c, ok := f.Find(write(&value, i), stage)
			return ok && c.account.state.Load()&linked != 0
		})
	})
}

func BenchmarkMap(b *testing.B) {
	type client struct {
		linked bool
		_      [63]byte
	}
	b.Run("1M", func(b *testing.B) {
		var value [40]byte
		m := make(map[string]*client)
		for i := range uint64(million) {
			m[string(write(&value, i))] = &client{linked: true}
		}
		randomly(b, func(i uint64) bool {
			c := m[string(write(&value, i))]
			return c != nil && c.linked
		})
	})
}

func randomly(b *testing.B, find func(i uint64) bool) {
	runtime.GC()
	at := uint32(1)
	for b.Loop() {
		at = at*1664525 + 1013904223
		if !find(uint64(at) * million >> 32) {
			b.Fatal("missing")
		}
	}
}

// write writes value number i, of 40 characters as AWS generates them.
func write(value *[40]byte, i uint64) []byte {
	x := mix(i + 1)
	for j := range value {
		value[j] = "0123456789abcdef"[x>>(j*4&63)&15]
	}
	return value[:]
}

// BenchmarkRequest is all that a request with a key, a throttle and a quota
// takes: finding the client, charging it, counting.
func BenchmarkRequest(b *testing.B) {
	f := newFixture(b)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{
		Throttle: throttleOf(1e9, 1e9), Quota: &definition.Quota{Limit: 1e11, Period: definition.PeriodMonth},
	}))
	f.key(keyID(1), "gold01")
	value, wall, charges := valueOf(keyID(1)), utc(1, 1, 0), make([]limiter.Charge, 0, 4)
	for b.Loop() {
		f.now++
		c, _ := f.Find(value, stage)
		charges = c.AppendCharges(charges[:0], Overrides{}, f.now, wall)
		if d := limiter.SpendAll(f.now, wall, 0, charges); !d.Allowed() {
			b.Fatalf("%+v", d)
		}
		f.Count(0, &c, wall)
	}
}
