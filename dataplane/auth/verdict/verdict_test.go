package verdict

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	c := NewCache[string](64)
	c.Put([]byte("a"), "first", 0, 10)
	c.Put([]byte("a"), "second", 1, 20)
	c.Put([]byte("b"), "dead", 5, 5)
	for _, tc := range []struct {
		key  string
		now  int64
		want string
	}{{"a", 2, "second"}, {"a", 19, "second"}, {"a", 20, ""}, {"b", 4, ""}, {"c", 0, ""}} {
		got := ""
		if v := c.Get([]byte(tc.key), tc.now); v != nil {
			got = *v
		}
		if got != tc.want {
			t.Errorf("%s at %d: %q, want %q", tc.key, tc.now, got, tc.want)
		}
	}
	if c.Sweep(19); c.Len() != 1 {
		t.Errorf("%d entries", c.Len())
	}
	if c.Sweep(20); c.Len() != 0 {
		t.Errorf("%d entries after all have expired", c.Len())
	}
	c.Put([]byte("a"), "third", 30, 40)
	if c.Flush(); c.Len() != 0 || c.Get([]byte("a"), 31) != nil {
		t.Error("flushed and still there")
	}
}

// Against a map: a cache may forget, and may not invent.
func TestCacheNeverInvents(t *testing.T) {
	c := NewCache[int](128)
	r := rand.New(rand.NewPCG(1, 2))
	type known struct {
		value int
		until int64
	}
	want := map[string]known{}
	hits := 0
	for now := range int64(200_000) {
		key := fmt.Sprint(r.IntN(300))
		if r.IntN(4) == 0 {
			k := known{r.Int(), now + r.Int64N(2000) - 10}
			c.Put([]byte(key), k.value, now, k.until)
			if k.until > now {
				want[key] = k
			}
			continue
		}
		if v := c.Get([]byte(key), now); v != nil {
			hits++
			if k := want[key]; k.value != *v || k.until <= now {
				t.Fatalf("%s at %d: %d, want %+v", key, now, *v, k)
			}
		}
	}
	if hits < 10_000 || c.Len() > 128 {
		t.Errorf("%d hits, %d entries", hits, c.Len())
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	c := NewCache[int](64)
	key := make([]byte, 1024)
	c.Put(key, 1, 0, 10)
	if n := testing.AllocsPerRun(100, func() { c.Get(key, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

type waiter struct{ got chan int }

func (w *waiter) Decided(v int) { w.got <- v }

func TestOneCallForAll(t *testing.T) {
	c := NewCalls[int](8, 2000)
	var asked atomic.Int64
	release := make(chan struct{})
	ask := func() int {
		asked.Add(1)
		<-release
		return 7
	}
	var waiters []*waiter
	for range 1000 {
		w := &waiter{got: make(chan int, 2)}
		waiters = append(waiters, w)
		if !c.Join([]byte("key"), w, ask) {
			t.Fatal("refused")
		}
	}
	left := waiters[10]
	if !c.Leave([]byte("key"), left) || c.Leave([]byte("key"), left) || c.Waiting() != 999 {
		t.Error("leaving")
	}
	close(release)
	for i, w := range waiters {
		if w == left {
			continue
		}
		if v := <-w.got; v != 7 {
			t.Fatalf("waiter %d: %d", i, v)
		}
	}
	if asked.Load() != 1 || c.Waiting() != 0 || len(left.got) != 0 {
		t.Errorf("asked %d times, %d wait", asked.Load(), c.Waiting())
	}
	if c.Leave([]byte("key"), waiters[0]) {
		t.Error("left what had ended")
	}
}

func TestCallsAreBounded(t *testing.T) {
	c := NewCalls[int](2, 3)
	release := make(chan struct{})
	ask := func() int { <-release; return 0 }
	w := func() *waiter { return &waiter{got: make(chan int, 1)} }
	for i, want := range map[string]bool{"a": true, "b": true} {
		if got := c.Join([]byte(i), w(), ask); got != want {
			t.Errorf("%s: %v", i, got)
		}
	}
	if c.Join([]byte("c"), w(), ask) {
		t.Error("a third call")
	}
	if !c.Join([]byte("a"), w(), ask) || c.Join([]byte("a"), w(), ask) {
		t.Error("the fourth waiter, not the third, is refused")
	}
	close(release)
}

// Wait asks nothing, and says whether Join would.
func TestWait(t *testing.T) {
	c := NewCalls[int](1, 2)
	w := func() *waiter { return &waiter{got: make(chan int, 1)} }
	expect := func(what, key string, who *waiter, waits, room bool) {
		t.Helper()
		if gotWaits, gotRoom := c.Wait([]byte(key), who); gotWaits != waits || gotRoom != room {
			t.Errorf("%s: %t, %t", what, gotWaits, gotRoom)
		}
	}
	expect("nobody asks", "a", w(), false, true)
	release := make(chan struct{})
	asked := 0
	if !c.Join([]byte("a"), w(), func() int { <-release; asked++; return 7 }) {
		t.Fatal("refused")
	}
	expect("another key, and no call left", "b", w(), false, false)
	second := w()
	expect("somebody asks", "a", second, true, true)
	expect("too many wait", "a", w(), false, false)
	close(release)
	if v := <-second.got; v != 7 || asked != 1 {
		t.Errorf("%d, asked %d times", v, asked)
	}
}

// Leave and Decided race; exactly one of them wins.
func TestLeaveOrDecided(t *testing.T) {
	c := NewCalls[int](1000, 1000)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			key := []byte{byte(i % 5)}
			w := &waiter{got: make(chan int, 1)}
			if !c.Join(key, w, func() int { return 1 }) {
				t.Error("refused")
				return
			}
			if c.Leave(key, w) {
				if len(w.got) != 0 {
					t.Error("left and decided")
				}
				return
			}
			select {
			case <-w.got:
			case <-time.After(10 * time.Second):
				t.Error("neither left nor decided")
			}
		})
	}
	all.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := NewCache[int](1 << 14)
	key := make([]byte, 1000)
	c.Put(key, 1, 0, 10)
	b.ReportAllocs()
	for b.Loop() {
		c.Get(key, 1)
	}
}
