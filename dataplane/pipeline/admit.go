package pipeline

import (
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/limiter"
)

// Admission is what decides whether a request may pass, and what it tells. The
// fields that count may be nil.
type Admission struct {
	Throttle   *throttle.Store
	Usage      *usage.Store
	Throttled  *telemetry.Counters // by telemetry.ThrottleLimits
	Guaranteed *telemetry.Counter
	Offenders  *telemetry.Offenders
	Suspects   *telemetry.Suspects

	Overload *overload.State     // nil: the host never has too much to do
	Shed     *telemetry.Counters // by overload.Priority

	IAM         *sigv4.Verifier     // of requests signed with an access key
	TokenChecks *telemetry.Counters // by jwt.Result.Index
}

// client is whom a request is charged to besides the account, the stage and the
// method.
type client struct {
	usage.Client
	known bool
	now   int64 // when it was charged
	wall  int64
}

// admit takes a token of every limit that the request is under, or of none: then
// it has answered the request and returns false.
func (t *transaction) admit() bool {
	w, m := t.worker, t.method
	if m.KeyRequired && !t.findClient() {
		t.report(telemetry.InvalidKey, 0)
		t.reject(InvalidAPIKey)
		return false
	}
	a := &w.pipeline.admission
	// A time that is a little old is stricter, never laxer.
	now := max(t.x.Started, w.loop.Coarse())
	wall := w.loop.Wall(now)
	charges := m.Throttle.AppendCharges(w.charges[:0], a.Throttle.Account())
	common := len(charges)
	if t.client.known {
		t.client.now, t.client.wall = now, wall
		charges = t.client.AppendCharges(charges, m.Overrides, now, wall)
	}
	w.charges = charges[:0]
	d, reserved := a.Throttle.Spend(now, wall, w.loop.ID, &m.Throttle, charges)
	if !d.Allowed() {
		t.deny(&d, common, len(charges))
		return false
	}
	if a.Suspects != nil {
		a.Suspects.Served(t.x.Remote().Addr(), wall)
	}
	if t.client.known {
		a.Usage.Count(w.loop.ID, &t.client.Client, wall)
		t.observePlan(telemetry.PlanAllowed)
	}
	if reserved && a.Guaranteed != nil {
		a.Guaranteed.Add(w.loop.ID, 1)
	}
	return true
}

// findClient finds whose API key the request has.
func (t *transaction) findClient() bool {
	if t.stage.Plans == nil {
		return false
	}
	key := t.usageIdentifier
	if t.stage.KeyFromHeader {
		key = t.x.Request.Get(http1.XAPIKey)
	}
	if len(key) == 0 {
		return false
	}
	t.client.Client, t.client.known = t.worker.pipeline.admission.Usage.Find(key, t.stage.Plans)
	return t.client.known
}

// deny answers a request that one of its charges denies. Those before common
// are not the client's own.
func (t *transaction) deny(d *limiter.Decision, common, charged int) {
	reason, offence, outcome := Throttled, telemetry.Throttled, telemetry.PlanThrottled
	var limit telemetry.ThrottleLimit
	switch {
	case d.Denied >= common:
		switch {
		case t.client.Quota() && d.Denied == charged-1:
			limit = telemetry.LimitQuota
			reason, offence, outcome = QuotaExceeded, telemetry.QuotaExceeded, telemetry.PlanQuota
		case t.client.Override():
			limit = telemetry.LimitPlanMethod
		default:
			limit = telemetry.LimitPlan
		}
	case t.method.Throttle.Level(d.Denied) == throttle.Account:
		limit = telemetry.LimitAccount
	case t.method.Throttle.Level(d.Denied) == throttle.Stage:
		limit = telemetry.LimitStage
	default:
		limit = telemetry.LimitMethod
	}
	if c := t.worker.pipeline.admission.Throttled; c != nil {
		c.Add(t.worker.loop.ID, int(limit), 1)
	}
	if t.client.known {
		t.observePlan(outcome)
	}
	if limit != telemetry.LimitAccount { // that one is empty because of others
		t.report(offence, d.RetryAfter)
	}
	t.retryAfter = d.RetryAfter
	t.reject(reason)
}

func (t *transaction) observePlan(outcome telemetry.PlanOutcome) {
	if metrics := t.stage.PlanMetrics; metrics != nil {
		metrics[t.client.Plan().Number].Observe(t.worker.loop.ID, outcome)
	}
}

// report tells of a source that was denied, and for how many nanoseconds yet.
func (t *transaction) report(offence telemetry.Offence, wait int64) {
	a := &t.worker.pipeline.admission
	source := t.x.Remote().Addr()
	if a.Offenders == nil || !source.IsValid() {
		return
	}
	r := telemetry.Report{Source: source, Offence: offence, At: t.worker.loop.Wall(t.x.Started)}
	if a.Suspects != nil && a.Suspects.Condemned(source, r.At) {
		t.x.Close() // the kernel takes its new connections; this one was open before
	}
	copy(r.APIID[:], t.stage.APIID)
	if t.client.known {
		t.client.AppendKeyID(r.KeyID[:0])
	}
	if wait > 0 && wait != limiter.Never {
		r.Until = r.At + wait
	}
	a.Offenders.Report(t.worker.loop.ID, &r)
}

// appendLimits appends how the client stands with its plan and, when the answer
// is that it must wait, for how long. AWS sends none of it.
//
// Sources: RFC 9110 section 10.2.3 (Retry-After),
// draft-ietf-httpapi-ratelimit-headers-10 (RateLimit).
func (t *transaction) appendLimits(b []byte) []byte {
	if t.stage == nil || t.stage.HideLimits {
		return b
	}
	if t.client.known {
		b = t.client.AppendRateLimit(b, t.client.now, t.client.wall)
	}
	if t.retryAfter > 0 && t.retryAfter != limiter.Never {
		seconds := (t.retryAfter + int64(time.Second) - 1) / int64(time.Second)
		b = append(b, "Retry-After: "...)
		b = strconv.AppendInt(b, seconds, 10)
		b = append(b, "\r\n"...)
	}
	return b
}
