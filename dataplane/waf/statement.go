package waf

import (
	"bytes"
	"regexp"

	"github.com/gaissmai/bart"
)

// matcher is a compiled statement.
type matcher interface {
	match(in *Input, a *ACL) bool
}

// byteMatch is a ByteMatchStatement.
type byteMatch struct {
	view      int
	candidate int
	needle    []byte
	where     constraint
}

// constraint is where a text has to be.
type constraint uint8

const (
	contains constraint = iota
	containsWord
	exactly
	startsWith
	endsWith
)

func (m *byteMatch) match(in *Input, a *ACL) bool {
	s := in.look(a, m.view)
	if s.outcome != inspect {
		return s.outcome == matches
	}
	if !in.candidate(m.candidate) {
		return false
	}
	for _, v := range in.values(s) {
		if m.holds(v) {
			return true
		}
	}
	return false
}

func (m *byteMatch) holds(v []byte) bool {
	switch m.where {
	case contains:
		return bytes.Contains(v, m.needle)
	case containsWord:
		return hasWord(v, m.needle)
	case exactly:
		return bytes.Equal(v, m.needle)
	case startsWith:
		return bytes.HasPrefix(v, m.needle)
	}
	return bytes.HasSuffix(v, m.needle)
}

// hasWord looks for a word that has none of its characters before and behind it.
func hasWord(v, word []byte) bool {
	for from := 0; ; from++ {
		i := bytes.Index(v[from:], word)
		if i < 0 {
			return false
		}
		from += i
		end := from + len(word)
		if (from == 0 || !isWord(v[from-1])) && (end == len(v) || !isWord(v[end])) {
			return true
		}
	}
}

func isWord(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_'
}

// regexMatch is a RegexMatchStatement, or a RegexPatternSetReferenceStatement, of
// whose expressions any has to match.
type regexMatch struct {
	view      int
	candidate int
	patterns  []*regexp.Regexp
}

func (m *regexMatch) match(in *Input, a *ACL) bool {
	s := in.look(a, m.view)
	if s.outcome != inspect {
		return s.outcome == matches
	}
	if !in.candidate(m.candidate) {
		return false
	}
	for _, v := range in.values(s) {
		if !in.spend(len(v) * len(m.patterns)) {
			return false
		}
		for _, p := range m.patterns {
			if p.Match(v) {
				return true
			}
		}
	}
	return false
}

// sizeMatch is a SizeConstraintStatement.
type sizeMatch struct {
	view     int
	operator string
	size     int64
}

func (m *sizeMatch) match(in *Input, a *ACL) bool {
	s := in.look(a, m.view)
	if s.outcome != inspect {
		return s.outcome == matches
	}
	for _, v := range in.values(s) {
		if m.holds(int64(len(v))) {
			return true
		}
	}
	return false
}

func (m *sizeMatch) holds(n int64) bool {
	switch m.operator {
	case "EQ":
		return n == m.size
	case "NE":
		return n != m.size
	case "LE":
		return n <= m.size
	case "LT":
		return n < m.size
	case "GE":
		return n >= m.size
	}
	return n > m.size
}

// setMatch is an IPSetReferenceStatement on the connection's own address. Rules
// that name the same set share the answer.
type setMatch struct{ set int }

func (m *setMatch) match(in *Input, a *ACL) bool { return in.inSets(a).has(m.set) }

// forwardedSetMatch is an IPSetReferenceStatement with IPSetForwardedIPConfig.
type forwardedSetMatch struct {
	set       *bart.Lite
	forwarder int
	position  position
	fallback  bool
}

func (m *forwardedSetMatch) match(in *Input, a *ACL) bool {
	f := in.forwarded(a, m.forwarder)
	if f.absent {
		return false
	}
	if m.position != anyHop {
		addr := f.one(m.position)
		if !addr.IsValid() {
			return m.fallback
		}
		return m.set.Contains(addr)
	}
	for _, addr := range f.hops[:f.n] {
		if m.set.Contains(addr) {
			return true
		}
	}
	return f.invalid && m.fallback
}

// allOf, anyOf and not are the logical statements.
type (
	allOf []matcher
	anyOf []matcher
	not   struct{ matcher }
)

func (m allOf) match(in *Input, a *ACL) bool {
	for _, one := range m {
		if !one.match(in, a) {
			return false
		}
	}
	return true
}

func (m anyOf) match(in *Input, a *ACL) bool {
	for _, one := range m {
		if one.match(in, a) {
			return true
		}
	}
	return false
}

func (m not) match(in *Input, a *ACL) bool { return !m.matcher.match(in, a) }
