package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// AppendConditionals appends the conditions of a validation (RFC 9111 section
// 4.3.1). A response without validators has none: then all of it is fetched.
func (s *Stored) AppendConditionals(dst []byte) []byte {
	if len(s.entityTag) > 0 {
		dst = http1.AppendField(dst, "If-None-Match", s.entityTag)
	}
	if s.has(hasModified) {
		dst = http1.AppendField(dst, "If-Modified-Since", s.modified)
	}
	return dst
}

// Outcome is what a validation led to.
type Outcome uint8

// Outcomes.
const (
	// Pass: the client gets the response. Unless Admit admits it, what is stored
	// stays.
	Pass Outcome = iota
	// Replace: the client gets the response. What is stored is obsolete: if Admit
	// does not admit the response, the stored one is deleted.
	Replace
	// Freshen: the stored response is valid. Update has the metadata to store and to
	// answer with.
	Freshen
	// FreshenHead: as Freshen, but the client gets the response.
	FreshenHead
	// Refetch: the 304 is about another representation (RFC 9111 section 4.3.4). The
	// request is forwarded once more, without Conditionals.
	Refetch
	// UseStale: the client gets the stored response, as it is.
	UseStale
	// Unanswerable: the client gets 504, since the stored response must not be used
	// without a validation (RFC 9111 section 5.2.2.2).
	Unanswerable
)

// OnResponse judges the backend's response to a validation of s, whose body has
// length bytes.
func (s *Stored) OnResponse(q *Request, r *http1.Response, length, now int64) Outcome {
	switch {
	case r.Status == 304 && s.selectedBy(&r.Headers):
		return Freshen
	case r.Status == 304:
		return Refetch
	case r.Status == 500, r.Status == 502, r.Status == 503, r.Status == 504: // RFC 5861 section 4
		if s.staleIfError(q, now) {
			return UseStale
		}
		return Pass
	case r.Status >= 400 && r.Status != 404 && r.Status != 410:
		return Pass
	case q.head.Verb == http1.HEAD && r.Status == 200 && s.describedBy(r, length):
		return FreshenHead
	}
	return Replace
}

// OnFailure judges that the backend gave no answer. If the outcome is Pass, the
// client gets the gateway's own answer to that.
func (s *Stored) OnFailure(q *Request, now int64, p *Policy) Outcome {
	if s.staleIfError(q, now) {
		return UseStale
	}
	if !s.fresh(now) && s.has(neverStale) || s.has(validateAlways) {
		return Unanswerable
	}
	if !q.wantsValidation() && p.StaleIfUnreachable > 0 && s.staleFor(now, p.StaleIfUnreachable) {
		return UseStale
	}
	return Pass
}

// staleIfError reports whether the response or the request has the directive of
// this name, and nothing forbids it (RFC 5861 section 4, RFC 9111 section 4.2.4).
func (s *Stored) staleIfError(q *Request, now int64) bool {
	if s.has(validateAlways) || s.has(neverStale) && !s.fresh(now) {
		return false
	}
	seconds := max(s.ifError, q.control.ifError)
	return seconds > 0 && s.staleFor(now, seconds)
}

// selectedBy reports whether the fields of a 304 identify the stored response for
// update (RFC 9111 section 4.3.4). One without validators can only mean the
// condition that it answers.
func (s *Stored) selectedBy(h *http1.Headers) bool {
	if v := h.Get(http1.ETag); v != nil {
		tag, ok := parseTag(v)
		own, tagged := parseTag(s.entityTag)
		if !ok || !tagged {
			return false
		}
		return tag.strong(own) || tag.weak && tag.weakly(own)
	}
	if v := h.Get(http1.LastModified); v != nil {
		return s.modifiedAt(v)
	}
	return true
}

// describedBy reports whether a response to HEAD is about the stored one: the
// validators and the length that it has are the same (RFC 9111 section 4.3.5).
func (s *Stored) describedBy(r *http1.Response, length int64) bool {
	if v := r.Get(http1.ETag); v != nil {
		tag, ok := parseTag(v)
		own, tagged := parseTag(s.entityTag)
		if !ok || !tagged || tag.weak != own.weak || !tag.weakly(own) {
			return false
		}
	}
	if v := r.Get(http1.LastModified); v != nil && !s.modifiedAt(v) {
		return false
	}
	return s.Status == 200 && (r.ContentLength < 0 || r.ContentLength == length)
}

func (s *Stored) modifiedAt(v []byte) bool {
	t, ok := parseDate(v, s.responseTime/second)
	return ok && s.has(hasModified) && t == s.lastModified
}
