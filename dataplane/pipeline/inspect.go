package pipeline

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// inspection is what the stage's web ACL has said of a request so far. It counts
// only if it has begun.
type inspection struct {
	begun   bool
	verdict waf.Verdict
	left    int64  // when it was left to a goroutine, 0 for not
	latency int64  // of that, nanoseconds
	failure string // why there is no verdict
}

// inspect holds a request against the web ACL of its stage, before it is known
// which method it is for. What takes a body or long is finished on a goroutine
// while the request waits off the event loop.
func (t *transaction) inspect() bool {
	acl, i := t.stage.WAF, &t.inspection
	if !i.begun {
		*i = inspection{begun: true, verdict: acl.Inspect(t.inspected(), t.x.Started)}
	}
	switch i.verdict.Outcome {
	case waf.Allowed:
		return true
	case waf.Blocked:
		t.block(&i.verdict)
	case waf.Unfinished:
		// One byte more tells a body that is as long from one that is longer.
		if most := acl.BodyBytes(); most > 0 && t.x.Request.HasBody() && !t.held.any {
			t.hold(most+1, stepInspect)
		} else {
			t.leaveInspection()
		}
	default:
		if i.failure == "" {
			i.failure = "The request could not be inspected, or not in time"
		}
		t.reject(NotInspected)
	}
	return false
}

// inspected describes the request to web ACLs. It is valid until the worker's next
// one.
func (t *transaction) inspected() *waf.Input {
	in, r := &t.worker.inspected, &t.x.Request
	in.Shard, in.Request, in.Source = t.worker.loop.ID, r, t.x.Remote()
	in.Method = nil
	if t.verb != r.Verb {
		t.worker.method = append(t.worker.method[:0], t.verb.String()...)
		in.Method = t.worker.method
	}
	in.HaveBody, in.Body, in.BodyCut = t.held.any, t.held.bytes, false
	if most := t.stage.WAF.BodyBytes(); len(in.Body) > most {
		in.Body, in.BodyCut = in.Body[:most], true
	}
	return in
}

// leaveInspection has a goroutine finish the inspection.
func (t *transaction) leaveInspection() {
	i := &t.inspection
	i.left = t.worker.loop.Now()
	wait := &inspectionWait{pause: t.newPause(stepInspect)}
	if !t.stage.WAF.Go(t.inspected(), i.verdict, wait) {
		i.failure = "Too many requests are being inspected"
		t.reject(NotInspected)
		return
	}
	wait.begin(func() {}) // it ends by itself
}

// inspectionWait is a request that waits for the rest of its inspection.
type inspectionWait struct {
	*pause
	verdict waf.Verdict
}

// Inspected implements waf.Waiter.
func (w *inspectionWait) Inspected(v waf.Verdict) {
	w.verdict = v
	w.worker.loop.Post(w.proceed)
}

func (w *inspectionWait) proceed() {
	if t := w.t; t != nil {
		t.inspection.verdict = w.verdict
		t.inspection.latency = t.worker.loop.Now() - t.inspection.left
	}
	w.resume()
}

// block answers a request that the web ACL blocks. Its source is reported if it is
// blocked for its own address.
func (t *transaction) block(v *waf.Verdict) {
	if v.OwnAddress {
		t.report(telemetry.WAFBlocked, max(0, v.Until-t.x.Started))
	}
	r := v.Response
	if r == nil {
		t.reject(WAFBlocked)
		return
	}
	t.rejectedFor(WAFBlocked, responses[WAFBlocked].message)
	b := t.startHead(r.Status)
	if r.ContentType != "" {
		b = append(b, "Content-Type: "...)
		b = append(b, r.ContentType...)
		b = append(b, "\r\n"...)
	}
	b = append(b, r.Fields...)
	t.answerWhole(b, r.Body)
}

// logInspection has the access log tell what the web ACL said.
func (t *transaction) logInspection(rec *telemetry.Record) {
	rec.WebACLARN = t.stage.WAF.ARN()
	i := &t.inspection
	if !i.begun {
		return
	}
	rec.WAFError, rec.WAFLatency = i.failure, i.latency/int64(time.Millisecond)
	switch {
	case i.failure != "":
		rec.WAFStatus = 503
	case i.verdict.Outcome == waf.Allowed:
		rec.WAFResponseCode, rec.WAFStatus = telemetry.WAFAllow, 200
	case i.verdict.Outcome == waf.Blocked:
		rec.WAFResponseCode, rec.WAFStatus = telemetry.WAFBlock, 403
	}
}
