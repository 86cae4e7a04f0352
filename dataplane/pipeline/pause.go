package pipeline

// pause is a request's wait for something that is found out elsewhere, such as
// whether a caller may call. It stays behind when the client goes away meanwhile,
// since its transaction serves other requests then.
type pause struct {
	t      *transaction // nil once it has gone
	worker *Worker
	resume func() // on the loop
	leave  func() // ends the wait early
}

// newPause makes the pause of a transaction that proceeds from a step afterwards.
func (t *transaction) newPause(then step) *pause {
	p := &pause{t: t, worker: t.worker}
	p.resume = func() {
		if t := p.t; t != nil {
			t.paused = nil
			t.proceed(then)
		}
	}
	return p
}

// wake has the transaction proceed. Any goroutine may call it.
func (p *pause) wake() { p.worker.loop.Post(p.resume) }

// begin says that the transaction waits, and what ends the wait.
func (p *pause) begin(leave func()) {
	p.leave = leave
	p.t.paused = p
}

// endPause lets go of what the request waits for.
func (t *transaction) endPause() {
	if p := t.paused; p != nil {
		t.paused, p.t = nil, nil
		p.leave()
	}
}
