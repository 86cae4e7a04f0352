package proxy

import (
	"strconv"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Choose returns the status of the client's answer to a backend's status, and
// what AppendResponse needs to go on. It is false when the definition has no
// answer to it: the gateway response API_CONFIGURATION_ERROR.
func (p *Program) Choose(backend int) (status, choice int, ok bool) {
	if p.passThrough {
		return backend, -1, true
	}
	var digits [3]byte
	text := strconv.AppendInt(digits[:0], int64(backend), 10)
	for i := range p.responses {
		r := &p.responses[i]
		if r.pattern == nil || r.pattern.Match(text) {
			return r.status, i, !r.invalid
		}
	}
	return 0, 0, false
}

// AppendResponse appends the fields of the client's answer that come from the
// backend or its mappings. hasType reports whether Content-Type is among them.
func (p *Program) AppendResponse(dst []byte, choice int, r *http1.Response, req *http1.Request, in Input) (out []byte, hasType bool) {
	if choice < 0 {
		return appendPassed(dst, r)
	}
	chosen := &p.responses[choice]
	for i := range chosen.headers {
		m := &chosen.headers[i]
		start := len(dst)
		dst = append(dst, m.name...)
		dst = append(dst, ": "...)
		value := len(dst)
		ok := true
		if m.value.source == fromHeader || m.value.source == fromMultiHeader {
			dst, ok = appendHeaderValue(dst, &r.Headers, m.value.text, m.value.source == fromMultiHeader)
		} else {
			dst, ok = m.value.appendDecoded(dst, req, in)
		}
		if !ok || !http1.ValidValue(dst[value:]) {
			dst = dst[:start]
			continue
		}
		dst = append(dst, "\r\n"...)
		hasType = hasType || m.id == http1.ContentType
	}
	if v := r.Get(http1.ContentType); v != nil && !hasType {
		dst, hasType = http1.AppendField(dst, "Content-Type", v), true
	}
	return dst, hasType
}

// appendPassed copies the backend's fields, some of them under another name.
func appendPassed(dst []byte, r *http1.Response) (out []byte, hasType bool) {
	dst = r.AppendKept(dst, responseChanged)
	for i := range r.Len() {
		id := r.ID(i)
		if responseRemap.Has(id) {
			dst = append(dst, remapPrefix...)
			dst = r.AppendLine(dst, i)
		}
		hasType = hasType || id == http1.ContentType
	}
	return dst, hasType
}
