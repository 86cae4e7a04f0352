package waf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/waf/text"
)

// component is a part of a request that statements look at.
type component uint8

const (
	ofMethod component = iota
	ofPath
	ofQuery
	ofArgument  // of the query, by its name
	ofArguments // of the query, all
	ofHeader    // by its name
	ofHeaders
	ofCookie // by its name, for rates alone
	ofCookies
	ofBody
	ofJSON
)

// scope says which side of pairs is looked at.
type scope uint8

const (
	inKeys scope = 1 << iota
	inValues
)

// outcome is what a statement says of a component before it looks at it.
type outcome uint8

const (
	inspect outcome = iota // whatever is there
	matches
	fails
)

// view is a component of a request after text transformations. Statements that
// look at the same share one.
type view struct {
	component
	name     string   // of a header or an argument, lower case; of a cookie
	id       http1.ID // of a header
	scope    scope
	names    []string // of headers or cookies, sorted
	excluded bool     // names are those that are not looked at
	pointers [][]string
	oversize outcome // when there is more than is looked at
	invalid  outcome // when the body is no JSON
	asText   bool    // of a body that is no JSON
	chain    []text.Transformation
	literals *literals // that statements need; nil: they look themselves
}

// Names of FieldToMatch.
var components = []string{
	"SingleHeader", "Headers", "SingleQueryArgument", "AllQueryArguments", "UriPath", "QueryString", "Method", "Body", "JsonBody", "Cookies",
}

// Bounds of AWS's for FieldToMatch and TextTransformations.
const (
	maxNameBytes       = 256
	maxFilterNames     = 199
	maxPointers        = 100
	maxTransformations = 10
)

// view compiles FieldToMatch and TextTransformations of a statement, and returns
// the number of the view.
func (c *compiler) view(o object) int {
	v := c.field(o.need("FieldToMatch"))
	v.chain = c.chain(o)
	return c.viewNumber(v)
}

// viewNumber finds the view, or adds it.
func (c *compiler) viewNumber(v view) int {
	if v.component >= ofBody {
		c.needsBody = true
	}
	key := fmt.Sprintf("%#v", v)
	n, ok := c.viewNumbers[key]
	if !ok {
		n = len(c.acl.views)
		c.acl.views = append(c.acl.views, v)
		c.viewNumbers[key] = n
	}
	return n
}

// chain compiles TextTransformations, in the order of their priorities.
func (c *compiler) chain(o object) []text.Transformation {
	type step struct {
		priority int64
		text.Transformation
	}
	var steps []step
	for _, item := range o.list("TextTransformations", 1, maxTransformations) {
		t := c.object(item, "Priority", "Type")
		next := step{priority: t.number("Priority", 0, maxPriority)}
		name := t.string("Type", 1, maxNameBytes)
		var ok bool
		if next.Transformation, ok = text.Parse(name); !ok {
			c.report(join(t.at, "Type"), "%q is no text transformation; there are %s", name, strings.Join(text.Names(), ", "))
		}
		if slices.ContainsFunc(steps, func(s step) bool { return s.priority == next.priority }) {
			c.report(join(t.at, "Priority"), "%d is given twice; give each transformation its own", next.priority)
		}
		steps = append(steps, next)
	}
	slices.SortFunc(steps, func(a, b step) int { return int(a.priority - b.priority) })
	var chain []text.Transformation
	for _, s := range steps {
		if s.Transformation != text.None {
			chain = append(chain, s.Transformation)
		}
	}
	return chain
}

// field compiles FieldToMatch.
func (c *compiler) field(v value) view {
	name, spec := c.only(v, components...)
	switch name {
	case "SingleHeader":
		return c.header(spec)
	case "Headers":
		return c.pairs(spec, ofHeaders, "IncludedHeaders", "ExcludedHeaders")
	case "Cookies":
		return c.pairs(spec, ofCookies, "IncludedCookies", "ExcludedCookies")
	case "SingleQueryArgument":
		return view{component: ofArgument, name: strings.ToLower(c.object(spec, "Name").string("Name", 1, maxNameBytes))}
	case "Body":
		o := c.object(spec, "OversizeHandling")
		return view{component: ofBody, oversize: o.oversize(false)}
	case "JsonBody":
		return c.jsonBody(spec)
	}
	c.empty(spec)
	return view{component: map[string]component{"Method": ofMethod, "UriPath": ofPath, "QueryString": ofQuery, "AllQueryArguments": ofArguments}[name]}
}

func (c *compiler) header(spec value) view {
	name := strings.ToLower(c.object(spec, "Name").string("Name", 1, maxNameBytes))
	return view{component: ofHeader, name: name, id: http1.FindID([]byte(name))}
}

var outcomes = map[string]outcome{"CONTINUE": inspect, "MATCH": matches, "NO_MATCH": fails}

func (o object) oversize(needed bool) outcome {
	return outcomes[o.choice("OversizeHandling", needed, "CONTINUE", "MATCH", "NO_MATCH")]
}

func (o object) scope() scope {
	return map[string]scope{"ALL": inKeys | inValues, "KEY": inKeys, "VALUE": inValues}[o.choice("MatchScope", true, "ALL", "KEY", "VALUE")]
}

// pairs compiles Headers and Cookies. The names of headers are looked for in any
// case, those of cookies as they are.
func (c *compiler) pairs(spec value, of component, included, excluded string) view {
	o := c.object(spec, "MatchPattern", "MatchScope", "OversizeHandling")
	v := view{component: of, scope: o.scope(), oversize: o.oversize(true)}
	which, filter := c.only(o.need("MatchPattern"), "All", included, excluded)
	if which == "All" {
		c.empty(filter)
		v.excluded = true // none is
		return v
	}
	v.excluded = which == excluded
	pattern := object{&c.problem, o.members["MatchPattern"]}
	for _, item := range pattern.list(which, 1, maxFilterNames) {
		name := c.textOf(item, 1, maxNameBytes)
		if of == ofHeaders {
			name = strings.ToLower(name)
		}
		v.names = append(v.names, name)
	}
	slices.Sort(v.names)
	return v
}

func (c *compiler) jsonBody(spec value) view {
	o := c.object(spec, "MatchPattern", "MatchScope", "InvalidFallbackBehavior", "OversizeHandling")
	v := view{component: ofJSON, scope: o.scope(), oversize: o.oversize(false)}
	if o.has("InvalidFallbackBehavior") {
		switch o.choice("InvalidFallbackBehavior", true, "MATCH", "NO_MATCH", "EVALUATE_AS_STRING") {
		case "MATCH":
			v.invalid = matches
		case "NO_MATCH":
			v.invalid = fails
		case "EVALUATE_AS_STRING":
			v.asText = true
		}
	}
	which, filter := c.only(o.need("MatchPattern"), "All", "IncludedPaths")
	if which == "All" {
		c.empty(filter)
		return v
	}
	pattern := object{&c.problem, o.members["MatchPattern"]}
	for _, item := range pattern.list(which, 1, maxPointers) {
		v.pointers = append(v.pointers, c.pointer(item))
	}
	return v
}

// pointer reads a JSON Pointer (RFC 6901).
func (c *compiler) pointer(item value) []string {
	p := c.textOf(item, 1, 512)
	if !strings.HasPrefix(p, "/") {
		c.report(item.at, `%q is no JSON Pointer; write it like "/dogs/0/name"`, p)
		return nil
	}
	tokens := strings.Split(p[1:], "/")
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if strings.Contains(strings.NewReplacer("~1", "", "~0", "").Replace(token), "~") {
			c.report(item.at, `%q has a "~" that is neither "~0" nor "~1"`, p)
		}
	}
	return tokens
}
