package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// condition is one key of a Condition block: the operator and, compiled, the
// policy's values. Only the slice of the operator's test is set.
type condition struct {
	operator
	quantifier quantifier
	ifExists   bool
	key        key

	texts    []string
	patterns []pattern
	arns     []*arnPattern
	numbers  []float64
	dates    []time.Time
	prefixes []netip.Prefix
	on, off  bool // of boolean and null: which of them are wanted
}

// compileConditions reads a Condition block, all of which has to hold.
func (x *syntax) compileConditions(n *node, at string) ([]condition, error) {
	if n.kind != isObject {
		return nil, fmt.Errorf("%s: must be an object", at)
	}
	var all []condition
	for i := range n.members {
		block := &n.members[i]
		place := join(at, block.name)
		o, q, ifExists, ok := findOperator(block.name)
		if !ok {
			return nil, fmt.Errorf("%s: unknown operator", place)
		}
		if block.value.kind != isObject || len(block.value.members) == 0 {
			return nil, fmt.Errorf("%s: must be an object of keys and values", place)
		}
		for j := range block.value.members {
			m := &block.value.members[j]
			place := join(place, m.name)
			if service, name, ok := strings.Cut(m.name, ":"); !ok || service == "" || name == "" {
				return nil, fmt.Errorf("%s: not a condition key", place)
			}
			c := condition{operator: o, quantifier: q, ifExists: ifExists, key: findKey(m.name)}
			items, where := m.value.list(place)
			if len(items) == 0 {
				return nil, fmt.Errorf("%s: has no values", place)
			}
			for k := range items {
				if kind := items[k].kind; kind != isString && kind != isNumber && kind != isBool {
					return nil, fmt.Errorf("%s: must be a string, number or bool", where(k))
				}
				if err := x.add(&c, items[k].text); err != nil {
					return nil, fmt.Errorf("%s: %w", where(k), err)
				}
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// add compiles one of the policy's values.
func (x *syntax) add(c *condition, text string) (err error) {
	switch c.test {
	case stringEquals, stringEqualsFold:
		text, err = x.expand(text, false)
		c.texts = append(c.texts, text)
	case stringLike:
		var p pattern
		if text, err = x.expand(text, true); err == nil {
			p, err = compilePattern(text)
		}
		c.patterns = append(c.patterns, p)
	case arnLike:
		var a *arnPattern
		a, err = x.compileARN(text)
		c.arns = append(c.arns, a)
	case numeric:
		n, ok := parseNumber(text)
		if !ok {
			return fmt.Errorf("%q is not a number", text)
		}
		c.numbers = append(c.numbers, n)
	case date:
		d, ok := parseDate(text)
		if !ok {
			return fmt.Errorf("%q is not a date", text)
		}
		c.dates = append(c.dates, d)
	case ipAddress:
		p, ok := parsePrefix(text)
		if !ok {
			return fmt.Errorf("%q is neither an address nor a prefix", text)
		}
		c.prefixes = append(c.prefixes, p)
	case boolean, null:
		on, ok := parseBool(text)
		if !ok {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		c.on, c.off = c.on || on, c.off || !on
	}
	return err
}

func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "0123456789+-.eE") != "" { // no hexadecimals, infinities, underscores
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// parseDate reads the forms of ISO 8601 that W3C names, or seconds since the
// Unix epoch. Source: https://www.w3.org/TR/NOTE-datetime
func parseDate(text string) (time.Time, bool) {
	if len(text) < 7 || text[4] != '-' {
		seconds, err := strconv.ParseInt(text, 10, 64)
		return time.Unix(seconds, 0), err == nil && len(text) > 4 // four digits are a year
	}
	layout := time.RFC3339
	switch {
	case len(text) == len("2006-01"):
		layout = "2006-01"
	case len(text) == len(time.DateOnly):
		layout = time.DateOnly
	case len(text) > 16 && text[16] != ':':
		layout = "2006-01-02T15:04Z07:00"
	}
	d, err := time.Parse(layout, text)
	return d, err == nil
}

func parsePrefix(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func parseBool(text string) (on, ok bool) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, true
	case strings.EqualFold(text, "false"):
		return false, true
	}
	return false, false
}
