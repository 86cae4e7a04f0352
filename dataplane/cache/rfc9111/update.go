package rfc9111

import (
	"strconv"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// notUpdated are fields of a 304, or of a response to HEAD, that do not become
// the stored response's: those that are never stored, and cookies (RFC 9111
// section 3.2). The age is read, though.
var notUpdated = notStored&^http1.NewSet(http1.Age) | http1.NewSet(http1.SetCookie)

// Update appends the metadata of s freshened with the fields of r, a response to
// the request q. If it is refused, s may answer the request, and is then deleted
// unless the refusal is RefusedNoStoreAsked.
func (s *Stored) Update(dst []byte, q *Request, r *http1.Response, t Times, p *Policy) ([]byte, Admission) {
	var updated http1.Response
	if updated.Parse(s.appendUpdated(nil, r)) != 0 {
		return dst, Admission{Refused: RefusedFields}
	}
	return admit(dst, q, &updated, t, p)
}

// appendUpdated appends the head of the stored response, with the fields of r in
// place of those with the same names.
func (s *Stored) appendUpdated(dst []byte, r *http1.Response) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(s.Status), 10)
	dst = append(dst, " \r\n"...)
	for rest := s.Fields; len(rest) > 0; {
		var l line
		l, rest = nextLine(rest)
		if l.id != http1.Date && !updates(r, l.name) { // every response has a date of its own
			dst = append(dst, l.whole...)
		}
	}
	for i := range r.Len() {
		if updating(r, i) {
			dst = r.AppendLine(dst, i)
		}
	}
	return append(dst, "\r\n"...)
}

// updates reports whether r has a field that replaces those called name.
func updates(r *http1.Response, name []byte) bool {
	for i := range r.Len() {
		if equalFold(r.Name(i), name) {
			return updating(r, i)
		}
	}
	return false
}

func updating(r *http1.Response, i int) bool {
	id := r.ID(i)
	if notUpdated.Has(id) || id == http1.Other && http1.EqualFold(r.Name(i), proxyInfo) {
		return false
	}
	return !nominated(r, r.Name(i))
}
