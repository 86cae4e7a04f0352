package proxy

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// appendTo writes a mapped header; without a value it writes nothing.
func (m *mapping) appendTo(dst []byte, r *http1.Request, in Input) []byte {
	start := len(dst)
	dst = append(dst, m.name...)
	dst = append(dst, ": "...)
	value := len(dst)
	dst, ok := m.value.appendDecoded(dst, r, in)
	if m.value.ctx == ContextClientCert && m.value.text == clientCertPEM {
		inLine(dst[value:])
	}
	if !ok || !http1.ValidValue(dst[value:]) {
		return dst[:start]
	}
	return append(dst, "\r\n"...)
}

// inLine makes a PEM block one line, which a header field is: the spaces are as
// good as line ends to what reads such blocks (RFC 7468 section 2, laxly).
func inLine(pem []byte) {
	for i, c := range pem {
		if c == '\n' {
			pem[i] = ' '
		}
	}
}

// appendDecoded writes the value as the client meant it: without
// percent-encoding if it came in the query.
func (v *value) appendDecoded(dst []byte, r *http1.Request, in Input) ([]byte, bool) {
	switch v.source {
	case fromLiteral:
		return append(dst, v.text...), true
	case fromPath:
		return append(dst, in.Param(int(v.param))...), true
	case fromContext:
		start := len(dst)
		dst = in.AppendContext(dst, v.ctx, v.text)
		return dst, len(dst) > start
	case fromBody:
		return in.AppendBody(dst, v.path)
	case fromHeader, fromMultiHeader:
		return appendHeaderValue(dst, &r.Headers, v.text, v.source == fromMultiHeader)
	}
	start, found := len(dst), false
	for q := (http1.Query{Rest: r.Query}); q.Next(); {
		if !q.Is(v.text) {
			continue
		}
		if found && v.source == fromMultiQuery {
			dst = append(dst, ',')
		} else {
			dst = dst[:start]
		}
		found = true
		dst = http1.AppendUnescaped(dst, q.Value)
	}
	return dst, found
}

// appendHeaderValue appends the last value of a field, or all of them. As on
// AWS its name is compared with regard to case.
func appendHeaderValue(dst []byte, h *http1.Headers, name string, all bool) ([]byte, bool) {
	start, found := len(dst), false
	for i := range h.Len() {
		if string(h.Name(i)) != name {
			continue
		}
		if found && all {
			dst = append(dst, ',')
		} else {
			dst = dst[:start]
		}
		found = true
		dst = append(dst, h.Value(i)...)
	}
	return dst, found
}

// appendTarget writes the value into the target. A path parameter goes in as it
// was matched; behind the "?" it must not make parameters of its own.
func (v *value) appendTarget(dst []byte, r *http1.Request, in Input) []byte {
	if v.source == fromPath {
		if v.inQuery {
			return appendQuerySafe(dst, in.Param(int(v.param)))
		}
		return append(dst, in.Param(int(v.param))...)
	}
	start := len(dst)
	dst, _ = v.appendDecoded(dst, r, in)
	if isDots(dst[start:]) { // no client chooses a way up the backend's tree
		return dst[:start]
	}
	return escapeTail(dst, start)
}

// isDots reports whether b as a path segment would be a dot segment (RFC 3986
// section 3.3), which no encoding makes an ordinary name.
func isDots(b []byte) bool { return string(b) == "." || string(b) == ".." }

// appendQuery writes name=value pairs into the query of the target.
func (m *mapping) appendQuery(dst []byte, sep byte, r *http1.Request, in Input) ([]byte, byte) {
	if s := m.value.source; s == fromQuery || s == fromMultiQuery {
		start := len(dst)
		for q := (http1.Query{Rest: r.Query}); q.Next(); {
			if !q.Is(m.value.text) {
				continue
			}
			if s == fromQuery { // the last one
				dst = dst[:start]
			}
			dst = m.appendName(dst, sep)
			dst = append(dst, q.Value...) // as it came
			if s == fromMultiQuery {
				sep = '&'
			}
		}
		if len(dst) > start {
			sep = '&'
		}
		return dst, sep
	}
	start := len(dst)
	dst = m.appendName(dst, sep)
	value := len(dst)
	dst, ok := m.value.appendDecoded(dst, r, in)
	if !ok {
		return dst[:start], sep
	}
	return escapeTail(dst, value), '&'
}

func (m *mapping) appendName(dst []byte, sep byte) []byte {
	dst = append(dst, sep)
	dst = appendEscaped(dst, []byte(m.name), false)
	return append(dst, '=')
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// appendEscaped percent-encodes all but unreserved characters and, if slash,
// slashes.
func appendEscaped(dst, b []byte, slash bool) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		if unreserved(c) || slash && c == '/' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// appendQuerySafe percent-encodes what has a meaning in a query; b is encoded
// already as a path is.
func appendQuerySafe(dst, b []byte) []byte {
	for i, c := range b {
		if c == '%' {
			dst = append(dst, c)
		} else {
			dst = appendEscaped(dst, b[i:i+1], true)
		}
	}
	return dst
}

// escapeTail percent-encodes dst[start:] in place.
func escapeTail(dst []byte, start int) []byte {
	for _, c := range dst[start:] {
		if !unreserved(c) {
			raw := bytes.Clone(dst[start:]) // rare
			return appendEscaped(dst[:start], raw, false)
		}
	}
	return dst
}
