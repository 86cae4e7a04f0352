package cachestore

// Ticket is the lead in filling a key. Every ticket is ended by one of Commit,
// Pass and Abort; if its holder dies without, those that wait give up in their
// own time and after the lease another request leads. The zero Ticket, and one
// that was ended or superseded, may be ended again without effect.
type Ticket struct {
	flight *flight
	serial uint64
}

// Commit stores e, which is copied, and wakes all that wait to get it. The
// error is [ErrTooLarge] or [ErrClosed], and then those that wait pass, or
// [ErrSuperseded]; nothing is stored then. The callbacks run before it returns.
func (t Ticket) Commit(e Entry) error {
	f := t.flight
	if f == nil || !t.valid() { // not worth writing parts for
		return ErrSuperseded
	}
	p, err := f.store.prepare(Key(f.key), &e)
	if err != nil {
		t.Pass()
		return err
	}
	defer p.release()
	f.shard.Lock()
	if f.serial != t.serial {
		f.shard.Unlock()
		return ErrSuperseded
	}
	// Under the lock, so that a delete comes before it or after it, and a
	// request that finds no flight finds the entry.
	turn := Filled
	if err = p.publish(); err != nil {
		turn = Pass
	}
	all := f.land(turn)
	f.shard.Unlock()
	all.deliver()
	return err
}

// Pass ends the fill without an entry and has all that wait get the answer by
// themselves: this one is not to be shared.
func (t Ticket) Pass() {
	t.end(func(f *flight) wake { return f.land(Pass) })
}

// Abort gives up: the first of those that wait leads from now on, so that a
// leader that failed does not set all others loose.
func (t Ticket) Abort(now int64) {
	t.end(func(f *flight) wake { return f.handOver(now) })
}

func (t Ticket) end(how func(*flight) wake) {
	f := t.flight
	if f == nil {
		return
	}
	var next wake
	f.shard.Lock()
	if f.serial == t.serial {
		next = how(f)
	}
	f.shard.Unlock()
	next.deliver()
}

func (t Ticket) valid() bool {
	t.flight.shard.Lock()
	defer t.flight.shard.Unlock()
	return t.flight.serial == t.serial
}
