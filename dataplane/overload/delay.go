package overload

import (
	"sync/atomic"
	"time"
)

// Loop is an event loop that can be asked to run something.
type Loop interface{ Post(func()) bool }

// delaySamples is how many samples the delay is the least of. Work that comes in
// a burst delays some events; a loop that is overloaded delays all of them.
//
// Source: the minimum over an interval is that of CoDel, RFC 8289 section 4.
const delaySamples = 5

// probe measures how long an event waits for one loop.
type probe struct {
	loop  Loop
	sent  int64        // when the event was posted
	wait  atomic.Int64 // how long it waited; -1 while it does
	last  [delaySamples]int64
	turn  int
	onRun func()
}

func newProbe(l Loop, now func() int64) *probe {
	p := &probe{loop: l}
	p.onRun = func() { p.wait.Store(now() - p.sent) }
	return p
}

// sample notes what has become of the last event, posts another one if that has
// run, and returns the least delay of the last samples.
func (p *probe) sample(now func() int64) time.Duration {
	if p.sent != 0 {
		wait := p.wait.Load()
		if wait < 0 { // it has waited so long at least
			wait = now() - p.sent
		}
		p.last[p.turn] = wait
		p.turn = (p.turn + 1) % delaySamples
	}
	if p.sent == 0 || p.wait.Load() >= 0 {
		p.wait.Store(-1)
		p.sent = now()
		p.loop.Post(p.onRun)
	}
	least := p.last[0]
	for _, w := range p.last {
		least = min(least, w)
	}
	return time.Duration(least)
}
