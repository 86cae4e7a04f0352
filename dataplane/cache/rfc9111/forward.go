package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// AppendForwarded appends the field lines of a response that is forwarded and
// not stored: all but those for one connection (RFC 9110 section 7.6.1) and
// Content-Length, which belongs to the framing.
func AppendForwarded(dst []byte, r *http1.Response) []byte {
	return r.AppendLines(dst, func(i int) bool {
		if id := r.ID(i); id == http1.Age || id == http1.ContentRange {
			return !nominated(r, r.Name(i))
		}
		return !hopByHop(r, i)
	})
}
