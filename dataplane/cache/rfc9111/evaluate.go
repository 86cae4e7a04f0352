package rfc9111

// Action is what to do with a request.
type Action uint8

// Actions.
const (
	// Fetch forwards the request as it is.
	Fetch Action = iota
	// Serve answers with the stored response, which is fresh.
	Serve
	// ServeStale answers with it although it is stale; the request allows that.
	ServeStale
	// ServeRevalidating answers with it although it is stale, and has it validated
	// in the background (RFC 5861 section 3).
	ServeRevalidating
	// Validate forwards the request with the stored validators.
	Validate
	// GatewayTimeout answers 504: only what is stored was wanted (RFC 9111 section
	// 5.2.1.7).
	GatewayTimeout
)

// Decision is what to do with a request, and what Cache-Status says about it.
type Decision struct {
	Action  Action
	Forward Forward // why not answered from the cache
	TTL     int64   // of the stored response, in seconds
}

// Absent decides on a request for which nothing is stored: why is
// [ForwardURIMiss], or [ForwardVaryMiss] if there is an index.
func Absent(q *Request, why Forward) Decision { return q.forward(Fetch, why) }

// forward is a Decision to go to the backend, if the request allows that.
func (q *Request) forward(a Action, why Forward) Decision {
	if q.control.has(onlyIfCached) {
		return Decision{Action: GatewayTimeout}
	}
	return Decision{Action: a, Forward: why}
}

// Evaluate decides on a request for which s is stored (RFC 9111 sections 4 and
// 5.2.1).
func Evaluate(s *Stored, q *Request, now int64) Decision {
	d := s.evaluate(q, now)
	d.TTL = s.TTL(now)
	return d
}

func (s *Stored) evaluate(q *Request, now int64) Decision {
	c := &q.control
	fresh := s.fresh(now) && !s.has(validateAlways)
	switch {
	case !fresh && s.has(validateAlways|neverStale):
		return q.forward(Validate, ForwardStale)
	case q.wantsValidation(), c.maxAge >= 0 && s.age(now) > c.maxAge*second:
		if !fresh {
			return q.forward(Validate, ForwardStale)
		}
		return q.forward(Validate, ForwardRequest)
	case fresh && s.lifetime*second-s.age(now) >= c.minFresh*second:
		return Decision{Action: Serve}
	case fresh:
		return q.forward(Validate, ForwardRequest)
	case c.minFresh > 0:
		return q.forward(Validate, ForwardStale)
	case c.maxStale >= 0 && (c.maxStale == anyAge || s.staleFor(now, c.maxStale)):
		return Decision{Action: ServeStale}
	// With max-age the client does not wish for a stale response (RFC 9111 section
	// 5.2.1.1).
	case c.maxAge == absent && s.whileRevalidate > 0 && s.staleFor(now, s.whileRevalidate):
		return Decision{Action: ServeRevalidating}
	}
	return q.forward(Validate, ForwardStale)
}
