package pipeline

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/route"
	"github.com/tidegate/tidegate/limiter"
)

// Allowances are numbers of requests by overload.Priority.
type Allowances [len(overload.PriorityNames)]int64

// shed refuses a request that the host has no room for, and reports whether it
// did. Nothing has been spent on it but finding its stage, and its method while there
// is a reason to shed at all: nobody was asked who calls, and no byte of the body was
// waited for.
func (t *transaction) shed() bool {
	w := t.worker
	word := w.pipeline.admission.Overload.Load()
	if word == 0 && !w.allowed.exceeded(overload.Low, w.serving) {
		return false // what has room for low priority has room for every other
	}
	m, p := t.likelyMethod(), t.stage.Priority
	if m != nil {
		p = m.Priority
	}
	if !w.allowed.exceeded(p, w.serving) && !w.shedder.Sheds(word, p) {
		return false
	}
	// What a stage is guaranteed comes before what others are not.
	if m != nil && m.Throttle.Reserved() && !w.allowed.exceeded(overload.High, w.serving) && t.spendGuaranteed(m) {
		return false
	}
	if c := w.pipeline.admission.Shed; c != nil {
		c.Add(w.loop.ID, int(p), 1)
	}
	if word.Rests() {
		t.x.Rest(retryAfterSeconds * time.Second)
	}
	t.method = m
	t.reject(Overloaded)
	return true
}

// likelyMethod returns the method of the request, or nil if none matches. In a
// WebSocket API it is the wish to connect, whose priority is that of the stage.
func (t *transaction) likelyMethod() *deploy.Method {
	if t.stage.Sockets != nil {
		return t.stage.Sockets.Connect
	}
	m, _ := t.stage.Methods.Lookup(t.path, route.Verb(overridden(&t.x.Request)), &t.match)
	return m
}

// exceeded reports whether so many requests in flight are more than a priority's
// next one may be among.
func (a *Allowances) exceeded(p overload.Priority, serving int64) bool {
	return a[p] > 0 && serving > a[p]
}

// spendGuaranteed takes a token of the stage's guaranteed share, if there is one.
func (t *transaction) spendGuaranteed(m *deploy.Method) bool {
	w := t.worker
	now := max(t.x.Started, w.loop.Coarse())
	charges := m.Throttle.AppendGuaranteed(w.charges[:0])
	d := limiter.SpendAll(now, w.loop.Wall(now), w.loop.ID, charges)
	return d.Allowed()
}
