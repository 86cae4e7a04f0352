package websocket

import (
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	ours, theirs := newIDs([32]byte{1}), newIDs([32]byte{2})
	r := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for i := range 20_000 {
		ref := Ref{instance: uint16(r.Uint32()), loop: uint8(r.Uint32()), slot: r.Uint32N(maxSlots), generation: r.Uint32N(maxGeneration)}
		switch i {
		case 0:
			ref = Ref{}
		case 1:
			ref = Ref{instance: 1<<16 - 1, loop: 255, slot: maxSlots - 1, generation: maxGeneration - 1}
		}
		id := string(ours.append(nil, ref))
		if len(id) != IDSize || !strings.HasSuffix(id, "=") || strings.ContainsAny(id, "/+") || seen[id] {
			t.Fatalf("%+v: id %q", ref, id)
		}
		seen[id] = true
		if got, ok := ours.parse([]byte(id)); !ok || got != ref {
			t.Fatalf("%q: %+v, %v; want %+v", id, got, ok, ref)
		}
		if got, ok := theirs.parse([]byte(id)); ok { // one in four million would
			t.Fatalf("%q: another key reads %+v", id, got)
		}
		forged := []byte(id)
		forged[r.IntN(14)] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.IntN(64)]
		if got, ok := ours.parse(forged); ok && string(forged) != id {
			t.Fatalf("%q, made from %q, is read as %+v", forged, id, got)
		}
	}
}

// TestIDsTellNothing: one bit of difference changes about half of an id.
func TestIDsTellNothing(t *testing.T) {
	x := newIDs([32]byte{3})
	changed, pairs := 0, 0
	for slot := range uint32(2000) {
		a, b := raw(x, Ref{slot: slot}), raw(x, Ref{slot: slot ^ 1})
		for i := range a {
			changed += bits.OnesCount8(a[i] ^ b[i])
		}
		pairs++
	}
	if mean := float64(changed) / float64(pairs); mean < 43 || mean > 45 {
		t.Errorf("%.1f of 88 bits differ", mean)
	}
}

func raw(x *ids, r Ref) []byte {
	b := make([]byte, 12)
	n, _ := urlStrict.Decode(b, x.append(nil, r))
	return b[:n]
}

func TestIDsThatAreNone(t *testing.T) {
	x := newIDs([32]byte{1})
	id := string(x.append(nil, Ref{slot: 5}))
	for _, bad := range []string{"", "=", id[:15], id + "=", id[:14] + "==", strings.Repeat("A", 16), "L0SM9cOFvHcCIhw=", " " + id[1:], id[:15] + "A",
		strings.Repeat("=", 16), "A\nBCDEFGHIJKLMN=", strings.Repeat("é", 8)} {
		if ref, ok := x.parse([]byte(bad)); ok {
			t.Errorf("%q is read as %+v", bad, ref)
		}
	}
}

func TestIDsDoNotAllocate(t *testing.T) {
	if underRace {
		t.Skip("the race detector empties pools")
	}
	x := newIDs([32]byte{1})
	buf := make([]byte, 0, IDSize)
	if n := testing.AllocsPerRun(100, func() {
		buf = x.append(buf[:0], Ref{slot: 7})
		x.parse(buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzID(f *testing.F) {
	x := newIDs([32]byte{1})
	f.Add(x.append(nil, Ref{slot: 5}))
	f.Add([]byte("L0SM9cOFvHcCIhw="))
	f.Fuzz(func(t *testing.T, b []byte) {
		if ref, ok := x.parse(b); ok && string(x.append(nil, ref)) != string(b) {
			t.Fatalf("%q and %q are both %+v", b, x.append(nil, ref), ref)
		}
	})
}

func BenchmarkParseID(b *testing.B) {
	x := newIDs([32]byte{1})
	id := x.append(nil, Ref{slot: 5})
	b.ReportAllocs()
	for b.Loop() {
		x.parse(id)
	}
}

// TestSlotIsRetired: the last id of a slot is never given out a second time.
func TestSlotIsRetired(t *testing.T) {
	sh := &shard{hub: &Hub{}}
	sh.hub.config.Instance = 7
	sh.slots = []slot{{generation: maxGeneration - 2}}
	sh.free = []uint32{0}
	seen := map[Ref]bool{}
	l := testLoop(t)
	sh.loop = l
	for range 5 {
		var c Conn
		if !sh.take(&c) || seen[c.ref] {
			t.Fatalf("%+v a second time, or none", c.ref)
		}
		seen[c.ref] = true
		sh.release(c.ref.slot)
	}
	if len(sh.slots) != 2 || len(sh.free) != 1 || sh.free[0] != 1 {
		t.Errorf("%d slots, free %v", len(sh.slots), sh.free)
	}
}
