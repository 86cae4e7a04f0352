package pipeline

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/limiter"
)

// Allowances are numbers of requests by overload.Priority.
type Allowances [len(overload.PriorityNames)]int64

// shed refuses a request that the host has no room for, and reports whether it
// did. Nothing has been spent on it but finding its method: nobody was asked who
// calls, and no byte of the body was waited for.
func (t *transaction) shed() bool {
	w, p := t.worker, t.method.Priority
	full := w.allowed.exceeded(p, w.serving)
	word := w.pipeline.admission.Overload.Load()
	if !full && (word == 0 || !w.shedder.Sheds(word, p)) {
		return false
	}
	// What a stage is guaranteed comes before what others are not.
	if t.method.Throttle.Reserved() && !w.allowed.exceeded(overload.High, w.serving) && t.spendGuaranteed() {
		return false
	}
	if c := w.pipeline.admission.Shed; c != nil {
		c.Add(w.loop.ID, int(p), 1)
	}
	if word.Rests() {
		t.x.Rest(retryAfterSeconds * time.Second)
	}
	t.reject(Overloaded)
	return true
}

// exceeded reports whether so many requests in flight are more than a priority's
// next one may be among.
func (a *Allowances) exceeded(p overload.Priority, serving int64) bool {
	return a[p] > 0 && serving > a[p]
}

// spendGuaranteed takes a token of the stage's guaranteed share, if there is one.
func (t *transaction) spendGuaranteed() bool {
	w := t.worker
	now := max(t.x.Started, w.loop.Coarse())
	charges := t.method.Throttle.AppendGuaranteed(w.charges[:0])
	d := limiter.SpendAll(now, w.loop.Wall(now), w.loop.ID, charges)
	return d.Allowed()
}
