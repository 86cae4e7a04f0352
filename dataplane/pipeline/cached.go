package pipeline

import (
	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/cache/rfc9111"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Fields that say what the cache had to do with an answer.
const (
	fieldHit    = "X-Cache: Hit from tidegate\r\n"
	fieldMiss   = "X-Cache: Miss from tidegate\r\n"
	fieldDenied = "Warning: 199 - \"Cache-control headers were ignored because the caller was unauthorized.\"\r\n"
)

// cached answers from the stage's cache, or waits for another request that is
// getting the same answer. It is false when the backend is to be asked; the
// answer then goes into the cache if t.fill is active.
func (t *transaction) cached() bool {
	m, r := t.method.Cache, &t.x.Request
	if m.Standard {
		return t.cachedStandard()
	}
	if !m.Usable(r, t.verb) {
		return false
	}
	var ok bool
	if t.fill.key, ok = m.AppendKey(t.fill.key[:0], r, t.verb, t.path, t); !ok {
		return false
	}
	if cache.Invalidates(r) {
		switch {
		case m.OpenInvalidation || t.mayInvalidate():
			t.countCache(false)
			t.fill.begin(cachestore.Ticket{}, true)
			return false
		case m.Strategy == definition.CacheFailWith403:
			t.reject(InvalidationDenied)
			return true
		case m.Strategy != definition.CacheSucceedWithoutHeader:
			t.fill.ignored = true
		}
	}
	if t.hit() {
		return true
	}
	t.countCache(false)
	return t.takeTurn()
}

// hit answers with the entry of the key, if there is one.
func (t *transaction) hit() bool {
	w, m := t.worker, t.method.Cache
	buf, e, state := m.Stage.Store.Get(w.entry[:0], t.fill.key, w.loop.Coarse())
	if state != cachestore.Fresh {
		return false
	}
	w.entry = buf[:0]
	status, fields, ok := cache.ReadMeta(e.Meta)
	if !ok {
		return false
	}
	t.countCache(true)
	b := t.startHead(status)
	b = append(b, fields...)
	b = append(b, fieldHit...)
	if t.fill.ignored {
		b = append(b, fieldDenied...)
	}
	t.answerWhole(b, e.Value)
	return true
}

func (t *transaction) countCache(hit bool) {
	if metrics := t.stage.Metrics; metrics != nil {
		metrics.ObserveCache(t.worker.loop.ID, hit)
	}
}

// takeTurn asks who of those that miss a key gets the answer. It is true when
// the request has been answered, or waits.
func (t *transaction) takeTurn() bool {
	w := t.worker
	if t.waiter == nil {
		t.waiter = newWaiter(t)
	}
	// A leader that has not come back by the end of its time has failed.
	ticket, turn := t.method.Cache.Stage.Store.Begin(t.fill.key, w.loop.Coarse(), t.timeout(), &t.waiter.Wait)
	if turn == cachestore.Waiting {
		t.waitUntil, t.waitPlace = w.loop.Now()+t.timeout(), len(w.waiting)
		w.waiting = append(w.waiting, t)
		return true
	}
	return t.turned(ticket, turn)
}

// turned goes on with a turn.
func (t *transaction) turned(ticket cachestore.Ticket, turn cachestore.Turn) (answered bool) {
	switch turn {
	case cachestore.Lead:
		t.fill.begin(ticket, false)
	case cachestore.Filled:
		if t.std.active {
			t.std.collapse = rfc9111.Collapsed
			return t.select9111(false)
		}
		return t.hit()
	case cachestore.Pass:
		if t.std.active {
			t.std.collapse = rfc9111.CollapseFailed
		}
	}
	return false
}

// waiter is a transaction's place in the queue for a key. It stays behind when
// the client goes away while its wake is under way.
type waiter struct {
	cachestore.Wait
	t      *transaction // nil once it has gone
	worker *Worker
	turn   cachestore.Turn
	ticket cachestore.Ticket
	resume func()
}

func newWaiter(t *transaction) *waiter {
	w := &waiter{t: t, worker: t.worker}
	w.Waiter, w.resume = w, w.onWake
	return w
}

// Wake implements cachestore.Waiter, on any loop.
func (w *waiter) Wake(turn cachestore.Turn, ticket cachestore.Ticket) {
	w.turn, w.ticket = turn, ticket
	if !w.worker.loop.Post(w.resume) && turn == cachestore.Lead {
		ticket.Abort(w.worker.loop.Now())
	}
}

func (w *waiter) onWake() {
	t := w.t
	if t == nil {
		if w.turn == cachestore.Lead {
			w.ticket.Abort(w.worker.loop.Now())
		}
		return
	}
	t.stopWaiting()
	if !t.turned(w.ticket, w.turn) {
		t.proxy()
	}
}

func (t *transaction) stopWaiting() {
	w := t.worker
	last := len(w.waiting) - 1
	w.waiting[t.waitPlace] = w.waiting[last]
	w.waiting[t.waitPlace].waitPlace = t.waitPlace
	w.waiting[last] = nil
	w.waiting = w.waiting[:last]
	t.waitUntil = 0
}

// leaveQueue ends a wait without an answer.
func (t *transaction) leaveQueue() {
	t.stopWaiting()
	ticket, turn := t.waiter.GiveUp(t.worker.loop.Now())
	switch turn {
	case cachestore.Waiting:
		t.waiter.t, t.waiter = nil, nil
	case cachestore.Lead:
		ticket.Abort(t.worker.loop.Now())
	}
}

// expireWaits answers those that have waited as long as a backend may take.
func (w *Worker) expireWaits(now int64) {
	for i := 0; i < len(w.waiting); {
		t := w.waiting[i]
		if now < t.waitUntil {
			i++
			continue
		}
		t.leaveQueue() // takes it out of w.waiting
		t.reject(IntegrationTimeout)
	}
}
