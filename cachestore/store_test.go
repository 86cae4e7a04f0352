package cachestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

func key(g *Group, name string) Key { return append(g.Key(nil), name...) }

func mustSet(t *testing.T, s *Store, k Key, e Entry) {
	t.Helper()
	if err := s.Set(k, e); err != nil {
		t.Fatal(err)
	}
}

func found(s *Store, k Key, now int64) State {
	_, _, state := s.Get(nil, k, now)
	return state
}

// noise is a value that no two calls with different seeds share a part of.
func noise(seed uint64, n int) []byte {
	var from [32]byte
	binary.LittleEndian.PutUint64(from[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(from).Read(b)
	return b
}

func TestGetReturnsWhatWasSet(t *testing.T) {
	s := New(Options{MaxValueBytes: MaxValue, MaxBytes: 1 << 30})
	defer s.Close()
	g := s.Group("g")
	sizes := []int{0, 1, 200, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes, 65535, 65536, 1 << 20, 5<<20 + 3, MaxValue}
	for i, size := range sizes {
		value := noise(uint64(i), size)
		for j, meta := range []int{0, 9, partBytes, MaxMeta} {
			k := g.Key(nil)
			k = append(k, noise(1, 40+j*(MaxKey-keyPrefix-40)/3)...)
			e := Entry{10, 20, noise(2, meta), value}
			mustSet(t, s, k, e)
			dst, got, state := s.Get([]byte("before"), k, 5)
			if state != Fresh || got.FreshUntil != 10 || got.KeepUntil != 20 {
				t.Fatalf("value %d meta %d: %v %d %d", size, meta, state, got.FreshUntil, got.KeepUntil)
			}
			if !bytes.Equal(got.Meta, e.Meta) || !bytes.Equal(got.Value, e.Value) {
				t.Fatalf("value %d meta %d: other bytes", size, meta)
			}
			if !bytes.HasPrefix(dst, []byte("before")) {
				t.Fatal("the buffer was not appended to")
			}
			if n := meta + size; !bytes.Equal(dst[len(dst)-n:], append(e.Meta, e.Value...)) {
				t.Fatal("meta and value do not end the buffer")
			}
		}
	}
}

func TestStates(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k := key(s.Group("g"), "k")
	for _, c := range []struct {
		fresh, keep, now int64
		want             State
	}{
		{10, 20, 9, Fresh},
		{10, 20, 10, Stale},
		{10, 20, 19, Stale},
		{10, 20, 20, Miss},
		{10, 0, 9, Fresh}, // keep until defaults to fresh until
		{10, 0, 10, Miss},
		{0, 20, 5, Stale},
		{0, 0, 5, Miss},
	} {
		for _, size := range []int{5, 100000} {
			mustSet(t, s, k, Entry{FreshUntil: c.fresh, KeepUntil: c.keep, Value: noise(1, size)})
			dst, _, state := s.Get([]byte("x"), k, c.now)
			if state != c.want {
				t.Errorf("%+v: %v", c, state)
			}
			if state == Miss && string(dst) != "x" {
				t.Errorf("%+v: a miss appended %d bytes", c, len(dst)-1)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k := key(s.Group("g"), "k")
	long := append(Key{}, noise(1, MaxKey+1)...)
	for _, c := range []struct {
		name        string
		key         Key
		meta, value int
		want        error
	}{
		{"largest", k, MaxMeta, defaultValueBytes, nil},
		{"value", k, 0, defaultValueBytes + 1, ErrTooLarge},
		{"meta", k, MaxMeta + 1, 0, ErrTooLarge},
		{"longest key", long[:MaxKey], 0, 0, nil},
		{"key", long, 0, 0, ErrTooLarge},
		{"no group", Key("short"), 0, 0, ErrTooLarge},
	} {
		err := s.Set(c.key, Entry{1, 1, make([]byte, c.meta), make([]byte, c.value)})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if got := found(s, c.key, 0); err != nil && c.name == "key" && got != Miss {
			t.Errorf("%s: found", c.name)
		}
	}
	if n := New(Options{MaxBytes: 64 << 20, MaxValueBytes: MaxValue}).options.MaxValueBytes; n != 4<<20 {
		t.Errorf("a store of 64 MiB takes values of %d bytes", n)
	}
}

func TestFlush(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	a, b := s.Group("a"), s.Group("b")
	if s.Group("a") != a || a == b {
		t.Fatal("groups do not go by their names")
	}
	set := func() (Key, Key) {
		ka, kb := key(a, "k"), key(b, "k")
		mustSet(t, s, ka, Entry{FreshUntil: 10, Value: []byte("a")})
		mustSet(t, s, kb, Entry{FreshUntil: 10, Value: []byte("b")})
		return ka, kb
	}
	ka, _ := set()
	a.Flush()
	if found(s, key(a, "k"), 0) != Miss || found(s, key(b, "k"), 0) != Fresh {
		t.Error("a flush of a group flushes that group")
	}
	mustSet(t, s, ka, Entry{FreshUntil: 10}) // by one that began before
	if found(s, key(a, "k"), 0) != Miss {
		t.Error("a fill from before a flush was seen after it")
	}
	set()
	s.Flush()
	if found(s, key(a, "k"), 0) != Miss || found(s, key(b, "k"), 0) != Miss {
		t.Error("a flush of the store flushes all groups")
	}
	set()
	if found(s, key(a, "k"), 0) != Fresh || found(s, key(b, "k"), 0) != Fresh {
		t.Error("fills after a flush are not seen")
	}
}

func TestDelete(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	g := s.Group("g")
	s.Delete(key(g, "a"), 0) // of nothing
	mustSet(t, s, key(g, "a"), Entry{FreshUntil: 10})
	mustSet(t, s, key(g, "b"), Entry{FreshUntil: 10})
	s.Delete(key(g, "a"), 0)
	if found(s, key(g, "a"), 0) != Miss || found(s, key(g, "b"), 0) != Fresh {
		t.Error("the wrong entry went")
	}
}

func TestClose(t *testing.T) {
	s := New(Options{})
	k := key(s.Group("g"), "k")
	mustSet(t, s, k, Entry{FreshUntil: 10})
	ticket, _ := s.Begin(key(s.Group("g"), "other"), 0, 10, nil)
	s.Close()
	s.Close()
	if found(s, k, 0) != Miss {
		t.Error("found in a closed store")
	}
	if err := s.Set(k, Entry{FreshUntil: 10}); !errors.Is(err, ErrClosed) {
		t.Errorf("set: %v", err)
	}
	if err := ticket.Commit(Entry{}); !errors.Is(err, ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	s.Delete(k, 0)
	if n := s.Stats(); n.Bytes != 0 || n.Entries != 0 {
		t.Errorf("%+v", n)
	}
}

func TestStats(t *testing.T) {
	s := New(Options{Savable: true})
	defer s.Close()
	g := s.Group("g")
	found(s, key(g, "k"), 0) // before the first entry
	mustSet(t, s, key(g, "k"), Entry{10, 20, nil, []byte("v")})
	mustSet(t, s, key(g, "large"), Entry{10, 20, nil, noise(1, 1<<20)})
	_ = s.Set(key(g, "k"), Entry{Value: make([]byte, 2<<20)})
	for range 3 {
		found(s, key(g, "k"), 5)
		found(s, key(g, "large"), 5)
	}
	found(s, key(g, "k"), 15)
	found(s, key(g, "large"), 15)
	found(s, key(g, "k"), 25)
	found(s, key(g, "none"), 5)
	ticket, _ := s.Begin(key(g, "none"), 5, 10, nil)
	ticket.Pass()
	got := s.Stats()
	want := Stats{Hits: 6, Stale: 2, Misses: 3, Fills: 2, TooLarge: 1, Entries: got.Entries, Bytes: got.Bytes, MaxBytes: minBytes}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got.Entries < 2 || got.Bytes < 1<<20 {
		t.Errorf("%+v", got)
	}
}
