package rfc9111

import (
	"bytes"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Answer is what a request gets of a stored response: status 200 or whatever is
// stored, 206 for a part of it, 304 when the client has it already, 416 when it
// has no such part.
type Answer struct {
	Status   int
	From, To int64 // which bytes of the stored body to send
	Length   int64 // of the stored body
}

// Answer evaluates the conditions and the range of a request against the stored
// response (RFC 9111 section 4.3.2, RFC 9110 sections 13.2.2 and 14.2), whose
// body has length bytes.
func (s *Stored) Answer(q *Request, length int64) Answer {
	a := Answer{Status: s.Status, Length: length}
	if q.fields&Conditionals != 0 && s.Status >= 200 && s.Status <= 299 {
		if s.notModified(q) {
			a.Status = 304
			return a
		}
		if s.Status == 200 && q.head.Verb == http1.GET && q.fields.Has(http1.Range) && s.ifRange(q) {
			if v, ok := single(&q.head.Headers, http1.Range); ok {
				from, to, r := parseRange(v, length)
				switch r {
				case partRange:
					a.Status, a.From, a.To = 206, from, to
					return a
				case noRange:
					a.Status = 416
					return a
				}
			}
		}
	}
	if !http1.NoBody(s.Status, q.head.Verb) {
		a.To = length
	}
	return a
}

// notModified evaluates If-None-Match and, only without it, If-Modified-Since
// (RFC 9110 sections 13.1.2, 13.1.3 and 13.2.2).
func (s *Stored) notModified(q *Request) bool {
	if q.fields.Has(http1.IfNoneMatch) {
		return s.matches(&q.head.Headers)
	}
	if !q.fields.Has(http1.IfModifiedSince) {
		return false
	}
	v, ok := single(&q.head.Headers, http1.IfModifiedSince)
	if !ok {
		return false
	}
	since, ok := parseDate(v, s.responseTime/second)
	if !ok {
		return false
	}
	if s.has(hasModified) {
		return s.lastModified <= since
	}
	return s.date <= since // RFC 9111 section 4.3.2
}

// matches reports whether an If-None-Match field has "*" or the stored tag.
func (s *Stored) matches(h *http1.Headers) bool {
	own, tagged := parseTag(s.entityTag)
	for i := range h.Len() {
		if h.ID(i) != http1.IfNoneMatch {
			continue
		}
		list := h.Value(i)
		if string(list) == "*" {
			return true
		}
		for tagged {
			tag, rest, ok := nextTag(list)
			if !ok {
				break
			}
			if tag.weakly(own) {
				return true
			}
			list = rest
		}
	}
	return false
}

// ifRange reports whether If-Range lets the range be applied: it is absent, or
// equals the stored validator, which must be a strong one (RFC 9110 section
// 13.1.5).
func (s *Stored) ifRange(q *Request) bool {
	if !q.fields.Has(http1.IfRange) {
		return true
	}
	v, ok := single(&q.head.Headers, http1.IfRange)
	if !ok {
		return false
	}
	if bytes.IndexByte(v[:min(3, len(v))], '"') >= 0 {
		tag, ok := parseTag(v)
		own, tagged := parseTag(s.entityTag)
		return ok && tagged && tag.strong(own)
	}
	since, ok := parseDate(v, s.responseTime/second)
	return ok && s.has(hasModified) && since == s.lastModified && s.strongDate()
}

// strongDate reports whether Last-Modified is a strong validator (RFC 9110
// section 8.8.2.2).
func (s *Stored) strongDate() bool { return s.date > s.lastModified }

// AppendFields appends the fields of the answer, without the empty line. The
// response was just validated if validated is true: then it has an Age only if
// the backend's word came from a cache (RFC 9111 section 5.1).
func (s *Stored) AppendFields(dst []byte, a *Answer, now int64, validated bool) []byte {
	if a.Status == 416 { // says nothing about a representation
		dst = append(dst, "Date: "...)
		dst = appendDate(dst, now/second)
		dst = append(dst, "\r\nContent-Range: bytes */"...)
		dst = strconv.AppendInt(dst, a.Length, 10)
		return append(dst, "\r\nContent-Length: 0\r\n"...)
	}
	if a.Status == 304 {
		dst = s.appendNotModified(dst)
	} else {
		dst = append(dst, s.Fields...)
	}
	if age := s.Age(now); age > 0 || !validated {
		dst = append(dst, "Age: "...)
		dst = strconv.AppendInt(dst, age, 10)
		dst = append(dst, "\r\n"...)
	}
	switch {
	case a.Status == 206:
		dst = append(dst, "Content-Range: bytes "...)
		dst = strconv.AppendInt(dst, a.From, 10)
		dst = append(dst, '-')
		dst = strconv.AppendInt(dst, a.To-1, 10)
		dst = append(dst, '/')
		dst = strconv.AppendInt(dst, a.Length, 10)
		dst = append(dst, "\r\n"...)
		dst = http1.AppendContentLength(dst, a.To-a.From)
	case !http1.NoBody(a.Status, http1.GET): // to HEAD as to GET
		dst = http1.AppendContentLength(dst, a.Length)
	}
	return dst
}

// ofRepresentation are the fields that describe the representation, which a 304
// does not transfer (RFC 9110 section 15.4.5). An entity tag makes Last-Modified
// one of them.
var ofRepresentation = http1.NewSet(http1.ContentType, http1.ContentEncoding, http1.ContentMD5)

const contentLanguage = "content-language"

func (s *Stored) appendNotModified(dst []byte) []byte {
	for rest := s.Fields; len(rest) > 0; {
		var l line
		l, rest = nextLine(rest)
		if ofRepresentation.Has(l.id) || l.id == http1.LastModified && len(s.entityTag) > 0 ||
			l.id == http1.Other && http1.EqualFold(l.name, contentLanguage) {
			continue
		}
		dst = append(dst, l.whole...)
	}
	return dst
}
