package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// Request is what a cache reads of a request. It refers to the head, and is
// valid as long as that is.
type Request struct {
	head    *http1.Request
	control control
	fields  http1.Set // the special ones present
}

// Conditionals are the request fields that are not forwarded with a validation:
// the cache has its own conditions, and can answer ranges once it has the whole.
var Conditionals = http1.NewSet(http1.IfNoneMatch, http1.IfModifiedSince, http1.IfRange, http1.Range)

// originOnly are conditions that a cache must not evaluate (RFC 9111 section
// 4.3.2).
var originOnly = http1.NewSet(http1.IfMatch, http1.IfUnmodifiedSince)

// ReadRequest reads the directives and the presence of other fields.
func ReadRequest(r *http1.Request) Request {
	q := Request{head: r, control: noControl, fields: r.Present()}
	switch {
	case q.fields.Has(http1.CacheControl):
		q.control.addLines(&r.Headers, http1.CacheControl)
	case q.fields.Has(http1.Pragma): // for clients that know nothing newer (RFC 9111 section 5.4)
		pragma := noControl
		pragma.addLines(&r.Headers, http1.Pragma)
		q.control.flags = pragma.flags & noCache
	}
	return q
}

// Forwarded returns why the request must be forwarded without a look at what is
// stored, and its response not be stored: its method, or doubt about what it
// asks for. It is [NotForwarded] for the others.
func (q *Request) Forwarded() Forward {
	switch {
	case q.head.Verb != http1.GET && q.head.Verb != http1.HEAD:
		return ForwardMethod
	// Content and another method are no part of the key, yet a backend may heed
	// them.
	case q.head.HasBody(), q.fields.Has(http1.XHTTPMethodOverride):
		return ForwardBypass
	case q.fields&originOnly != 0:
		return ForwardBypass
	}
	return NotForwarded
}

// MayLead reports whether the response is likely to be one that other requests
// for the same key can use, so that they may wait for it: not if the request is
// conditional or for a part, or forbids storing.
func (q *Request) MayLead() bool {
	return q.head.Verb == http1.GET && q.fields&Conditionals == 0 && !q.control.has(noStore)
}

// safe reports whether the method is one of RFC 9110 section 9.2.1.
func (q *Request) safe() bool {
	switch q.head.Verb {
	case http1.GET, http1.HEAD, http1.OPTIONS:
		return true
	}
	return string(q.head.Method) == "TRACE"
}

// wantsValidation reports whether the request does not want what is stored
// without a validation, whatever its age. Directives that cannot be read count
// for this too.
func (q *Request) wantsValidation() bool {
	c := &q.control
	return c.has(noCache) || c.maxAge == invalid || c.minFresh == invalid
}
