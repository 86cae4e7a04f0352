package rfc9111

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// dictionary is a valid Dictionary of RFC 8941 section 3.2, as the targeted
// fields of RFC 9213 are.
type dictionary []byte

// readDictionary joins the lines of a field. It is not ok when they are empty or
// break the syntax, which have the field ignored (RFC 9213 section 2.1).
func readDictionary(h *http1.Headers, id http1.ID) (d dictionary, ok bool) {
	if !h.Present().Has(id) {
		return nil, false
	}
	lines := 0
	for i := range h.Len() {
		if h.ID(i) != id {
			continue
		}
		if lines++; lines == 1 {
			d = h.Value(i)
		} else {
			d = append(append(d[:len(d):len(d)], ", "...), h.Value(i)...)
		}
	}
	d = bytes.Trim(d, " ")
	return d, len(d) > 0 && d.valid()
}

func (d dictionary) valid() bool {
	for rest := []byte(d); ; {
		_, after, ok := nextMember(rest)
		if !ok {
			return false
		}
		if len(after) == 0 {
			return true
		}
		if rest, ok = afterComma(after); !ok {
			return false
		}
	}
}

// each calls f with the directives that are known. Of two with the same key the
// last counts.
func (d dictionary) each(f func(directive)) {
	for rest := []byte(d); len(rest) > 0; {
		m, after, _ := nextMember(rest)
		if rest, _ = afterComma(after); lookDirective(m.name) != dirUnknown && !hasMember(rest, m.name) {
			f(m)
		}
	}
}

func hasMember(rest, key []byte) bool {
	for len(rest) > 0 {
		m, after, _ := nextMember(rest)
		if bytes.Equal(m.name, key) {
			return true
		}
		rest, _ = afterComma(after)
	}
	return false
}

// afterComma returns what follows a comma, which has to be something.
func afterComma(b []byte) (rest []byte, ok bool) {
	b = trim(b)
	if len(b) == 0 || b[0] != ',' {
		return nil, false
	}
	b = trim(b[1:])
	return b, len(b) > 0
}

// nextMember cuts the first member off, with its parameters, which mean nothing
// (RFC 9213 section 2.1). The directive has the form that the type of the value
// maps to. A value of a type that no directive has is malformed, and nothing is
// made of false, which no directive can be.
func nextMember(b []byte) (d directive, rest []byte, ok bool) {
	n := keyLen(b)
	if n == 0 {
		return d, nil, false
	}
	d.name, b = b[:n], b[n:]
	if len(b) > 0 && b[0] == '=' {
		if d.arg, d.form, b, ok = nextValue(b[1:]); !ok {
			return d, nil, false
		}
		if d.form == noArgument && d.arg[1] == '0' {
			d.name = nil
		}
	}
	b, ok = skipParameters(b)
	return d, b, ok
}

// keyLen returns the length of the key that b begins with.
func keyLen(b []byte) int {
	if len(b) == 0 || !isLower(b[0]) && b[0] != '*' {
		return 0
	}
	n := 1
	for n < len(b) && (isLower(b[n]) || isDigit(b[n]) || b[n] == '_' || b[n] == '-' || b[n] == '.' || b[n] == '*') {
		n++
	}
	return n
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func skipParameters(b []byte) (rest []byte, ok bool) {
	for len(b) > 0 && b[0] == ';' {
		b = bytes.TrimLeft(b[1:], " ")
		n := keyLen(b)
		if n == 0 {
			return nil, false
		}
		if b = b[n:]; len(b) > 0 && b[0] == '=' {
			if _, _, b, ok = nextItem(b[1:]); !ok {
				return nil, false
			}
		}
	}
	return b, true
}
