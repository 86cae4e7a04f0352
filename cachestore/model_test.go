package cachestore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// model is the store without bound: what it does not have, a store must not
// have either.
type model struct {
	now     int64
	entries [groups]map[string]Entry
}

const groups = 3

func (m *model) get(g int, name string) (Entry, State) {
	e := m.entries[g][name]
	return e, e.state(m.now)
}

// Random operations on a store and a model of it. A roomy store must agree with
// the model in everything; a crowded one may only miss more.
func TestStoreAgainstModel(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
		keys    int
		hits    float64 // least share of the model's
	}{
		{"roomy", Options{MaxBytes: 1 << 30}, 300, 1},
		{"savable", Options{MaxBytes: 1 << 30, Savable: true}, 300, 1},
		{"crowded", Options{MaxBytes: minBytes}, 1000, 0.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(c.options)
			defer s.Close()
			hits, all := run(t, s, c.keys, 20000)
			t.Logf("%d of %d hits", hits, all)
			if all < 500 || float64(hits) < c.hits*float64(all) {
				t.Errorf("%d of %d hits", hits, all)
			}
		})
	}
}

func run(t *testing.T, s *Store, keys, operations int) (hits, all int) {
	r := rand.New(rand.NewPCG(1, uint64(keys)))
	m := &model{}
	var in [groups]*Group
	for i := range in {
		in[i] = s.Group(fmt.Sprint(i))
		m.entries[i] = map[string]Entry{}
	}
	var buf []byte
	for i := range operations {
		m.now += r.Int64N(10)
		g, name := r.IntN(groups), fmt.Sprint("key", r.IntN(keys))
		k := append(in[g].Key(nil), name...)
		switch op := r.IntN(1000); {
		case op < 300:
			e := Entry{m.now + r.Int64N(10000) - 10, m.now + r.Int64N(20000), noise(uint64(i), r.IntN(50)), noise(uint64(i), size(r))}
			mustSet(t, s, k, e)
			e.KeepUntil = max(e.KeepUntil, e.FreshUntil)
			m.entries[g][name] = e
		case op < 305:
			s.Delete(k, m.now)
			delete(m.entries[g], name)
		case op < 306 && r.IntN(4) == 0:
			in[g].Flush()
			clear(m.entries[g])
		case op == 306 && r.IntN(10) == 0:
			s.Flush()
			for i := range m.entries {
				clear(m.entries[i])
			}
		default:
			var got Entry
			var state State
			buf, got, state = s.Get(buf[:0], k, m.now)
			want, wanted := m.get(g, name)
			if wanted != Miss {
				all++
			}
			if state == Miss {
				continue
			}
			hits++
			if state != wanted || got.FreshUntil != want.FreshUntil || got.KeepUntil != want.KeepUntil ||
				!bytes.Equal(got.Meta, want.Meta) || !bytes.Equal(got.Value, want.Value) {
				t.Fatalf("operation %d: %s is %d with %d bytes, want %d with %d", i, k[keyPrefix:], state, len(got.Value), wanted, len(want.Value))
			}
		}
	}
	return hits, all
}

func size(r *rand.Rand) int {
	switch r.IntN(20) {
	case 0:
		return r.IntN(1 << 20)
	case 1, 2, 3:
		return r.IntN(100 << 10)
	}
	return r.IntN(2000)
}
