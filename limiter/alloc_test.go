package limiter

import (
	"testing"
	"unsafe"
)

func TestHotPathsDoNotAllocate(t *testing.T) {
	limit, quota := NewLimit(1000, 100), NewQuota(1e6, Month, 0, 0)
	shared := NewShared(2, limit)
	var bucket Bucket
	table := NewTable(100)
	key := Key{1, 2}
	if _, err := table.LookupOrAdd(key, 0, 0); err != nil {
		t.Fatal(err)
	}
	charges := make([]Charge, 3)
	now := int64(0)
	for name, f := range map[string]func(){
		"Bucket.Spend":      func() { bucket.Spend(now, limit) },
		"Shared.Spend":      func() { shared.Spend(now, 1) },
		"Shared.Wait":       func() { shared.Wait(now, 1) },
		"Table.Lookup":      func() { table.Lookup(key) },
		"Table.LookupOrAdd": func() { _, _ = table.LookupOrAdd(key, now, now) },
		"SpendAll": func() {
			e := table.Lookup(key)
			charges[0] = Charge{Shared: shared}
			charges[1] = Charge{Bucket: &e.Bucket, Limit: &limit}
			charges[2] = Charge{Counter: &e.Counter, Quota: &quota}
			SpendAll(now, now, 0, charges)
		},
	} {
		if n := testing.AllocsPerRun(1000, func() { now += 1e5; f() }); n != 0 {
			t.Errorf("%s: %.1f allocations", name, n)
		}
	}
}

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(Bucket{}); n != 8 {
		t.Errorf("a bucket has %d bytes, want one word", n)
	}
	if n := unsafe.Sizeof(Entry{}); n != 64 {
		t.Errorf("an entry has %d bytes, want a cache line", n)
	}
	if n := unsafe.Sizeof(shard{}); n != lineBytes {
		t.Errorf("a shard has %d bytes, want %d", n, lineBytes)
	}
}
