package gate

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// A slot tells of every length that was added, the longest first.
func TestSlot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var s slot
		added := map[int]bool{}
		for range r.IntN(14) {
			bits := r.IntN(129)
			s, added[bits] = s.with(bits), true
		}
		told, last := map[int]bool{}, 1000
		for at := 0; at < 64 && s>>at&0xff != 0; at += 8 {
			length := int(s >> at & 0xff)
			if length == shorter {
				for bits := range last {
					told[bits] = true
				}
				continue
			}
			if length-1 >= last {
				t.Fatalf("%x is out of order", uint64(s))
			}
			last = length - 1
			told[last] = true
		}
		for bits := range added {
			if !told[bits] {
				t.Fatalf("%x lacks %d of %v", uint64(s), bits, added)
			}
		}
		if len(added) <= 8 && len(told) != len(added) {
			t.Fatalf("%x tells of more than %v", uint64(s), added)
		}
	}
}

// inOneBucket are addresses whose sentences have their marks in one bucket.
func inOneBucket(n int) []netip.Addr {
	all := map[uint32][]netip.Addr{}
	for i := uint32(0); ; i++ {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 9<<24|i)
		a := netip.AddrFrom4(b)
		k, err := sentenceKey(a)
		if err != nil {
			panic(err)
		}
		bucket := sentenceMark(k).bucket()
		if all[bucket] = append(all[bucket], a); len(all[bucket]) == n {
			return all[bucket]
		}
	}
}

// A bucket that is too small for its marks has the maps asked, until it is not.
func TestCrowdedBucket(t *testing.T) {
	g := newGate(t, Options{})
	all := inOneBucket(marksPerBucket + 3)
	condemned := slices.Clone(all[:marksPerBucket+2])
	innocent := all[marksPerBucket+2]
	key, err := sentenceKey(innocent)
	if err != nil {
		t.Fatal(err)
	}
	crowded := func() bool {
		b, err := g.marks.sentences.readOne(sentenceMark(key).bucket())
		if err != nil {
			t.Fatal(err)
		}
		return b.crowded()
	}
	check := func(when string) {
		t.Helper()
		for _, a := range all {
			want := Passed
			if slices.Contains(condemned, a) {
				want = Dropped
			}
			if got := g.verdict(t, a.String()); got != want {
				t.Errorf("%s: %s meets with %d, want %d", when, a, got, want)
			}
		}
	}
	for i, a := range condemned {
		if err := g.Condemn(a, Rule{For: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if full := i >= marksPerBucket; crowded() != full {
			t.Errorf("%d sentences crowd the bucket: %v", i+1, !full)
		}
	}
	check("crowded")
	for _, again := range []int{0, marksPerBucket + 1} { // with a mark and without
		if err := g.Condemn(condemned[again], Rule{For: 2 * time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	check("condemned again")
	for _, released := range []int{marksPerBucket, 1} {
		if _, err := g.Release(condemned[released]); err != nil {
			t.Fatal(err)
		}
		condemned = slices.Delete(condemned, released, released+1)
		check("one released")
	}
	at, err := now()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.sweep(at); err != nil {
		t.Fatal(err)
	}
	check("swept")
	if crowded() {
		t.Error("a bucket with room for all is crowded")
	}
}

// What another process left behind is put right.
func TestRebuildMarks(t *testing.T) {
	g := newGate(t, Options{})
	m := &g.marks.sentences
	all := inOneBucket(marksPerBucket + 2)
	var wants []wanted
	for i, a := range all {
		k, err := sentenceKey(a)
		if err != nil {
			t.Fatal(err)
		}
		w := wanted{sentenceMark(k), uint64(i+1) << markUntil}
		if err := m.put(w.mark, 99<<markUntil); err != nil {
			t.Fatal(err)
		}
		wants = append(wants, w)
	}
	index := wants[0].bucket()
	for _, n := range []int{len(wants), 2, 0, 3} {
		if err := m.rebuild(wants[len(wants)-n:]); err != nil {
			t.Fatal(err)
		}
		b, err := m.readOne(index)
		if err != nil {
			t.Fatal(err)
		}
		marked := 0
		for _, w := range wants {
			i, found := b.find(w.mark)
			if !found {
				continue
			}
			marked++
			if !slices.Contains(wants[len(wants)-n:], w) || b[2*i+1]>>markUntil != w.word>>markUntil {
				t.Errorf("of %d, one is marked that should not be, or with %x", n, b[2*i+1])
			}
		}
		if marked != min(n, marksPerBucket) || b.crowded() != (n > marksPerBucket) {
			t.Errorf("of %d, %d are marked, crowded %v", n, marked, b.crowded())
		}
	}
}

// Too many prefixes for their marks are all in force, and so are lists that shrink.
func TestCrowdOfPrefixes(t *testing.T) {
	g := newGate(t, Options{})
	list := randomPrefixes(400_000, 11) // of 262,144 marks
	if testing.Short() || underRace {
		list = list[:20_000]
	}
	for _, n := range []int{len(list), len(list) / 2, len(list) / 4} {
		if err := g.ReplaceSet("waf", list[:n], Rule{}); err != nil {
			t.Fatal(err)
		}
		for i, p := range list[:n] {
			if i%97 == 0 && g.verdict(t, p.Addr().String()) != Dropped {
				t.Fatalf("%s passes as one of %d", p, n)
			}
		}
		for _, a := range []string{"1.1.1.1", "64.0.0.1", "3000::1"} {
			if g.verdict(t, a) != Passed {
				t.Errorf("%s is dropped", a)
			}
		}
	}
}
