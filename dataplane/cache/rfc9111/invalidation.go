package rfc9111

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Invalidates reports whether a response with the status to this request makes
// what is stored for the target URI invalid: a non-error response to a method
// that is not known to be safe (RFC 9111 section 4.4).
func (q *Request) Invalidates(status int) bool {
	return !q.safe() && status >= 200 && status <= 399
}

// Origin is what a target URI has before its path (RFC 9110 section 4.3.1).
type Origin struct {
	HTTPS bool
	Host  []byte // as in the Host field: the port may be given or not
}

// EachInvalidated calls f with the path and query of the URIs that Location and
// Content-Location of r refer to, if they have the origin of the target, which is
// the path and query of the request: what is stored for them is invalid too (RFC
// 9111 section 4.4). The slice is valid during the call.
func EachInvalidated(o Origin, target []byte, r *http1.Response, f func(target []byte)) {
	for i := range r.Len() {
		switch r.ID(i) {
		case http1.Location, http1.ContentLocation:
			if to, ok := o.resolve(target, r.Value(i)); ok {
				f(to)
			}
		}
	}
}

// resolve returns path and query of what a reference refers to (RFC 3986 section
// 5.2). It is not ok for another origin.
func (o Origin) resolve(target, reference []byte) (to []byte, ok bool) {
	for _, c := range reference {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return nil, false
		}
	}
	ref, _, _ := bytes.Cut(reference, []byte("#"))
	if n := schemeLen(ref); n > 0 {
		scheme := "http"
		if o.HTTPS {
			scheme = "https"
		}
		if !http1.EqualFold(ref[:n], scheme) {
			return nil, false
		}
		if ref = ref[n+1:]; !bytes.HasPrefix(ref, []byte("//")) {
			return nil, false
		}
	}
	if bytes.HasPrefix(ref, []byte("//")) {
		end := 2
		for end < len(ref) && ref[end] != '/' && ref[end] != '?' {
			end++
		}
		if !o.same(ref[2:end]) {
			return nil, false
		}
		if ref = ref[end:]; len(ref) == 0 || ref[0] == '?' {
			return append([]byte("/"), ref...), true
		}
	}
	path, query, hasQuery := bytes.Cut(ref, []byte("?"))
	basePath, baseQuery, baseHasQuery := bytes.Cut(target, []byte("?"))
	switch {
	case len(path) == 0:
		path = basePath
		if !hasQuery {
			query, hasQuery = baseQuery, baseHasQuery
		}
	case path[0] != '/':
		merged := append([]byte(nil), basePath[:bytes.LastIndexByte(basePath, '/')+1]...)
		path = removeDots(append(merged, path...))
	default:
		path = removeDots(path)
	}
	to = append(to, path...)
	if hasQuery {
		to = append(append(to, '?'), query...)
	}
	return to, len(to) > 0 && to[0] == '/'
}

// schemeLen returns the length of the scheme, without its colon, or 0.
func schemeLen(ref []byte) int {
	for i, c := range ref {
		switch {
		case c == ':':
			return i
		case isLower(lower(c)), i > 0 && (isDigit(c) || c == '+' || c == '-' || c == '.'):
		default:
			return 0
		}
	}
	return 0
}

// same reports whether an authority is the origin's. Without a port it has the
// scheme's.
func (o Origin) same(authority []byte) bool {
	port := []byte(":80")
	if o.HTTPS {
		port = []byte(":443")
	}
	return equalFold(withoutPort(authority, port), withoutPort(o.Host, port))
}

func withoutPort(authority, port []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(authority, port), []byte(":"))
}

// removeDots is remove_dot_segments of RFC 3986 section 5.2.4, for a path that
// begins with a slash.
func removeDots(path []byte) []byte {
	var out []byte
	for len(path) > 0 && path[0] == '/' {
		end := 1
		for end < len(path) && path[end] != '/' {
			end++
		}
		segment := path[1:end]
		last := end == len(path)
		path = path[end:]
		switch string(segment) {
		case ".", "..":
			if len(segment) == 2 {
				out = out[:max(bytes.LastIndexByte(out, '/'), 0)]
			}
			if last {
				out = append(out, '/')
			}
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	return out
}
