package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// Refusal says why a response must not be stored.
type Refusal uint8

// Refusals.
const (
	Admitted             Refusal = iota
	RefusedMethod                // only responses to GET are stored
	RefusedRequest               // the request must not be answered from, or fill, a cache
	RefusedNoStoreAsked          // no-store in the request
	RefusedStatus                // it is about conditions of its request, or must be understood and is not
	RefusedNoStore               // no-store in the response
	RefusedPrivate               // private in the response
	RefusedAuthorization         // the request has Authorization, and nothing allows it
	RefusedSetCookie             // a cookie is for one client
	RefusedVary                  // "*", or more than can be heeded
	RefusedUnmarked              // neither the status nor a directive makes it cacheable
	RefusedUseless               // never fresh, and nothing to validate it with
	RefusedFields                // fields that cannot be read once they were updated
)

// Admission says whether a response is stored, and for how long.
type Admission struct {
	Refused Refusal
	// FreshFor and KeepFor are the nanoseconds since the response was received in
	// which it is fresh and may be of use. KeepFor is never less.
	FreshFor, KeepFor int64
}

// Admit decides whether a shared cache stores the response r to the request q
// (RFC 9111 section 3). If it does, what is to be stored before the body is
// appended to dst.
func Admit(dst []byte, q *Request, r *http1.Response, t Times, p *Policy) ([]byte, Admission) {
	switch {
	case q.head.Verb != http1.GET:
		return dst, Admission{Refused: RefusedMethod}
	case q.Forwarded() != NotForwarded:
		return dst, Admission{Refused: RefusedRequest}
	}
	return admit(dst, q, r, t, p)
}

func admit(dst []byte, q *Request, r *http1.Response, t Times, p *Policy) ([]byte, Admission) {
	received := t.Response / second
	c, targeted := readControl(&r.Headers)
	o := readOrigin(&r.Headers, received)
	seconds, explicit := lifetime(r, &c, targeted, &o, received, p)
	if refused := refuse(q, r, &c, targeted, explicit); refused != Admitted {
		return dst, Admission{Refused: refused}
	}
	s := Stored{
		Status:          r.Status,
		responseTime:    t.Response,
		initialAge:      initialAge(&r.Headers, &o, t),
		lifetime:        seconds,
		whileRevalidate: max(c.whileRevalidate, 0),
		ifError:         max(c.ifError, 0),
		date:            o.date,
	}
	if c.has(noCache) {
		s.flags |= validateAlways
	}
	if c.has(mustRevalidate|proxyRevalidate) || c.sMaxAge != absent {
		s.flags |= neverStale
	}
	start := len(dst)
	dst = append(dst, make([]byte, storedBytes)...)
	dst, tag, modified := appendStoredFields(dst, r, &c, targeted, &o)
	if modified.len > 0 && o.hasModified {
		s.flags |= hasModified
		s.lastModified = o.lastModified
	} else {
		modified = span{}
	}
	putHead(dst[start:], &s, tag, modified)
	s.entityTag = dst[start+storedBytes+tag.at:][:tag.len]
	a := s.admission(p)
	if a.Refused != Admitted {
		return dst[:start], a
	}
	return dst, a
}

// refuse has the conditions of RFC 9111 section 3, one each, and the rule of the
// house that cookies are not shared.
func refuse(q *Request, r *http1.Response, c *control, targeted, explicit bool) Refusal {
	switch {
	case q.control.has(noStore):
		return RefusedNoStoreAsked
	case ofThisRequest(r.Status), c.has(mustUnderstand) && !understood(r.Status):
		return RefusedStatus
	case c.has(doubtful), c.has(noStore) && !c.has(mustUnderstand):
		return RefusedNoStore
	case c.has(private):
		return RefusedPrivate
	case q.fields.Has(http1.Authorization) && !c.has(sharedAuthorized):
		return RefusedAuthorization
	case !explicit && !c.has(public) && !heuristicallyCacheable(r.Status):
		return RefusedUnmarked
	}
	return refuseFields(r, c, targeted)
}

// admission tells for how long the response can be of use.
func (s *Stored) admission(p *Policy) Admission {
	left := s.lifetime*second - s.initialAge
	var a Admission
	if !s.has(validateAlways) {
		a.FreshFor = max(left, 0)
	}
	a.KeepFor = a.FreshFor
	if s.hasValidator() {
		a.KeepFor = max(left, 0) + p.Keep*second
	}
	if !s.has(neverStale | validateAlways) {
		stale := max(s.whileRevalidate, s.ifError)
		if left > 0 {
			stale = max(stale, p.Keep, p.StaleIfUnreachable)
		}
		a.KeepFor = max(a.KeepFor, left+stale*second)
	}
	if a.KeepFor <= 0 {
		return Admission{Refused: RefusedUseless}
	}
	return a
}
