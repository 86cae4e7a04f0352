package limiter

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

func randomKey(r *rand.Rand) Key { return Key{Hi: r.Uint64(), Lo: r.Uint64()} }

func mustAdd(t *testing.T, table *Table, key Key, now, wall int64) *Entry {
	t.Helper()
	e, err := table.LookupOrAdd(key, now, wall)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTableKeepsEveryKey(t *testing.T) {
	const n = 50000
	table := NewTable(n)
	r := rand.New(rand.NewPCG(1, 1))
	entries := map[Key]*Entry{}
	for range n {
		key := randomKey(r)
		if table.Lookup(key) != nil {
			t.Fatal("a key that was not added")
		}
		entries[key] = mustAdd(t, table, key, 0, 0)
		entries[key].Bucket.Spend(0, NewLimit(1, 5))
	}
	for key, e := range entries {
		if table.Lookup(key) != e || mustAdd(t, table, key, 0, 0) != e || e.Key() != key {
			t.Fatal("a key lost its entry")
		}
	}
	seen := 0
	table.Range(func(e *Entry) bool {
		seen++
		return entries[e.Key()] == e
	})
	if s := table.Stats(); seen != n || s.Entries != n || s.Evicted != 0 || s.Refused != 0 {
		t.Errorf("%d seen, %+v", seen, s)
	}
}

// Keys that agree in what the index holds of them are told apart.
func TestTableCollisions(t *testing.T) {
	table := NewTable(100)
	for hi := range uint64(50) {
		mustAdd(t, table, Key{Hi: hi, Lo: 7}, 0, 0)
	}
	for hi := range uint64(50) {
		if e := table.Lookup(Key{Hi: hi, Lo: 7}); e == nil || e.Key().Hi != hi {
			t.Fatalf("key %d has the wrong entry", hi)
		}
	}
	if table.Lookup(Key{Hi: 50, Lo: 7}) != nil || table.Lookup(Key{Hi: 1, Lo: 7 + 1<<32}) != nil {
		t.Error("an entry of another key")
	}
}

func TestTableEvictsOnlyIdleEntries(t *testing.T) {
	const capacity = 8
	limit, quota := NewLimit(1, 1), NewQuota(10, Day, 0, 0)
	now, wall := int64(1e9), utc(1, 1, 0)
	table := NewTable(capacity)
	key := func(i uint64) Key { return Key{Hi: i, Lo: i * 1000} }

	for i := range uint64(capacity) {
		e := mustAdd(t, table, key(i), now, wall)
		switch i {
		case 0: // denies for long
			for range 100 {
				e.Bucket.Spend(now, NewLimit(0.001, 100))
			}
		case 1: // its quota counts to the end of the day
			count(&e.Counter, quota, wall, 3)
		case 2: // its counts are not written yet
			if !e.MarkDirty() || e.MarkDirty() {
				t.Error("MarkDirty must be true once")
			}
		default: // idle in a second
			e.Bucket.Spend(now, limit)
		}
	}
	refuse := func(says string) {
		t.Helper()
		if e, err := table.LookupOrAdd(key(999), now, wall); !errors.Is(err, ErrTableFull) || e != nil {
			t.Fatalf("%s: %v", says, err)
		}
	}
	refuse("all are limited")
	now += 2e9
	refuse("idle, but just so")
	if table.Lookup(key(3)) == nil {
		t.Fatal("key 3 is gone")
	}
	now += Grace
	for i := range uint64(4) { // 4 to 7 are idle for long; 3 was looked up, which puts it off
		mustAdd(t, table, key(100+i), now, wall).Bucket.Spend(now, NewLimit(0.001, 1))
	}
	refuse("all others are limited, or were looked up")
	for i := range uint64(4) {
		if table.Lookup(key(i)) == nil {
			t.Errorf("key %d was evicted", i)
		}
		if table.Lookup(key(4+i)) != nil {
			t.Errorf("key %d was not evicted", 4+i)
		}
	}
	if e := table.Lookup(key(102)); e.Counter.Snapshot() != [2]Count{} || e.Bucket.Full(now) {
		t.Error("the entry has something of the key before it")
	}
	if s := table.Stats(); s != (TableStats{Capacity: capacity, Entries: capacity, Evicted: 4, Refused: 3}) {
		t.Errorf("%+v", s)
	}
	// The next day, after the journal has written: 1 and 2 are idle as well.
	table.Lookup(key(2)).MarkClean()
	wall += dayNanos
	refuse("condemned now")
	now += Grace
	mustAdd(t, table, key(200), now, wall)
}

// A table that is far too small: keys come and go, and none is forgotten while
// it is limited.
func TestTableChurn(t *testing.T) {
	const capacity = 3000
	table := NewTable(capacity)
	limit := NewLimit(0.1, 1) // limited for ten seconds
	r := rand.New(rand.NewPCG(2, 2))
	until := map[Key]int64{}
	var recent []Key
	now, refused := int64(1e9), 0
	for range 60000 {
		now += 40 * ms
		key := randomKey(r)
		if len(recent) > 400 && r.IntN(2) == 0 {
			key = recent[len(recent)-1-r.IntN(400)]
		}
		e, err := table.LookupOrAdd(key, now, 0)
		if err != nil {
			refused++
			continue
		}
		if wait := e.Bucket.Spend(now, limit); wait == 0 {
			if now < until[key] {
				t.Fatal("a key was forgotten while it was limited")
			}
			until[key] = now + limit.Interval()
			recent = append(recent, key)
		} else if now+wait != until[key] {
			t.Fatal("a key has the bucket of another")
		}
	}
	if s := table.Stats(); s.Evicted == 0 || s.Entries > capacity || refused > 0 {
		t.Errorf("%d refused, %+v", refused, s)
	}
	for i := range table.segments {
		if words := len(table.segments[i].index.Load().words); words > 4*capacity/len(table.segments) {
			t.Errorf("the index of a segment grew to %d words", words)
		}
	}
}

func TestTableUnderRaces(t *testing.T) {
	const keys, loops, rounds = 2000, 4, 20000
	table := NewTable(keys * 2)
	quota := NewQuota(1<<30, Day, 0, 0)
	var counts [loops][keys]int64
	var g sync.WaitGroup
	for loop := range loops {
		g.Go(func() {
			r := rand.New(rand.NewPCG(9, uint64(loop)))
			for i := range rounds {
				k := r.Uint64N(keys)
				e, err := table.LookupOrAdd(Key{Hi: k << 52, Lo: k}, int64(i), 0)
				if err != nil {
					t.Error(err)
					return
				}
				counts[loop][k] += int64(count(&e.Counter, quota, 0, 1))
			}
		})
	}
	g.Wait()
	for k := range uint64(keys) {
		want := int64(0)
		for loop := range loops {
			want += counts[loop][k]
		}
		e := table.Lookup(Key{Hi: k << 52, Lo: k})
		if got := e.Counter.Used(0, quota); got != want {
			t.Fatalf("key %d counted %d, want %d", k, got, want)
		}
	}
}
