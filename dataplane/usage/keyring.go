package usage

import "sync/atomic"

// keyring holds the API keys. Looking one up takes no lock; everything else is
// for one goroutine at a time.
type keyring struct {
	records  *slab[record]
	byHash   atomic.Pointer[index]
	byNumber *index
}

// record is one key. Its hash and number change only while no index leads to it
// and the grace time is over.
type record struct {
	hi, lo atomic.Uint64
	key    atomic.Uint64 // the id as a number, and above it the flag of the enabled
	first  atomic.Uint64 // account, see link
}

// A link leads to an account: its number plus one, and above it what the state
// says that does not change while it is counted in. It saves whoever looks for a
// plan reading an account; 0 leads to none.
type link uint64

func newLink(number, state uint32) link {
	return link(state&^(dirty|touched))<<32 | link(number+1)
}

func (l link) number() uint32 { return uint32(l) - 1 }
func (l link) state() uint32  { return uint32(l >> 32) }

const enabledFlag = 1 << 63

func newKeyring() *keyring {
	k := &keyring{records: newSlab[record](), byNumber: newIndex(minIndex)}
	k.byHash.Store(newIndex(minIndex))
	return k
}

func (r *record) hash() Hash { return Hash{Hi: r.hi.Load(), Lo: r.lo.Load()} }

// find returns the key of a hash, nil when there is none.
func (k *keyring) find(h Hash) *record {
	p := k.byHash.Load().probe(h.Lo)
	for {
		number, ok := p.next()
		if !ok {
			return nil
		}
		if r := k.records.at(number); r.hash().equal(h) {
			return r
		}
	}
}

// get returns the key of an id, nil when there is none.
func (k *keyring) get(key uint64) (r *record, number uint32) {
	p := k.byNumber.probe(mix(key))
	for {
		number, ok := p.next()
		if !ok {
			return nil, 0
		}
		if r := k.records.at(number); r.key.Load()&^enabledFlag == key {
			return r, number
		}
	}
}

func (k *keyring) put(key uint64, h Hash, on bool, now int64) {
	flagged := key
	if on {
		flagged |= enabledFlag
	}
	r, number := k.get(key)
	if r != nil {
		if old := r.hash(); old != h {
			k.byHash.Load().remove(old.Lo, number)
			r.hi.Store(h.Hi)
			r.lo.Store(h.Lo)
			k.byHash.Store(k.byHash.Load().add(h.Lo, number))
		}
		r.key.Store(flagged)
		return
	}
	number = k.records.take(now, func(*record) bool { return true })
	r = k.records.at(number)
	r.first.Store(0)
	r.hi.Store(h.Hi)
	r.lo.Store(h.Lo)
	r.key.Store(flagged)
	k.byNumber = k.byNumber.add(mix(key), number)
	k.byHash.Store(k.byHash.Load().add(h.Lo, number))
}

// remove forgets a key. Whoever has found it already still finds it disabled.
func (k *keyring) remove(r *record, number uint32, now int64) {
	key := r.key.Load() &^ enabledFlag
	r.key.Store(key)
	k.byHash.Load().remove(r.lo.Load(), number)
	k.byNumber.remove(mix(key), number)
	k.records.retire(number, now)
}
