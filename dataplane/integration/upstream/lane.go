package upstream

import (
	"github.com/tidegate/tidegate/dataplane/loop"
)

// lane is a group on one loop, and is touched there alone.
type lane struct {
	group *Group
	loop  *loop.Loop
	only  *pool // of the one target that all requests go to; nil while there is a choice to make

	rotation *rotation // nil until there are targets
	waiting  queue
	maxOpen  int // connections to each target
	turn     uint32
	lookups  int
	listed   bool // among the loop's busyLanes
	retired  bool
	_        [64]byte // others' lanes are on other cores
}

// apply takes over what the judge decided.
func (ln *lane) apply(r *rotation) {
	old := ln.rotation
	ln.rotation, ln.only = r, nil
	for i, t := range r.all {
		p := ln.poolOf(t)
		p.epoch = r.epochs[i]
		p.retired = p.retired || ln.retired
	}
	if len(r.up) == 1 && len(r.trial) == 0 {
		ln.only = ln.poolOf(r.up[0])
	}
	if old != nil {
		for _, t := range old.all {
			if p := ln.poolOf(t); !r.has(t) {
				p.retire()
			}
		}
	}
	if r.shut {
		for c := ln.waiting.head; c != nil; c = ln.waiting.head {
			ln.forget(c)
			ln.refuse(c)
		}
	}
	ln.serveWaiting()
}

func (r *rotation) has(t *Target) bool {
	for _, have := range r.all {
		if have == t {
			return true
		}
	}
	return false
}

func (ln *lane) poolOf(t *Target) *pool { return &t.pools[ln.loop.ID] }

// start gives the call a connection, or has it wait for one.
func (ln *lane) start(c *Call) {
	ln.group.use()
	p := ln.only
	if p == nil {
		if p = ln.choose(c); p == nil {
			return
		}
	}
	ln.send(c, p)
}

// send has the call use a target.
func (ln *lane) send(c *Call, p *pool) {
	c.pool, c.epoch = p, p.epoch
	c.tried[c.tries] = p.target
	c.tries++
	if !p.serve(c) {
		c.tries--
		c.drop()
		ln.wait(c)
	}
}

// choose returns the pool of the target that the call is to use. It is nil when the
// call waits, or has failed.
func (ln *lane) choose(c *Call) *pool {
	r := ln.rotation
	switch {
	case r == nil:
		if ln.wait(c) {
			ln.group.resolve()
		}
		return nil
	case r.shut:
		ln.refuse(c)
		return nil
	}
	if p := ln.tryOut(c); p != nil {
		return p
	}
	if p := ln.pick(c); p != nil {
		return p
	}
	if len(r.up) == 0 { // everybody is on trial, and busy with it
		ln.refuse(c)
		return nil
	}
	ln.wait(c)
	return nil
}

// tryOut returns the pool of a target on trial that nobody tries at present.
func (ln *lane) tryOut(c *Call) *pool {
	for _, t := range ln.rotation.trial {
		if p := ln.poolOf(t); p.room() && !t.onTrial.Load() && t.onTrial.CompareAndSwap(false, true) {
			c.trial = true
			return p
		}
	}
	return nil
}

// refuse has a call fail while the circuit breaker is not closed.
func (ln *lane) refuse(c *Call) {
	c.RetryAfter = max(ln.rotation.until-ln.loop.Now(), 0)
	c.fail(Open)
}

// pick returns the pool of a target that the call has not tried and that has a
// connection to give: of two, one in turn and one by chance, that with fewer
// requests under way. So a target that is slow, or hangs, gets fewer. It is nil if
// there is none.
//
// Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 2001.
func (ln *lane) pick(c *Call) *pool {
	up := ln.rotation.up
	if len(up) == 0 {
		return nil
	}
	ln.turn++
	first := ln.next(c, ln.turn, nil)
	if first == nil || len(up) == 1 {
		return first
	}
	chance := ln.turn * 2654435761 >> 16 // Knuth's multiplicative hash
	if second := ln.next(c, chance, first); second != nil && second.busy() < first.busy() {
		return second
	}
	return first
}

// next returns the first pool from a place on that the call can use, and is not
// the one given.
func (ln *lane) next(c *Call, from uint32, not *pool) *pool {
	up := ln.rotation.up
	n := uint32(len(up))
	for i := range n {
		t := up[(from+i)%n]
		if p := ln.poolOf(t); p != not && p.room() && !c.hasTried(t) {
			return p
		}
	}
	return nil
}

// wait puts the call into the queue; it is false when that is full.
func (ln *lane) wait(c *Call) bool {
	if !ln.group.api.Waiting.take(ln.loop.ID, 1) {
		c.fail(Busy)
		return false
	}
	ln.group.store.lanes[ln.loop.ID].add(ln)
	c.waits = true
	ln.waiting.push(c)
	return true
}

// forget takes a call out of the queue.
func (ln *lane) forget(c *Call) {
	ln.waiting.remove(c)
	c.waits = false
	ln.group.api.Waiting.give(ln.loop.ID, 1)
}

// serveWaiting gives free places to waiting calls.
func (ln *lane) serveWaiting() {
	for c := ln.waiting.head; c != nil && ln.rotation != nil; c = ln.waiting.head {
		p := ln.pick(c)
		if p == nil {
			return
		}
		ln.forget(c)
		ln.send(c, p)
	}
}

func (ln *lane) failWaiting(f Failure) {
	for c := ln.waiting.head; c != nil; c = ln.waiting.head {
		ln.forget(c)
		c.fail(f)
	}
}

// resolved ends the wait for addresses.
func (ln *lane) resolved() {
	if ln.rotation == nil {
		ln.failWaiting(Unresolved)
	}
}

// retire closes idle connections, and every other one when its call is over.
// Calls that wait still get their turn: a deployment fails no request.
func (ln *lane) retire() {
	ln.retired = true
	if ln.rotation != nil {
		for _, t := range ln.rotation.all {
			ln.poolOf(t).retire()
		}
	}
}

// shut fails the calls that wait, and retires the lane.
func (ln *lane) shut() {
	ln.failWaiting(ShuttingDown)
	ln.retire()
}
