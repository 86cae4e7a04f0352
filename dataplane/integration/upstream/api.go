package upstream

// API is what the requests of one API share, whichever groups they go to: how much
// of the host they may use, so that a backend that hangs hurts its own API alone.
type API struct {
	ID       string
	InFlight *Cap // requests, with those that wait
	Waiting  *Cap // requests that wait for a connection or an address
	Buffered *Cap // bytes of requests

	budgets []budget // by loop
}

func newAPI(s *Store, id string) *API {
	n, c := len(s.loops), &s.config
	return &API{
		ID: id, InFlight: newCap(n, int64(c.MaxInFlight)), Waiting: newCap(n, int64(c.MaxWaiting)), Buffered: newCap(n, int64(c.MaxBuffered)),
		budgets: make([]budget, n),
	}
}

// admit counts a call in. It is false when too much is under way.
func (a *API) admit(c *Call, loop int) bool {
	size := int64(len(c.request))
	if !a.InFlight.take(loop, 1) {
		return false
	}
	if !a.Buffered.take(loop, size) {
		a.InFlight.give(loop, 1)
		return false
	}
	if c.Cap != nil && !c.Cap.take(loop, 1) {
		a.InFlight.give(loop, 1)
		a.Buffered.give(loop, size)
		return false
	}
	c.admitted, c.buffered = true, size
	return true
}

// leave counts a call out.
func (a *API) leave(c *Call, loop int) {
	if !c.admitted {
		return
	}
	c.admitted = false
	a.InFlight.give(loop, 1)
	a.Buffered.give(loop, c.buffered)
	if c.Cap != nil {
		c.Cap.give(loop, 1)
	}
}
