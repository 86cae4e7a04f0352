package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// nextElement cuts the first element off a comma-separated list that has no
// quoted strings, and trims it.
func nextElement(list []byte) (element, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), nil
}

// trim removes optional white space (RFC 9110 section 5.6.3).
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isToken marks tchar of RFC 9110 section 5.6.2.
var isToken = func() (set [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		set[c] = true
	}
	return set
}()

// lower returns c in lower case, if it is an ASCII letter.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// single returns the value of the only line with the name id; ok is false when
// there is none or more than one.
func single(h *http1.Headers, id http1.ID) (value []byte, ok bool) {
	if !h.Present().Has(id) {
		return nil, false
	}
	for i := range h.Len() {
		if h.ID(i) == id {
			if ok {
				return nil, false
			}
			value, ok = h.Value(i), true
		}
	}
	return value, ok
}
