package upstream

// maxTries is how many targets a call is sent to at most.
const maxTries = 3

// settle counts what became of the call at its target; 0 is an answer.
func (c *Call) settle(f Failure) {
	c.drop()
	p := c.pool
	switch {
	case c.epoch != p.epoch:
		bump(&p.late)
	case f == 0:
		bump(&p.answered)
	default:
		bump(&p.failed)
		p.lane.group.alarm()
	}
}

// drop lets the next call try the target, if this one did.
func (c *Call) drop() {
	if c.trial {
		c.trial = false
		c.pool.target.onTrial.Store(false)
	}
}

// verdict is what the answer's status says of the target.
func (c *Call) verdict() Failure {
	if c.lane.group.store.statuses.has(c.Response.Status) {
		return badStatus
	}
	return 0
}

// blame settles a call that failed at its target, unless that may be the client's
// doing: who sends a large body slowly, or gets a large answer.
func (c *Call) blame(f Failure) {
	switch {
	case f == TooLarge, f == Timeout && !c.complete:
		c.drop()
	default:
		c.settle(f)
	}
}

// elsewhere sends a call that failed at its target to another one, or has it fail.
func (c *Call) elsewhere(f Failure) {
	if p := c.other(f); p != nil {
		c.move(p)
		return
	}
	c.fail(f)
}

// move sends the call to another target.
func (c *Call) move(p *pool) {
	ln := c.lane
	ln.group.store.Moved[ln.loop.ID].add(1)
	bump(&c.pool.moved)
	c.conn, c.retried, c.reused = nil, false, false
	ln.send(c, p)
}

// other returns the pool of another target that a call that failed can be sent to,
// nil if there is none. What may have reached a target is sent again only if twice
// does no more than once, and within the budget.
func (c *Call) other(f Failure) *pool {
	ln := c.lane
	if r := ln.rotation; c.request == nil || c.tries >= maxTries || r == nil || r.shut || len(r.up) == 0 {
		return nil
	}
	sent := f != Refused && f != ConnectTimeout
	if sent && (!c.complete || !c.Verb.Idempotent()) {
		return nil
	}
	p := ln.pick(c)
	if p == nil || !sent {
		return p
	}
	store, id := ln.group.store, ln.loop.ID
	if !ln.group.api.budgets[id].spend(ln.loop.Coarse(), store.config.RetryBudget, len(store.loops)) {
		store.Denied[id].add(1)
		return nil
	}
	return p
}

// hasTried reports whether the call was sent to a target.
func (c *Call) hasTried(t *Target) bool {
	for _, have := range c.tried[:c.tries] {
		if have == t {
			return true
		}
	}
	return false
}
