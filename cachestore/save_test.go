package cachestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

var secret = noise(99, 32)

// The clock of requests and Unix time, far apart.
const (
	testNow  = int64(1000e9)
	testWall = int64(1.7e18)
	second   = int64(1e9)
)

// full returns a store with entries of all kinds, and those of them that are to
// survive, by group and name.
func full(t testing.TB) (*Store, map[[2]string]Entry) {
	t.Helper()
	s := New(Options{MaxBytes: 256 << 20, Savable: true})
	t.Cleanup(s.Close)
	want := map[[2]string]Entry{}
	for i := range 1000 {
		group, name := fmt.Sprint("group", i%7), fmt.Sprint("key", i)
		e := Entry{testNow + int64(i)*second, testNow + int64(i+100)*second, noise(uint64(i), i%50), noise(uint64(i), i*3)}
		if i%100 == 0 {
			e.Value = noise(uint64(i), 300<<10)
		}
		if i == 500 {
			e.KeepUntil = math.MaxInt64
		}
		for _, e := range []Entry{{FreshUntil: math.MaxInt64, Value: []byte("replaced")}, e} {
			if err := s.Set(key(s.Group(group), name), e); err != nil {
				t.Fatal(err)
			}
		}
		want[[2]string{group, name}] = e
	}
	s.Group("group3").Flush()
	for id := range want {
		if id[0] == "group3" {
			delete(want, id)
		}
	}
	s.Delete(key(s.Group("group0"), "key7"), 0)
	delete(want, [2]string{"group0", "key7"})
	past := Entry{FreshUntil: testNow - 5, KeepUntil: testNow}
	if err := s.Set(key(s.Group("group1"), "past"), past); err != nil {
		t.Fatal(err)
	}
	return s, want
}

func check(t *testing.T, s *Store, want map[[2]string]Entry, now, shift int64, all bool) (n int) {
	t.Helper()
	for id, e := range want {
		_, got, state := s.Get(nil, key(s.Group(id[0]), id[1]), now)
		if state == Miss {
			if all && e.KeepUntil+shift > now {
				t.Errorf("%v is missing", id)
			}
			continue
		}
		n++
		keep := e.KeepUntil + shift
		if e.KeepUntil == math.MaxInt64 {
			keep = e.KeepUntil
		}
		if !bytes.Equal(got.Value, e.Value) || !bytes.Equal(got.Meta, e.Meta) ||
			got.FreshUntil != e.FreshUntil+shift || got.KeepUntil != keep {
			t.Fatalf("%v has other bytes or times", id)
		}
	}
	return n
}

func TestSaveAndLoad(t *testing.T) {
	for _, c := range []struct {
		name   string
		secret []byte
		now    int64 // of the process that loads
		wall   int64
		shift  int64 // of deadlines, between the two clocks
	}{
		{"at once", secret, testNow, testWall, 0},
		{"no secret", nil, testNow, testWall, 0},
		{"half a minute later, another clock", secret, 5 * second, testWall + 30*second, 5*second - testNow - 30*second},
		{"wall clock set back", secret, 5 * second, testWall - 3600*second, 5*second - testNow},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			s, want := full(t)
			saved, err := s.Save(t.Context(), path, c.secret, testNow, testWall)
			if err != nil || saved != len(want) {
				t.Fatalf("%d saved of %d: %v", saved, len(want), err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode() != 0o600 {
				t.Fatalf("%v %v", info.Mode(), err)
			}
			b, _ := os.ReadFile(path)
			if bytes.Contains(b, []byte("key999")) || bytes.Contains(b, []byte("group5")) {
				t.Error("readable")
			}
			warm := New(Options{MaxBytes: 256 << 20})
			defer warm.Close()
			loaded, err := warm.Load(t.Context(), path, c.secret, c.now, c.wall)
			if err != nil {
				t.Fatal(err)
			}
			if n := check(t, warm, want, c.now, c.shift, true); n != loaded {
				t.Errorf("%d loaded, %d found", loaded, n)
			}
			if loaded < 800 {
				t.Errorf("%d loaded", loaded)
			}
			if found(warm, key(warm.Group("group3"), "key3"), c.now) != Miss {
				t.Error("a flushed entry came back")
			}
			if n, err := warm.Load(t.Context(), path, c.secret, c.now, c.wall); n != 0 || err != nil {
				t.Errorf("a file serves twice: %d %v", n, err)
			}
		})
	}
}

func TestSaveFailures(t *testing.T) {
	s, _ := full(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "cache")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Save(cancelled, path, secret, testNow, testWall); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.Save(t.Context(), path, []byte("short"), testNow, testWall); err == nil {
		t.Error("saved with a short secret")
	}
	if _, err := s.Save(t.Context(), filepath.Join(folder, "none", "cache"), secret, testNow, testWall); err == nil {
		t.Error("saved to a folder that is not there")
	}
	if _, err := New(Options{}).Save(t.Context(), path, secret, testNow, testWall); !errors.Is(err, ErrNotSavable) {
		t.Errorf("not savable: %v", err)
	}
	names, _ := filepath.Glob(filepath.Join(folder, "*"))
	if b, _ := os.ReadFile(path); string(b) != "before" || len(names) != 1 {
		t.Errorf("after failures there are %q, with %q", names, b)
	}
	if n, err := New(Options{Savable: true}).Save(t.Context(), path, secret, testNow, testWall); n != 0 || err != nil {
		t.Errorf("an empty store: %d %v", n, err)
	}
	if n, err := s.Load(t.Context(), path, secret, testNow, testWall); n != 0 || err != nil {
		t.Errorf("an empty file: %d %v", n, err)
	}
	if n, err := s.Load(t.Context(), path, secret, testNow, testWall); n != 0 || err != nil {
		t.Errorf("no file: %d %v", n, err)
	}
}

func saved(t testing.TB, secret []byte) ([]byte, map[[2]string]Entry) {
	t.Helper()
	s, want := full(t)
	var b bytes.Buffer
	if _, err := s.write(t.Context(), &b, secret, testNow, testWall); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), want
}

// load reads a file into a new store and fails if anything in it is not in want.
func load(t *testing.T, file []byte, want map[[2]string]Entry) (int, error) {
	t.Helper()
	s := New(Options{MaxBytes: 256 << 20})
	defer s.Close()
	n, err := s.read(t.Context(), bytes.NewReader(file), secret, testNow, testWall)
	if got := check(t, s, want, testNow, 0, false); got != n {
		t.Fatalf("%d loaded, %d found that were saved", n, got)
	}
	return n, err
}

// frameEnds returns where the frames of a file end.
func frameEnds(file []byte) []int {
	ends := []int{headBytes}
	for at := headBytes; at < len(file); {
		at += lengthBytes + int(file[at]) | int(file[at+1])<<8 | int(file[at+2])<<16 | int(file[at+3])<<24
		ends = append(ends, at)
	}
	return ends
}

func TestDamagedFiles(t *testing.T) {
	file, want := saved(t, secret)
	if n, err := load(t, file, want); err != nil || n != len(want) {
		t.Fatalf("the file itself: %d of %d, %v", n, len(want), err)
	}
	damaged := func(name string, file []byte, least int) {
		t.Helper()
		if n, err := load(t, file, want); !errors.Is(err, ErrDamaged) || n < least || least == 0 && n != 0 {
			t.Errorf("%s: %d loaded, %v", name, n, err)
		}
	}
	ends := frameEnds(file)
	if len(ends) < 10 {
		t.Fatalf("%d frames", len(ends))
	}
	for i, end := range ends[:len(ends)-1] {
		damaged(fmt.Sprint("cut after frame ", i), file[:end], min(i, 1))
		damaged(fmt.Sprint("cut in frame ", i+1), file[:end+20], min(i, 1))
	}
	damaged("no bytes", nil, 0)
	damaged("half a head", file[:headBytes/2], 0)
	damaged("bytes after the end", append(bytes.Clone(file), 0), 1)
	frame := func(i int) []byte { return file[ends[i-1]:ends[i]] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	damaged("two frames exchanged", join(file[:ends[2]], frame(4), frame(3), file[ends[4]:]), 1)
	damaged("a frame left out", join(file[:ends[2]], file[ends[3]:]), 1)
	damaged("a frame twice", join(file[:ends[3]], frame(3), file[ends[3]:]), 1)
	other, _ := saved(t, secret)
	damaged("another file's frame", join(file[:ends[2]], other[ends[2]:]), 1)
	unsealed, _ := saved(t, nil)
	damaged("another secret", unsealed, 0)
	for at := 0; at < len(file); at += 1 + at/3 {
		b := bytes.Clone(file)
		b[at] ^= 1
		damaged(fmt.Sprint("a bit of byte ", at), b, min(1, max(0, at-ends[1])))
	}
}

func TestLoadIntoSmallerStore(t *testing.T) {
	file, _ := saved(t, secret)
	s := New(Options{MaxValueBytes: 1000})
	defer s.Close()
	n, err := s.read(t.Context(), bytes.NewReader(file), secret, testNow, testWall)
	if err != nil || n < 100 || n > 500 {
		t.Errorf("%d loaded: %v", n, err)
	}
}

// The catalog forgets what was pushed out.
func TestCatalogIsBounded(t *testing.T) {
	s := New(Options{Savable: true})
	defer s.Close()
	g := s.Group("g")
	value := noise(1, 3000)
	for i := range 100000 { // ten times what fits
		mustSet(t, s, key(g, fmt.Sprint(i)), Entry{FreshUntil: math.MaxInt64, Value: value})
	}
	var b bytes.Buffer
	n, err := s.write(t.Context(), &b, nil, 0, 0)
	if err != nil || n < 5000 || n > 12000 {
		t.Errorf("%d entries saved of 100000: %v", n, err)
	}
	if c := s.catalog; c.first == 0 || c.number-c.first > 100 {
		t.Errorf("pages %d to %d", c.first, c.number)
	}
}

func TestShift(t *testing.T) {
	for _, c := range [][3]int64{
		{5, 3, 8},
		{5, -8, -3},
		{math.MaxInt64, -5, math.MaxInt64},
		{math.MaxInt64 - 1, 5, math.MaxInt64},
		{math.MinInt64 + 1, -5, math.MinInt64},
	} {
		if got := shift(c[0], c[1]); got != c[2] {
			t.Errorf("shift(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
