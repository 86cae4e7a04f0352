package websocket

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// HubConfig is what the connections of a gateway share.
type HubConfig struct {
	// Key makes ids unforgeable. Whoever is to understand the ids of others, or
	// of earlier runs, has the same one.
	Key [32]byte
	// Instance tells this process from the others with its key, earlier runs
	// too: an id of theirs is well formed, and names nothing here.
	Instance uint16
	// Connections bounds the connections of one loop.
	Connections int
	// Buffer bounds the bytes held for all connections of one loop: parts of
	// messages that have not come whole, and what peers have not taken. Beyond
	// it connections that need more are closed with 1013.
	Buffer int64
	// Admit is asked for each new connection, on its loop, if not nil: it limits
	// their rate.
	Admit func(now int64) bool
}

// Hub holds the WebSocket connections of a gateway. It outlives deployments.
type Hub struct {
	config   HubConfig
	ids      *ids
	mark     [8]byte // the payload of our pings
	shards   []*shard
	draining atomic.Bool
	refusing atomic.Bool
}

// NewHub returns an empty Hub for the loops, whose IDs count from 0. It must not
// be called on one of them.
func NewHub(loops []*loop.Loop, config HubConfig) (*Hub, error) {
	const maxLoops = 1 << 8
	switch {
	case len(loops) > maxLoops:
		return nil, fmt.Errorf("%d event loops: connection ids have room for %d", len(loops), maxLoops)
	case config.Connections < 1 || config.Connections > maxSlots:
		return nil, fmt.Errorf("%d connections per event loop: want 1 to %d", config.Connections, maxSlots)
	case config.Buffer < 1<<20:
		return nil, fmt.Errorf("%d bytes for the connections of a loop: want at least a mebibyte", config.Buffer)
	}
	h := &Hub{config: config, ids: newIDs(config.Key)}
	_, _ = rand.Read(h.mark[:]) // does not fail
	for _, l := range loops {
		h.shards = append(h.shards, newShard(h, l))
	}
	for _, sh := range h.shards {
		sh.loop.OnTick(sh.tick)
	}
	return h, nil
}

// Admission is the answer to a wish for a connection.
type Admission uint8

// Admissions.
const (
	Admitted Admission = iota
	TooFast            // HubConfig.Admit says no
	TooMany            // connections are open
	Draining
)

// Reserve gives c an id on loop l, which must be the one it is called on. Accept,
// Pass or Abandon follows; until Accept or Pass the id names nothing.
func (h *Hub) Reserve(l *loop.Loop, c *Conn) Admission {
	sh := h.shards[l.ID]
	answer := Admitted
	switch {
	case h.refusing.Load():
		answer = Draining
	case sh.taken >= h.config.Connections:
		answer = TooMany
	case h.config.Admit != nil && !h.config.Admit(l.Now()):
		answer = TooFast
	case !sh.take(c):
		answer = TooMany
	}
	if answer != Admitted {
		sh.stats.Refused++
	}
	return answer
}

// Parse reads an id. It is false for every text that no process with this key
// gave out; nothing is looked up. Any goroutine may call it.
func (h *Hub) Parse(id []byte) (Ref, bool) { return h.ids.parse(id) }

// Each calls do with every open connection, on its loop, a part of a loop at a
// time. It must not be called on a loop.
func (h *Hub) Each(do func(*Conn)) {
	h.Walk(Place{}, func(c *Conn) bool {
		do(c)
		return true
	})
}

// Place is where a walk through the connections goes on; the zero Place is before
// the first.
type Place struct{ Loop, Slot int }

// Walk is Each from a place on, as long as do is true. more says whether there
// may be others at next and behind it.
func (h *Hub) Walk(from Place, do func(*Conn) bool) (next Place, more bool) {
	next = from
	for going := true; going && next.Loop < len(h.shards); {
		sh := h.shards[next.Loop]
		sh.loop.Do(func() {
			sh.enter()
			defer sh.leave()
			for n := 0; going && n < walkBatch && next.Slot < len(sh.slots); n++ {
				if c := sh.slots[next.Slot].conn; c != nil && c.phase != phaseReserved {
					going = do(c)
				}
				next.Slot++
			}
			if next.Slot >= len(sh.slots) {
				next = Place{Loop: next.Loop + 1}
			}
		})
	}
	return next, next.Loop < len(h.shards)
}

// walkBatch is how many places a walk looks at between other events.
const walkBatch = 1024

// Drain refuses new connections from now on and closes those there are with
// 1001, spread evenly over the window. Any goroutine may call it, and again to
// change the window.
func (h *Hub) Drain(window time.Duration) {
	h.refusing.Store(true)
	h.Retire(window)
}

// Retire is Drain without refusing: who comes late, because his handshake was on its
// way, is told to go away like the others, and comes to another process next.
func (h *Hub) Retire(window time.Duration) {
	h.draining.Store(true)
	for _, sh := range h.shards {
		sh.loop.Post(func() { sh.drain.begin(sh.loop.Now(), window, int(sh.stats.Open)) })
	}
}

// CloseAll cuts every connection, to clients and to backends. It must not be
// called on a loop.
func (h *Hub) CloseAll() {
	for _, sh := range h.shards {
		sh.loop.Do(sh.cut)
	}
}
