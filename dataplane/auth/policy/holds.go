package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// holds evaluates a condition. A missing key fails it, unless the operator
// forbids values, ends in IfExists, or is for all values.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
func (c *condition) holds(ctx *Context) bool {
	n := ctx.count(&c.key)
	if c.test == null {
		return n == 0 && c.on || n > 0 && c.off
	}
	if n == 0 {
		return c.ifExists || c.quantifier == forAll || c.quantifier == single && c.negate
	}
	// A single-valued operator forbids each value, or wants one of them.
	all := c.quantifier == forAll || c.quantifier == single && c.negate
	for i := range n {
		v := ctx.value(&c.key, i)
		if c.matches(&v) != c.negate != all {
			return !all
		}
	}
	return all
}

// matches reports whether a value is one of the policy's. A value that is not
// of the kind compared is none of them.
func (c *condition) matches(v *value) bool {
	switch c.test {
	case ipAddress:
		addr, ok := v.addr.Unmap().WithZone(""), true
		if v.form != addrForm {
			addr, ok = parseAddr(v)
		}
		return ok && slices.ContainsFunc(c.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
	case date:
		got, ok := time.Unix(0, v.at), true
		if v.form != timeForm && v.form != epochForm {
			got, ok = parseDate(v.text)
		}
		return ok && slices.ContainsFunc(c.dates, func(want time.Time) bool { return c.relation.holds(got.Compare(want)) })
	case numeric:
		got, ok := float64(v.at/1e9), true
		if v.form != epochForm {
			got, ok = parseNumber(v.text)
		}
		return ok && slices.ContainsFunc(c.numbers, func(want float64) bool { return c.relation.holds(cmp.Compare(got, want)) })
	case boolean:
		on, ok := v.on, true
		if v.form != boolForm {
			on, ok = parseBool(v.text)
		}
		return ok && (on && c.on || !on && c.off)
	}
	if v.form == textForm {
		return c.matchesText(v.text)
	}
	var buf [64]byte
	return c.matchesText(string(v.appendText(buf[:0])))
}

func (c *condition) matchesText(text string) bool {
	switch c.test {
	case stringEquals:
		return slices.Contains(c.texts, text)
	case stringEqualsFold:
		return slices.ContainsFunc(c.texts, func(want string) bool { return strings.EqualFold(want, text) })
	case stringLike:
		return slices.ContainsFunc(c.patterns, func(want pattern) bool { return want.match(text) })
	}
	a, ok := splitARN(text)
	return ok && slices.ContainsFunc(c.arns, func(want *arnPattern) bool { return want.match(&a) })
}

func parseAddr(v *value) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(v.text)
	return addr.Unmap().WithZone(""), err == nil
}
