package cachestore

import (
	"errors"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// ErrSuperseded is returned to a leader that lost its lead: its lease was over
// and another one took it, the key was deleted, or the ticket is used up.
var ErrSuperseded = errors.New("cachestore: another request fills this key now")

// A flight is the filling of one missing key. It exists while it has a leader:
//
//	          Begin                    Commit, Pass; Abort, nobody waits
//	(none) ──────────▶ led by serial n ─────────────────────────────────▶ (none)
//	                      │       ▲
//	                      └───────┘ n+1: Abort or Delete, the first that waits
//	                                     leads; Begin or GiveUp after the lease
//
// All of it is under the lock of its shard.
type flight struct {
	store  *Store
	shard  *flightShard
	key    string
	serial uint64 // of the leader: 0 is nobody
	until  int64  // of the leader's lease
	first  *Wait
	last   *Wait
	waits  int
}

const flightShards = 64

type flightShard struct {
	sync.Mutex
	flights map[string]*flight
	scratch []byte
}

// maxScratch is what a shard keeps of the buffer it looks entries up with.
const maxScratch = 4 << 10

func (s *Store) flightShard(key []byte) *flightShard {
	return &s.flights[xxhash.Sum64(key)>>32%flightShards]
}

// Turn tells a request that missed what to do.
type Turn uint8

// The turns of a request.
const (
	// Pass: get the answer by yourself and do not store it. Too many wait, or
	// what the leader got is not to be shared.
	Pass Turn = iota
	// Lead: get the answer and end the [Ticket] that comes with this turn.
	Lead
	// Waiting: [Waiter.Wake] will bring another turn.
	Waiting
	// Filled: get again, and if that misses, as it may, take it for Pass.
	Filled
)

// Begin asks for a turn to fill key, after a get that missed. lease is for how
// many nanoseconds after now this request may lead before another one may take
// over. If another one leads already, the turn is [Waiting] and w waits; with a
// nil w it is [Pass], which suits a refresh in the background. One of any
// number of requests leads: a [Fresh] entry that was stored since the get means
// [Filled].
func (s *Store) Begin(key Key, now, lease int64, w *Wait) (Ticket, Turn) {
	sh := s.flightShard(key)
	sh.Lock()
	defer sh.Unlock()
	f := sh.flights[string(key)]
	switch {
	case f == nil:
		if s.filled(sh, key, now) {
			return Ticket{}, Filled
		}
		return s.launch(sh, key).lead(now, lease), Lead
	case now >= f.until:
		s.counts.lost.Add(1)
		return f.lead(now, lease), Lead
	case w == nil:
		return Ticket{}, Pass
	case f.waits >= s.options.MaxWaiters:
		s.counts.passes.Add(1)
		return Ticket{}, Pass
	}
	w.lease = lease
	f.append(w)
	s.counts.waits.Add(1)
	return Ticket{}, Waiting
}

// filled reports whether key has a fresh and complete entry.
func (s *Store) filled(sh *flightShard, key Key, now int64) bool {
	c := s.cache.Load()
	if c == nil {
		return false
	}
	b, ok := s.look(c, sh.scratch[:0], key)
	if !ok {
		return false
	}
	e, parted, ok := parse(b)
	ok = ok && e.state(now) == Fresh
	if ok && parted {
		b, ok = s.appendParts(c, b, 0, &e)
	}
	if cap(b) <= maxScratch {
		sh.scratch = b
	}
	return ok
}

func (s *Store) launch(sh *flightShard, key Key) *flight {
	f := &flight{store: s, shard: sh, key: string(key)}
	if sh.flights == nil {
		sh.flights = map[string]*flight{}
	}
	sh.flights[f.key] = f
	return f
}

// lead gives the flight a new leader and so voids the ticket of the old one.
func (f *flight) lead(now, lease int64) Ticket {
	f.serial++
	f.until = now + lease
	return Ticket{flight: f, serial: f.serial}
}

// handOver lets the first that waits lead, or ends the flight if none does.
func (f *flight) handOver(now int64) wake {
	w := f.first
	if w == nil {
		return f.land(Pass)
	}
	f.remove(w)
	return wake{first: w, turn: Lead, ticket: f.lead(now, w.lease)}
}

// land ends the flight; turn is for all that wait.
func (f *flight) land(turn Turn) wake {
	delete(f.shard.flights, f.key)
	f.serial++ // of nobody: the leader's ticket is void
	if turn == Pass {
		f.store.counts.passes.Add(uint64(f.waits))
	}
	all := wake{first: f.first, turn: turn}
	for w := f.first; w != nil; w = w.next {
		w.queued = false
	}
	f.first, f.last, f.waits = nil, nil, 0
	return all
}
