package pipeline

import (
	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/cache/rfc9111"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// cacheName is the gateway's in Cache-Status (RFC 9211 section 2).
const cacheName = "tidegate"

// standard is what a shared cache by RFC 9111 knows of a request.
type standard struct {
	active   bool // the cache has to do with the request
	request  rfc9111.Request
	primary  cachestore.Key
	forward  rfc9111.Forward
	collapse rfc9111.Collapse

	validating bool
	entry      []byte // what is validated
	stored     rfc9111.Stored
	value      []byte
	without    http1.Set // fields of the request that do not go to the backend
	fields     []byte    // that go instead
	sent       int64     // Unix nanoseconds
}

// leeway is what the standards leave to the cache.
var leeway = rfc9111.DefaultPolicy

func (s *standard) reset() {
	s.active, s.validating, s.without, s.fields = false, false, 0, s.fields[:0]
	s.forward, s.collapse = rfc9111.NotForwarded, rfc9111.NotCollapsed
	s.entry = shrink(s.entry)
}

// cachedStandard is cached for a cache by RFC 9111.
func (t *transaction) cachedStandard() (answered bool) {
	s, r := &t.std, &t.x.Request
	var ok bool
	if s.primary, ok = t.method.Cache.AppendTarget(s.primary[:0], r.Host, r.Path, r.Query, t); !ok {
		return false
	}
	s.active = true
	s.request = rfc9111.ReadRequest(r)
	if s.forward = s.request.Forwarded(); s.forward == rfc9111.NotForwarded && cache.Rewrites(r) {
		s.forward = rfc9111.ForwardBypass
	}
	if s.forward != rfc9111.NotForwarded {
		return false
	}
	return t.select9111(true)
}

// select9111 looks for the stored response that the request selects (RFC 9111
// section 4.1) and does what follows from it. mayWait says whether the request
// may wait for another one that is fetching it.
func (t *transaction) select9111(mayWait bool) (answered bool) {
	s, w, store := &t.std, t.worker, t.method.Cache.Stage.Store
	coarse := w.loop.Coarse()
	wall := w.loop.Wall(coarse)
	why := rfc9111.ForwardURIMiss
	t.fill.key = append(t.fill.key[:0], s.primary...)
	buf, e, state := store.Get(w.entry[:0], s.primary, coarse)
	if state != cachestore.Miss {
		if index, ok := rfc9111.DecodeIndex(e.Meta); ok {
			why = rfc9111.ForwardVaryMiss
			t.fill.key = index.AppendKey(t.fill.key, &t.x.Request)
			buf, e, state = store.Get(buf[:0], t.fill.key, coarse)
		}
	}
	w.entry = buf[:0]
	var stored rfc9111.Stored
	found := false
	if state != cachestore.Miss {
		stored, found = rfc9111.Decode(e.Meta)
	}
	d := rfc9111.Absent(&s.request, why)
	if found {
		d = rfc9111.Evaluate(&stored, &s.request, wall)
	}
	switch d.Action {
	case rfc9111.Serve, rfc9111.ServeStale, rfc9111.ServeRevalidating:
		if d.Action == rfc9111.ServeRevalidating {
			t.revalidate(e)
		}
		t.countCache(true)
		t.answerStored(&stored, e.Value, &rfc9111.CacheStatus{HasTTL: true, TTL: d.TTL, Collapse: s.collapse}, wall, false)
		return true
	case rfc9111.GatewayTimeout:
		t.countCache(false)
		t.reject(OnlyIfCached)
		return true
	}
	t.countCache(false)
	s.forward = d.Forward
	if d.Action == rfc9111.Validate {
		s.keep(&stored, e)
		t.fill.begin(cachestore.Ticket{}, true)
		return false
	}
	if mayWait && s.request.MayLead() {
		return t.takeTurn()
	}
	t.fill.begin(cachestore.Ticket{}, true)
	return false
}

// keep copies what is validated, and prepares the conditions of the validation
// (RFC 9111 section 4.3.1).
func (s *standard) keep(stored *rfc9111.Stored, e cachestore.Entry) {
	s.entry = append(append(s.entry[:0], e.Meta...), e.Value...)
	s.stored, _ = rfc9111.Decode(s.entry[:len(e.Meta)])
	s.value = s.entry[len(e.Meta):]
	s.validating = true
	s.without, s.fields = rfc9111.Conditionals, stored.AppendConditionals(s.fields[:0])
}

// answerStored answers from what is stored. The body's part of the value is
// chosen by the request's conditions and range.
func (t *transaction) answerStored(stored *rfc9111.Stored, value []byte, status *rfc9111.CacheStatus, wall int64, validated bool) {
	a := stored.Answer(&t.std.request, int64(len(value)))
	t.status = a.Status
	b := http1.AppendStatus(t.worker.scratch[:0], a.Status)
	b = t.appendRequestIDs(b)
	b = stored.AppendFields(b, &a, wall, validated)
	b = status.AppendLine(b, cacheName)
	b = t.appendConnection(b)
	b = append(b, "\r\n"...)
	body := value[a.From:a.To]
	if http1.NoBody(a.Status, t.x.Request.Verb) {
		body = nil
	}
	t.answering = answerPlain
	t.bodyBytes = int64(len(body))
	t.write(b, body)
	t.end()
}

// receiveStandard judges the head of the backend's answer. It is false when the
// client has been answered, or the backend is asked again.
func (t *transaction) receiveStandard(last bool) (pass bool) {
	s, resp := &t.std, &t.call.Response
	wall := t.worker.loop.Wall(t.worker.loop.Now())
	times := rfc9111.Times{Request: s.sent, Response: wall}
	replace := false
	if s.validating {
		outcome := s.stored.OnResponse(&s.request, resp, int64(len(s.value)), wall)
		switch outcome {
		case rfc9111.Refetch:
			t.refetch(last)
			return false
		case rfc9111.UseStale, rfc9111.Unanswerable, rfc9111.Freshen:
			if !last {
				t.call.Cancel()
			}
			t.conclude(outcome, times)
			return false
		case rfc9111.FreshenHead:
			t.freshen(times)
		case rfc9111.Replace:
			replace = true
		}
	}
	if s.request.Invalidates(resp.Status) {
		t.invalidate()
	}
	if t.fill.active {
		var admission rfc9111.Admission
		t.fill.meta, admission = rfc9111.Admit(t.fill.meta[:0], &s.request, resp, times, &leeway)
		t.fill.admitted(admission, t.worker.loop.Now())
		if admission.Refused != rfc9111.Admitted || resp.ContentLength > int64(maxEntry) {
			if replace {
				t.method.Cache.Stage.Store.Delete(t.fill.key, t.worker.loop.Now())
			}
			t.fill.drop()
		}
	}
	return true
}

// conclude answers a validation that ends with what is stored, or with nothing.
func (t *transaction) conclude(outcome rfc9111.Outcome, times rfc9111.Times) {
	s := &t.std
	status := rfc9111.CacheStatus{Forward: s.forward, Collapse: s.collapse}
	if times.Response != 0 {
		status.ForwardStatus = t.call.Response.Status
	}
	switch outcome {
	case rfc9111.Freshen:
		status.Stored = t.freshen(times)
		t.fill.active = false
		t.answerStored(&s.stored, s.value, &status, times.Response, true)
	case rfc9111.UseStale:
		t.fill.active = false
		now := t.worker.loop.Wall(t.worker.loop.Now())
		t.answerStored(&s.stored, s.value, &status, now, false)
	default:
		t.reject(MustRevalidate)
	}
}

// freshen updates what is stored with the backend's word that it is valid (RFC
// 9111 section 4.3.4).
func (t *transaction) freshen(times rfc9111.Times) (stored bool) {
	s, store, now := &t.std, t.method.Cache.Stage.Store, t.worker.loop.Now()
	meta, admission := s.stored.Update(t.fill.meta[:0], &s.request, &t.call.Response, times, &leeway)
	t.fill.meta = meta
	switch admission.Refused {
	case rfc9111.Admitted:
		s.stored, _ = rfc9111.Decode(meta)
		return store.Set(t.fill.key, entryOf(admission, now, meta, s.value)) == nil
	case rfc9111.RefusedNoStoreAsked:
	default:
		store.Delete(t.fill.key, now)
	}
	return false
}

// forwardHead passes the backend's head on as a proxy does (RFC 9110 section
// 7.6): nothing is remapped, and the Date is the backend's.
func (t *transaction) forwardHead(body []byte, last bool) bool {
	s, resp := &t.std, &t.call.Response
	t.status = resp.Status
	b := appendStatusLine(t.worker.scratch[:0], resp)
	if resp.Present().Has(http1.Date) {
		b = t.appendRequestIDs(b)
	} else {
		b = t.appendIDs(b)
	}
	b = rfc9111.AppendForwarded(b, resp)
	status := rfc9111.CacheStatus{Forward: s.forward, Stored: t.fill.active, Collapse: s.collapse}
	b = status.AppendLine(b, cacheName)
	if t.fill.active {
		t.fillBody(body, last)
	}
	return t.sendHead(b, body, last)
}

// unreachable answers from what is stored when the backend gives no answer to a
// validation (RFC 9111 section 4.2.4, RFC 5861 section 4). It is false when the
// client gets the gateway's own answer to that.
func (t *transaction) unreachable() bool {
	s := &t.std
	if !s.active || !s.validating {
		return false
	}
	outcome := s.stored.OnFailure(&s.request, t.worker.loop.Wall(t.worker.loop.Now()), &leeway)
	if outcome == rfc9111.Pass {
		return false
	}
	t.conclude(outcome, rfc9111.Times{})
	return true
}

// refetch asks the backend once more, without conditions.
func (t *transaction) refetch(last bool) {
	if !last {
		t.call.Cancel()
	}
	t.std.validating, t.std.fields = false, t.std.fields[:0]
	t.request = t.request[:0]
	t.latency = -1
	t.proxy()
}

// invalidate deletes what a response to an unsafe method makes invalid (RFC 9111
// section 4.4).
func (t *transaction) invalidate() {
	m, r, now := t.method.Cache, &t.x.Request, t.worker.loop.Now()
	m.Stage.Store.Delete(t.std.primary, now)
	origin := rfc9111.Origin{HTTPS: t.x.IsTLS(), Host: r.Host}
	rfc9111.EachInvalidated(origin, r.Target, &t.call.Response, func(target []byte) {
		path, query := cutQuery(target)
		if key, ok := m.AppendTarget(nil, r.Host, path, query, t); ok {
			m.Stage.Store.Delete(key, now)
		}
	})
}
