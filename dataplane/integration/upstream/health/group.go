package health

import "time"

// BreakerState is that of a group's circuit breaker.
type BreakerState uint8

// States of a circuit breaker.
const (
	Closed   BreakerState = iota
	Open                  // nobody is asked
	HalfOpen              // every target is on trial
)

// Breaker is the circuit breaker of a group. Its fields are changed by Look alone.
type Breaker struct {
	State BreakerState
	Cause Cause // why it is not Closed, or was not the last time
	Until int64 // of Open
	times int   // that it opened, until that is forgotten
	since int64 // it is Closed
}

// Group is the health of targets that can stand in for one another.
type Group struct {
	Rules   *Rules
	Targets []*Target
	Breaker Breaker
	Events  Events
}

// Events count what has happened. They only grow.
type Events struct{ Ejections, Opens int64 }

// Look takes note of what has ended since the last time and decides. now is in
// nanoseconds and never goes back.
func (g *Group) Look(now int64) {
	width := int64(g.Rules.Window)
	for _, t := range g.Targets {
		t.take(now, width)
	}
	for g.room() < 0 {
		g.release(now)
	}
	switch b := &g.Breaker; b.State {
	case Closed:
		g.returnTargets(now)
		g.hold()
		g.forgive(now)
		g.ejectOutliers(now)
		if c, all := g.allFail(); all {
			g.open(now, c)
		}
	case Open:
		g.hold()
		if now >= b.Until {
			b.State = HalfOpen
			for _, t := range g.Targets {
				t.try()
			}
		}
	case HalfOpen:
		g.hold()
		g.lookHalfOpen(now)
	}
}

// room is how many more targets may be out. While the breaker is not closed only
// those count that are held for their health checks.
func (g *Group) room() int {
	room := int(g.Rules.MaxEjected * float64(len(g.Targets)))
	for _, t := range g.Targets {
		if t.Held || t.State != Up && g.Breaker.State == Closed {
			room--
		}
	}
	return room
}

// returnTargets ends ejections and trials.
func (g *Group) returnTargets(now int64) {
	for _, t := range g.Targets {
		switch {
		case t.State == Ejected && now >= t.Until:
			t.try()
		case t.State == Trial && t.trial.Failed > 0:
			g.eject(t, now, Cause{Kind: OnTrial})
		case t.State == Trial && t.trial.Answered >= Trials:
			t.settle(now)
		}
	}
}

// release brings one target back before its time: since targets have gone away,
// fewer may be out.
func (g *Group) release(now int64) {
	var first *Target // that would come back soonest
	for _, t := range g.Targets {
		switch {
		case t.Held && (t.State == Up || g.Breaker.State != Closed):
			t.Held = false
			return
		case t.State != Up && (first == nil || t.Until < first.Until):
			first = t
		}
	}
	first.Held = false
	first.settle(now)
}

// hold takes targets out whose health checks fail, as far as there is room, and
// brings back those whose checks do not fail any more.
func (g *Group) hold() {
	for _, t := range g.Targets {
		if t.Held && !t.Check.Failing {
			t.Held = false
			t.window.reset()
			t.row = 0
		}
	}
	room := g.room()
	for _, t := range g.Targets {
		takes := t.State == Up || g.Breaker.State != Closed // else it is out already
		if t.Held || !t.Check.Failing || takes && room <= 0 {
			continue
		}
		if takes {
			room--
		}
		t.Held = true
		t.Epoch++
		if t.State == Up {
			t.Cause = Cause{Kind: OnCheck}
		}
	}
}

// ejectOutliers ejects targets whose requests fail.
func (g *Group) ejectOutliers(now int64) {
	room := g.room()
	for _, t := range g.Targets {
		if room <= 0 {
			return
		}
		if t.out() {
			continue
		}
		if c := g.outlier(t); c != (Cause{}) {
			g.eject(t, now, c)
			room--
		}
	}
}

func (g *Group) eject(t *Target, now int64, c Cause) {
	g.Events.Ejections++
	t.eject(now, g.Rules, c)
}

// outlier returns why a target is to be ejected, the zero Cause if it is not.
func (g *Group) outlier(t *Target) Cause {
	r := g.Rules
	if r.Failures > 0 && t.row >= int64(r.Failures) {
		return Cause{InARow, Counts{Failed: t.row}}
	}
	own := t.window.sum()
	if r.FailureRate == 0 || own.total() < int64(r.MinRequests) || !own.reaches(r.FailureRate) {
		return Cause{}
	}
	var others Counts
	for _, o := range g.Targets {
		if o != t && !o.out() {
			others = others.add(o.window.sum())
		}
	}
	// own.Failed/own.total >= outlier * others.Failed/others.total
	if own.Failed*max(others.total(), 1) < outlier*others.Failed*own.total() {
		return Cause{}
	}
	return Cause{Rate, own}
}

// allFail reports whether every target that is asked fails so often that the
// breaker is to open.
func (g *Group) allFail() (c Cause, all bool) {
	r := &g.Rules.Breaker
	if r.FailureRate == 0 || len(g.Targets) < 2 && !r.Single {
		return c, false
	}
	var sum Counts
	for _, t := range g.Targets {
		if t.out() {
			continue
		}
		own := t.window.sum()
		if own.total() > 0 && !own.reaches(r.FailureRate) {
			return c, false
		}
		sum = sum.add(own)
	}
	return Cause{Everybody, sum}, sum.Failed > 0 && sum.total() >= int64(r.MinRequests)
}

// open opens the breaker. Ejections are void: its own time is the one that counts.
func (g *Group) open(now int64, c Cause) {
	b := &g.Breaker
	b.times++
	g.Events.Opens++
	b.State, b.Cause, b.Until = Open, c, now+backoff(g.Rules.Breaker.Open, g.Rules.Breaker.MaxOpen, b.times)
	for _, t := range g.Targets {
		t.settle(now)
		t.Epoch++
	}
}

// lookHalfOpen closes the breaker when one target has passed its trial, and opens
// it again when all have failed theirs.
func (g *Group) lookHalfOpen(now int64) {
	passed, waiting := false, false
	for _, t := range g.Targets {
		if t.Held {
			continue
		}
		passed = passed || t.trial.Failed == 0 && t.trial.Answered >= Trials
		waiting = waiting || t.trial.Failed == 0
	}
	switch {
	case passed:
		g.close(now)
	case !waiting:
		g.open(now, Cause{Kind: OnTrial})
	}
}

// close closes the breaker. Targets that failed their trial are ejected instead, as
// far as there is room.
func (g *Group) close(now int64) {
	g.Breaker.State, g.Breaker.Until, g.Breaker.since = Closed, 0, now
	var bad []*Target
	for _, t := range g.Targets {
		if t.trial.Failed > 0 {
			bad = append(bad, t)
		}
		t.settle(now)
	}
	for _, t := range bad {
		if g.room() > 0 || t.Held {
			g.eject(t, now, Cause{Kind: OnTrial})
		}
	}
}

// forgive forgets how often a target was ejected, and the breaker open, once they
// have been well for as long as they could have been out.
func (g *Group) forgive(now int64) {
	for _, t := range g.Targets {
		if t.State == Up && now-t.settled >= int64(g.Rules.MaxEjection) {
			t.times = 0
		}
	}
	if b := &g.Breaker; now-b.since >= int64(g.Rules.Breaker.MaxOpen) {
		b.times = 0
	}
}

// Quiet reports whether there is nothing to look for until a request fails, or a
// check says something new.
func (g *Group) Quiet() bool {
	if g.Breaker.State != Closed || g.Breaker.times > 0 {
		return false
	}
	for _, t := range g.Targets {
		if t.State != Up || t.times > 0 || t.window.sum().Failed > 0 {
			return false
		}
	}
	return true
}

// Wait returns for how long the breaker stays open.
func (b *Breaker) Wait(now int64) time.Duration {
	if b.State != Open {
		return 0
	}
	return time.Duration(max(b.Until-now, 0))
}
