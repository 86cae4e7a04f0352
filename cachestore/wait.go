package cachestore

// Waiter is woken when its turn changes.
type Waiter interface {
	// Wake brings [Filled], [Pass], or [Lead] with the ticket for it. It runs
	// on the goroutine that ended the fill, which may wake thousands: hand
	// over to the loop of your own and return. It holds no lock of the store.
	Wake(turn Turn, t Ticket)
}

// Wait is a place in the queue for a key, to be embedded in what waits: waiting
// allocates nothing. It serves again once the wait is over, that is, after
// Wake or a [Wait.GiveUp] that was in time. Only its owner calls its methods.
type Wait struct {
	Waiter Waiter

	lease      int64
	flight     *flight
	prev, next *Wait // under the shard's lock, next until the wake is delivered
	queued     bool
}

// GiveUp ends the wait, at the time its owner has set for it. The turn is
// [Lead] when the leader's lease is over and so it is for this request to take
// over, else [Pass]. It is [Waiting] when a wake is on its way or was here.
func (w *Wait) GiveUp(now int64) (Ticket, Turn) {
	f := w.flight
	if f == nil {
		return Ticket{}, Waiting
	}
	f.shard.Lock()
	defer f.shard.Unlock()
	if !w.queued {
		return Ticket{}, Waiting
	}
	f.remove(w)
	if now >= f.until {
		f.store.counts.lost.Add(1)
		return f.lead(now, w.lease), Lead
	}
	f.store.counts.passes.Add(1)
	return Ticket{}, Pass
}

func (f *flight) append(w *Wait) {
	w.flight, w.prev, w.next, w.queued = f, f.last, nil, true
	if f.last == nil {
		f.first = w
	} else {
		f.last.next = w
	}
	f.last = w
	f.waits++
}

func (f *flight) remove(w *Wait) {
	if w.prev == nil {
		f.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		f.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	f.waits--
}

// wake is what to tell whom once the lock is released.
type wake struct {
	first  *Wait
	turn   Turn
	ticket Ticket
}

func (k wake) deliver() {
	for w := k.first; w != nil; {
		next := w.next // the owner may use w again at once
		w.prev, w.next = nil, nil
		w.Waiter.Wake(k.turn, k.ticket)
		w = next
	}
}
