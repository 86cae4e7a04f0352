package usage

import (
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
	"unsafe"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

func TestHotPathsDoNotAllocate(t *testing.T) {
	f := newFixture(t)
	plan := withMethods("gold01")
	plan.Quota = &definition.Quota{Limit: 1e9, Period: definition.PeriodMonth}
	stage := f.deploy(plan)
	f.key(keyID(1), "gold01")
	pets, value, wall := stage.Overrides("/pets", "GET"), valueOf(keyID(1)), utc(1, 1, 1)
	if err := f.Grant("gold01", keyID(1), 1e6, wall); err != nil {
		t.Fatal(err)
	}
	c, charges, fields := new(Client), make([]limiter.Charge, 0, 2), make([]byte, 0, 512)
	for name, step := range map[string]func(){
		"Find":            func() { *c, _ = f.Find(value, stage) },
		"AppendCharges":   func() { charges = c.AppendCharges(charges[:0], pets, f.now, wall) },
		"Count":           func() { f.Count(1, c, wall) },
		"AppendRateLimit": func() { fields = c.AppendRateLimit(fields[:0], f.now, wall) },
		"AppendKeyID":     func() { fields = c.AppendKeyID(fields[:0]) },
	} {
		*c, _ = f.Find(value, stage)
		charges = c.AppendCharges(charges[:0], pets, f.now, wall)
		if n := testing.AllocsPerRun(1000, step); n != 0 {
			t.Errorf("%s: %.1f allocations", name, n)
		}
	}
}

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(account{}); n != 64 {
		t.Errorf("an account has %d bytes, want a cache line", n)
	}
	if n := unsafe.Sizeof(record{}); n != 32 {
		t.Errorf("a record has %d bytes, want half a cache line", n)
	}
	if n := unsafe.Sizeof(stack{}); n != 64 {
		t.Errorf("a stack has %d bytes, want a cache line", n)
	}
}

// heap returns the bytes of the heap, and those that the collector scans.
func heap() (size, scanned int64) {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())
}

const million = 1_000_000

func millionIDs() []string {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, million)
	for i := range ids {
		ids[i] = formatID(r.Uint64N(keyNumbers))
	}
	return ids
}

// load puts all keys in the plan gold01.
func (f *fixture) load(ids []string) {
	for _, id := range ids {
		_ = f.PutKey(id, f.hasher.Sum([]byte(id)), true)
	}
	for _, id := range ids {
		_ = f.PutPlanKey("gold01", id)
	}
}

func TestAMillionKeys(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes 130 MB, and a minute with the race detector")
	}
	ids := millionIDs()
	size0, scanned0 := heap()
	f := newFixture(t)
	f.deploy(onProd("gold01", definition.UsagePlan{}))
	size1, _ := heap()
	start := time.Now()
	f.load(ids)
	took := time.Since(start)
	size2, scanned2 := heap()
	s := f.Stats()
	t.Logf("%d keys in %v; %d bytes each, empty %d, scanned %d", s.Keys, took, (size2-size0)/million, size1-size0, scanned2-scanned0)
	if s.Keys != million || s.Accounts != million {
		t.Errorf("%+v", s)
	}
	if each := (size2 - size0) / million; each > 200 {
		t.Errorf("%d bytes per key, want at most 200", each)
	}
	if scanned := scanned2 - scanned0; scanned > 512<<10 {
		t.Errorf("%d bytes are scanned by the garbage collector", scanned)
	}
	if empty := size1 - size0; empty > 64<<10 {
		t.Errorf("an empty store has %d bytes", empty)
	}
	runtime.KeepAlive(f)
	runtime.KeepAlive(ids)
}
