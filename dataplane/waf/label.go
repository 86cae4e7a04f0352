package waf

import (
	"math/bits"
	"slices"
	"strings"
)

// Limits of an ACL, which the sets in a Verdict have room for.
const (
	MaxRules  = 512
	maxLabels = 512 // names of labels that its rules can add
)

// bitset is a set of small numbers.
type bitset [8]uint64

func (s *bitset) add(n int) { s[n/64] |= 1 << (n % 64) }

func (s *bitset) has(n int) bool { return s[n/64]>>(n%64)&1 == 1 }

// from returns the first number from n on that is in the set, or else a number that
// is none of any set's.
func (s *bitset) from(n int) int {
	for i := n / 64; i < len(s); i++ {
		if word := s[i] >> (n % 64); word != 0 {
			return n + bits.TrailingZeros64(word)
		}
		n = (i + 1) * 64
	}
	return len(s) * 64
}

func (s *bitset) union(other *bitset) {
	for i := range s {
		s[i] |= other[i]
	}
}

func (s *bitset) meets(other *bitset) bool {
	for i := range s {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// each calls f with the numbers in the set, in order.
func (s *bitset) each(f func(n int)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			f(i*64 + bits.TrailingZeros64(word))
		}
	}
}

// Namespaces of labels that are not a rule's own.
const (
	labelPrefix    = "awswaf:"
	clientCountry  = "awswaf:clientip:geo:country:"
	clientRegion   = "awswaf:clientip:geo:region:"
	forwardCountry = "awswaf:forwardedip:geo:country:"
	forwardRegion  = "awswaf:forwardedip:geo:region:"
)

// labelMatch is a LabelMatchStatement. What rules can add is known when the ACL is
// compiled, so that the labels that match are too; those of places are not.
type labelMatch struct {
	key       string
	namespace bool
	local     string // prefix of the ACL's own labels
	matching  bitset
	places    bool // a label of a place may match
}

func (m *labelMatch) match(in *Input, _ *ACL) bool {
	if in.verdict.labels.meets(&m.matching) {
		return true
	}
	if !m.places {
		return false
	}
	var label [len(forwardCountry) + 8]byte
	for i := range in.verdict.places {
		p := &in.verdict.places[i]
		if p.known() && (m.matches(p.appendCountry(label[:0], i)) || p.hasRegion() && m.matches(p.appendRegion(label[:0], i))) {
			return true
		}
	}
	return false
}

// matches is for labels of places alone, which are never local.
func (m *labelMatch) matches(label []byte) bool {
	if !m.namespace {
		return string(label) == m.key
	}
	return len(label) > len(m.key) && string(label[:len(m.key)]) == m.key
}

// matchesLabel says whether a fully qualified label matches. A key without prefix
// is for labels of the same ACL: for the end of one, or for namespaces that follow
// one another anywhere in it.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-match.html
func (m *labelMatch) matchesLabel(label string) bool {
	qualified := strings.HasPrefix(m.key, labelPrefix)
	if !qualified {
		var ok bool
		if label, ok = strings.CutPrefix(label, m.local); !ok {
			return false
		}
	}
	switch {
	case qualified && m.namespace:
		return strings.HasPrefix(label, m.key) && len(label) > len(m.key)
	case qualified:
		return label == m.key
	case m.namespace:
		return strings.Contains(":"+label[:strings.LastIndexByte(label, ':')+1], ":"+m.key)
	}
	return label == m.key || strings.HasSuffix(label, ":"+m.key)
}

// labelMatch compiles a LabelMatchStatement.
func (c *compiler) labelMatch(v value) matcher {
	o := c.object(v, "Scope", "Key")
	m := &labelMatch{
		key: o.string("Key", 1, 1024), local: c.acl.labelPrefix,
		namespace: o.choice("Scope", true, "LABEL", "NAMESPACE") == "NAMESPACE",
	}
	if m.namespace && !strings.HasSuffix(m.key, ":") {
		m.key += ":"
	}
	if !m.namespace && strings.HasSuffix(m.key, ":") {
		c.report(join(o.at, "Key"), "%q is a namespace; add the name of a label, or say Scope NAMESPACE", m.key)
	}
	if i := strings.IndexFunc(m.key, func(r rune) bool { return !isLabelRune(r) }); i >= 0 {
		c.report(join(o.at, "Key"), "may have letters, digits, '_', '-' and ':' only")
	}
	if strings.HasPrefix(m.key, labelPrefix) {
		for _, prefix := range []string{clientCountry, clientRegion, forwardCountry, forwardRegion} {
			m.places = m.places || strings.HasPrefix(m.key, prefix) || strings.HasPrefix(prefix, m.key)
		}
	}
	c.labelMatches = append(c.labelMatches, m)
	return m
}

// resolveLabels finds which labels match, once all are known. No rule sees those
// of a later one, as they are not there yet.
func (c *compiler) resolveLabels() {
	for _, m := range c.labelMatches {
		for n, label := range c.acl.labels {
			if m.matchesLabel(label) {
				m.matching.add(n)
			}
		}
	}
}

func isLabelRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == ':'
}

// reservedInLabels are words that AWS keeps for itself.
var reservedInLabels = []string{"aws", "waf", "managed", "rulegroup", "webacl", "regexpatternset", "ipset"}

// ruleLabels compiles RuleLabels.
func (c *compiler) ruleLabels(o object) (labels bitset) {
	for _, item := range o.list("RuleLabels", 0, 100) {
		l := c.object(item, "Name")
		name := l.string("Name", 1, 1024)
		parts := strings.Split(name, ":")
		if len(parts) > 6 {
			c.report(join(l.at, "Name"), "%q has more than 5 namespaces", name)
		}
		for _, part := range parts {
			switch {
			case part == "" || len(part) > 128 || strings.ContainsFunc(part, func(r rune) bool { return !isLabelRune(r) }):
				c.report(join(l.at, "Name"), "%q must be names of 1 to 128 letters, digits, '_' and '-' with ':' between them", name)
			case slices.Contains(reservedInLabels, part):
				c.report(join(l.at, "Name"), "%q is a word that AWS reserves; choose another", part)
			}
		}
		labels.add(c.label(c.acl.labelPrefix + name))
	}
	return labels
}

// label returns the number of a fully qualified label.
func (c *compiler) label(name string) int {
	n := slices.Index(c.acl.labels, name)
	if n >= 0 {
		return n
	}
	if len(c.acl.labels) == maxLabels {
		c.report("Rules", "they have more than %d labels", maxLabels)
		return 0
	}
	c.acl.labels = append(c.acl.labels, name)
	return len(c.acl.labels) - 1
}
