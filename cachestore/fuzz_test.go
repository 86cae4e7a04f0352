package cachestore

import (
	"bytes"
	"errors"
	"testing"
)

// Whatever a record's bytes are, it is parsed within its bounds, and if the
// parse succeeds, writing what it found gives the same bytes.
func FuzzRecord(f *testing.F) {
	e := Entry{5, 10, []byte("meta"), []byte("value")}
	f.Add(appendRecord(nil, &e, 7))
	f.Add(appendPartsRecord(nil, &e, 7, partsAt{1, 2, 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, parted, ok := parse(b)
		if !ok || e.KeepUntil < e.FreshUntil {
			return
		}
		again := appendRecord(nil, &e, listingOf(b))
		if parted {
			again = appendPartsRecord(nil, &e, listingOf(b), parseParts(b))
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// Whatever a saved file is, loading it ends, and no entry of it is believed that
// the seal does not vouch for.
func FuzzSavedFile(f *testing.F) {
	s := New(Options{Savable: true})
	g := s.Group("g")
	want := map[[2]string]Entry{}
	for _, name := range []string{"a", "b"} {
		e := Entry{testNow + 5, testNow + 10, []byte("meta"), []byte("value " + name)}
		_ = s.Set(key(g, name), e)
		want[[2]string{"g", name}] = e
	}
	var file bytes.Buffer
	if _, err := s.write(f.Context(), &file, secret, testNow, testWall); err != nil {
		f.Fatal(err)
	}
	s.Close()
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:headBytes])
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := load(t, b, want)
		if err != nil && !errors.Is(err, ErrDamaged) || err == nil && n != len(want) {
			t.Errorf("%d loaded, %v", n, err)
		}
	})
}

// A frame that was opened is taken apart without harm, whatever it holds: the
// one who can seal need not be of this version.
func FuzzFrame(f *testing.F) {
	s := New(Options{})
	plain := appendGroup(nil, s.Group("g"))
	plain = appendEntry(plain, &savedEntry{0, []byte("key"), Entry{5, 10, []byte("meta"), []byte("value")}})
	f.Add(append(plain, endRecord))
	f.Add([]byte("neither group nor entry"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(Options{})
		defer s.Close()
		l := loading{store: s, now: 0, keys: map[uint64]Key{}}
		if err := l.frame(b); err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	})
}
