package waf

import (
	"encoding/base64"
	"maps"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Bounds of statements, AWS's but for those of expressions.
const (
	maxSearchBytes  = 200
	maxNesting      = 16     // of statements within statements
	maxPatternBytes = 512    // of a regular expression
	maxInstructions = 10_000 // of the program that it becomes
	maxStatements   = 100    // of a logical one

	maxPatternsInSet = 100
)

// nestable are the statements that others may have within them.
var nestable = []string{
	"ByteMatchStatement", "RegexMatchStatement", "RegexPatternSetReferenceStatement", "SizeConstraintStatement", "IPSetReferenceStatement",
	"GeoMatchStatement", "LabelMatchStatement", "AndStatement", "OrStatement", "NotStatement",
}

// refused are statements of AWS's that there are not here, with what to do.
var refused = map[string]string{
	"SqliMatchStatement":          "use a ManagedRuleGroupStatement of VendorName AWS and Name AWSManagedRulesSQLiRuleSet",
	"XssMatchStatement":           "use a ManagedRuleGroupStatement of VendorName AWS and Name AWSManagedRulesCommonRuleSet",
	"RuleGroupReferenceStatement": "write the rules of the group into the web ACL",
	"AsnMatchStatement":           "use an IPSetReferenceStatement with the address ranges of the network",
}

// place of a statement in its rule, as far as it matters.
type standing struct {
	depth int

	// direct says that the rule blocks whom this statement matches, whatever
	// others say.
	direct bool
}

func (s standing) within(direct bool) standing {
	return standing{s.depth + 1, s.direct && direct}
}

// statement compiles a statement that may be nested.
func (c *compiler) statement(v value, s standing) matcher {
	if s.depth > maxNesting {
		c.report(v.at, "is more than %d statements deep; write simpler rules", maxNesting)
		return anyOf(nil)
	}
	name, spec := c.choose(v, nestable)
	switch name {
	case "ByteMatchStatement":
		return c.byteMatch(spec)
	case "RegexMatchStatement":
		o := c.object(spec, "RegexString", "FieldToMatch", "TextTransformations")
		m := &regexMatch{view: c.view(o), patterns: []*regexp.Regexp{c.pattern(join(o.at, "RegexString"), o.string("RegexString", 1, maxPatternBytes))}}
		c.regexNeed(m)
		return m
	case "RegexPatternSetReferenceStatement":
		return c.patternSet(spec)
	case "SizeConstraintStatement":
		o := c.object(spec, "ComparisonOperator", "Size", "FieldToMatch", "TextTransformations")
		return &sizeMatch{c.view(o), o.choice("ComparisonOperator", true, "EQ", "NE", "LE", "LT", "GE", "GT"), o.number("Size", 0, math.MaxInt64)}
	case "IPSetReferenceStatement":
		return c.ipSet(spec, s)
	case "GeoMatchStatement":
		return c.geoMatch(spec)
	case "LabelMatchStatement":
		return c.labelMatch(spec)
	case "AndStatement":
		return allOf(c.several(spec, s.within(false)))
	case "OrStatement":
		return anyOf(c.several(spec, s.within(true)))
	case "NotStatement":
		return not{c.statement(c.object(spec, "Statement").need("Statement"), s.within(false))}
	}
	return anyOf(nil) // the reason has been reported
}

// choose returns the one statement that v has, of those named, with a reason for
// each that there is not.
func (c *compiler) choose(v value, names []string) (name string, spec value) {
	for _, name := range slices.Sorted(maps.Keys(v.members)) {
		at := join(v.at, name)
		switch instead, known := refused[name]; {
		case known:
			c.report(at, "is not supported; %s", instead)
		case !slices.Contains(names, name) && (name == "RateBasedStatement" || name == "ManagedRuleGroupStatement"):
			c.report(at, "cannot be within another statement; make it the statement of a rule")
		}
	}
	return c.only(v, names...)
}

func (c *compiler) several(spec value, s standing) (all []matcher) {
	for _, item := range c.object(spec, "Statements").list("Statements", 2, maxStatements) {
		all = append(all, c.statement(item, s))
	}
	return all
}

func (c *compiler) byteMatch(spec value) matcher {
	o := c.object(spec, "SearchString", "PositionalConstraint", "FieldToMatch", "TextTransformations")
	m := &byteMatch{view: c.view(o)}
	m.where = map[string]constraint{
		"CONTAINS": contains, "CONTAINS_WORD": containsWord, "EXACTLY": exactly, "STARTS_WITH": startsWith, "ENDS_WITH": endsWith,
	}[o.choice("PositionalConstraint", true, "CONTAINS", "CONTAINS_WORD", "EXACTLY", "STARTS_WITH", "ENDS_WITH")]
	encoded := o.string("SearchString", 1, 2*maxSearchBytes)
	var err error
	at := join(o.at, "SearchString")
	if m.needle, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		c.report(at, "%q is not in base64, as the AWS API has it; write %q", encoded, base64.StdEncoding.EncodeToString([]byte(encoded)))
	}
	switch {
	case len(m.needle) > maxSearchBytes:
		c.report(at, "has %d bytes, more than %d", len(m.needle), maxSearchBytes)
	case m.where == containsWord && slices.ContainsFunc(m.needle, func(c byte) bool { return !isWord(c) }):
		c.report(at, "%q is no word, which CONTAINS_WORD needs: letters, digits and '_'", m.needle)
	}
	c.byteNeed(m)
	return m
}

// pattern compiles a regular expression. RE2's take time in proportion to the
// text, whatever the expression.
func (p *problem) pattern(at, text string) *regexp.Regexp {
	re, err := regexp.Compile(text)
	if err != nil {
		p.report(at, "%q: %v; expressions are RE2's, without lookaround and backreferences: https://github.com/google/re2/wiki/Syntax", text, err)
		return nil
	}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		if program, err := syntax.Compile(tree.Simplify()); err == nil && len(program.Inst) > maxInstructions {
			p.report(at, "%q becomes a program of %d instructions, more than %d; repeat less", text, len(program.Inst), maxInstructions)
		}
	}
	return re
}

func (c *compiler) patternSet(spec value) matcher {
	o := c.object(spec, "ARN", "FieldToMatch", "TextTransformations")
	m := &regexMatch{view: c.view(o)}
	id, name := c.reference(o, "regexpatternset")
	set := referred(c.patterns, id, name, func(set *definition.RegexPatternSet) string { return set.Name })
	if set == nil {
		c.report(join(o.at, "ARN"), "there is no regex pattern set %s", id)
		return m
	}
	c.acl.patternSets = append(c.acl.patternSets, set)
	m.patterns = c.patternsOf(set, join(o.at, "ARN"))
	c.regexNeed(m)
	return m
}

// patternsOf compiles the expressions of a set.
func (p *problem) patternsOf(set *definition.RegexPatternSet, at string) (all []*regexp.Regexp) {
	if n := len(set.RegularExpressions); n == 0 || n > maxPatternsInSet {
		p.report(at, "the set %s must have 1 to %d expressions, and has %d", set.Name, maxPatternsInSet, n)
		return nil
	}
	for i, text := range set.RegularExpressions {
		if text == "" || len(text) > maxPatternBytes {
			p.report(at, "expression %d of the set %s must have 1 to %d bytes, and has %d", i, set.Name, maxPatternBytes, len(text))
			continue
		}
		all = append(all, p.pattern(at, text))
	}
	return all
}

// CheckPatterns says what is wrong with a set of regular expressions, before a
// rule names it.
func CheckPatterns(set *definition.RegexPatternSet) error {
	var p problem
	p.patternsOf(set, "regularExpressionList")
	return p.err
}

func (c *compiler) ipSet(spec value, s standing) matcher {
	o := c.object(spec, "ARN", "IPSetForwardedIPConfig")
	id, name := c.reference(o, "ipset")
	set := referred(c.ipSets, id, name, func(set *definition.IPSet) string { return set.Name })
	if set == nil {
		c.report(join(o.at, "ARN"), "there is no IP set %s", id)
		return anyOf(nil)
	}
	forwarded := o.has("IPSetForwardedIPConfig")
	if set.KernelGate && (forwarded || !s.direct) {
		c.report(join(o.at, "ARN"), "the IP set %s keeps its addresses out of the whole host, so that it can only be in a rule that blocks them: "+
			"by itself or in an OrStatement, and without IPSetForwardedIPConfig", set.Name)
	}
	table := c.store.table(set)
	if !forwarded {
		n := slices.Index(c.acl.sets, table)
		if n < 0 {
			n = len(c.acl.sets)
			c.acl.sets = append(c.acl.sets, table)
			c.acl.ipSets = append(c.acl.ipSets, set)
		}
		return &setMatch{n}
	}
	c.acl.ipSets = append(c.acl.ipSets, set)
	f := c.object(o.members["IPSetForwardedIPConfig"], "HeaderName", "FallbackBehavior", "Position")
	m := &forwardedSetMatch{set: table}
	m.forwarder, m.fallback = c.forwarder(f)
	m.position = map[string]position{"FIRST": firstHop, "LAST": lastHop, "ANY": anyHop}[f.choice("Position", true, "FIRST", "LAST", "ANY")]
	return m
}

// forwarder compiles what the configurations of forwarded addresses share.
func (c *compiler) forwarder(o object) (n int, fallback bool) {
	h := c.header(value{at: o.at, kind: isObject, members: map[string]value{"Name": o.need("HeaderName")}})
	fallback = o.choice("FallbackBehavior", true, "MATCH", "NO_MATCH") == "MATCH"
	f := forwarder{h.name, h.id}
	if n = slices.Index(c.acl.forwarders, f); n < 0 {
		n = len(c.acl.forwarders)
		c.acl.forwarders = append(c.acl.forwarders, f)
	}
	return n, fallback
}

// referred finds the set that a reference is to.
func referred[T any](sets map[string]*T, id, name string, nameOf func(*T) string) *T {
	set := sets[id]
	switch {
	case set != nil && name != "" && nameOf(set) != name:
		return nil
	case set != nil || name != "":
		return set
	}
	for _, set := range sets {
		if nameOf(set) == id {
			return set
		}
	}
	return nil
}

// reference reads an ARN, arn:aws:wafv2:REGION:ACCOUNT:regional/KIND/NAME/ID, or
// the id or the name alone, as the id. The name is empty then.
func (c *compiler) reference(o object, of string) (id, name string) {
	arn := o.string("ARN", 1, 2048)
	if !strings.HasPrefix(arn, "arn:") {
		return arn, ""
	}
	parts := strings.SplitN(arn, ":", 6)
	path := strings.Split(parts[len(parts)-1], "/")
	if len(parts) != 6 || parts[2] != "wafv2" || parts[3] != c.options.Region || parts[4] != c.options.Account || len(path) != 4 || path[0] != "regional" || path[1] != of {
		c.report(join(o.at, "ARN"), "%q is not arn:aws:wafv2:%s:%s:regional/%s/NAME/ID", arn, c.options.Region, c.options.Account, of)
		return arn, ""
	}
	return path[3], path[2]
}
