package health

import "fmt"

// State is whether a target is asked.
type State uint8

// States.
const (
	Up      State = iota
	Ejected       // not until Target.Until
	Trial         // one request at a time
)

// Cause is why a target is out, or the breaker open.
type Cause struct {
	Kind   CauseKind
	Counts Counts // that it is about
}

// CauseKind is the kind of a Cause.
type CauseKind uint8

// Kinds of causes.
const (
	InARow    CauseKind = iota + 1 // Failed requests, without an answer in between
	Rate                           // Counts of the window
	OnTrial                        // a request on trial failed
	OnCheck                        // the health check
	Everybody                      // Counts of the window, of all targets that are asked
)

// String says the cause, and nothing for the zero Cause.
func (c Cause) String() string {
	switch c.Kind {
	case InARow:
		return fmt.Sprintf("%d requests in a row failed", c.Counts.Failed)
	case Rate, Everybody:
		return fmt.Sprintf("%d of %d requests failed", c.Counts.Failed, c.Counts.total())
	case OnTrial:
		return "a request on trial failed"
	case OnCheck:
		return "its health check fails"
	}
	return ""
}

// Target is what is known of one target. Its fields are changed by Group's methods
// alone.
type Target struct {
	State State
	Cause Cause // why it is not Up, or was not the last time
	Until int64 // of Ejected
	Epoch uint32

	// Held says that the target is out for its health check. One whose check fails
	// is not held while too many are out already.
	Held  bool
	Check Check

	counts  func() Counts
	last    Counts // of counts
	row     int64  // failures since the last answer
	window  window
	trial   Counts // of Trial
	times   int    // that it was ejected, until that is forgotten
	settled int64  // when it came back, or was there first
}

// NewTarget returns a target that is Up. counts returns what has ended of what was
// sent to it in its present Epoch and those before, and only grows.
func NewTarget(now int64, counts func() Counts) *Target {
	return &Target{counts: counts, last: counts(), settled: now}
}

// Asked reports whether requests go to the target, all or on trial.
func (t *Target) Asked() bool { return t.State != Ejected && !t.Held }

// out reports whether the target counts as one of those that are out.
func (t *Target) out() bool { return t.State != Up || t.Held }

// Window returns what has ended lately.
func (t *Target) Window() Counts { return t.window.sum() }

// Ejections returns how many times in succession the target was ejected.
func (t *Target) Ejections() int { return t.times }

// Restart has counting begin anew, for nobody looked for a while. Failures since
// then are the ones that somebody is to look for.
func (t *Target) Restart() {
	answered := t.counts().Answered
	if answered != t.last.Answered {
		t.row = 0
	}
	t.last.Answered = answered
}

// take takes note of what has ended since the last time.
func (t *Target) take(now, width int64) {
	c := t.counts()
	d := c.sub(t.last)
	t.last = c
	switch t.State {
	case Up:
		if t.row += d.Failed; d.Answered > 0 {
			t.row = 0
		}
		t.window.add(now, width, d)
	case Trial:
		t.trial = t.trial.add(d)
	}
}

// eject takes the target out. What was sent to it before says nothing about it
// afterwards, which its Epoch tells.
func (t *Target) eject(now int64, r *Rules, c Cause) {
	t.times++
	t.State, t.Cause, t.Until = Ejected, c, now+backoff(r.Ejection, r.MaxEjection, t.times)
	t.Epoch++
}

// try begins a trial.
func (t *Target) try() { t.State, t.trial = Trial, Counts{} }

// settle brings the target back.
func (t *Target) settle(now int64) {
	t.State, t.Until, t.row, t.settled = Up, 0, 0, now
	t.window.reset()
}

// Check is what a target's health checks have found.
type Check struct {
	Failing bool
	At      int64  // of the last one; 0: there was none
	Err     string // of the last one that failed
	row     int    // of the last ones that say the opposite of Failing
}

// Checked takes note of a health check. err is empty if it passed; so many in a
// row make a target healthy or unhealthy. Look follows.
func (t *Target) Checked(now int64, err string, healthy, unhealthy int) {
	c := &t.Check
	c.At = now
	if err != "" {
		c.Err = err
	}
	if failed := err != ""; failed == c.Failing {
		c.row = 0
		return
	}
	need := unhealthy
	if c.Failing {
		need = healthy
	}
	if c.row++; c.row >= need {
		c.Failing, c.row = !c.Failing, 0
	}
}
