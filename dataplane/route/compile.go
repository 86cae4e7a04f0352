package route

import (
	"fmt"
	"strings"
	"unique"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Compile builds the Tree of a body. It calls method once for each method of
// each resource, in the order of the paths and of definition.Verbs with ANY
// last, and keeps what it returns.
//
// An error names the resource: one that AWS refuses too (two variables side by
// side, a child of a greedy variable), one deeper than MaxParams, or one whose
// method failed to compile.
func Compile[T any](body *definition.Body, method func(res *definition.Resource, m *definition.Method) (T, error)) (*Tree[T], error) {
	n := len(body.Resources)
	t := &Tree[T]{nodes: make([]node, 2, n+2)}
	b := builder[T]{
		tree:    t,
		method:  method,
		statics: make(map[edge]uint32, n),
		defined: make([]bool, 2, n+2),
	}
	for _, res := range body.Resources {
		if err := b.add(res); err != nil {
			return nil, fmt.Errorf("resource %q: %w", res.Path, err)
		}
	}
	// A node is always after its parent, so one pass backwards is enough.
	for i := len(t.nodes) - 1; i > int(root); i-- {
		t.nodes[t.nodes[i].parent].reach |= t.nodes[i].reach
	}
	t.edges = newEdges(t.nodes)
	return t, nil
}

type builder[T any] struct {
	tree    *Tree[T]
	method  func(*definition.Resource, *definition.Method) (T, error)
	statics map[edge]uint32
	defined []bool // by node: a resource of its own, not only on the way to one
}

type edge struct {
	parent  uint32
	segment string
}

func (b *builder[T]) add(res *definition.Resource) error {
	at := root
	rest, ok := strings.CutPrefix(res.Path, "/")
	if !ok {
		return fmt.Errorf("the path must begin with a slash")
	}
	for more := rest != ""; more; {
		var part string
		part, rest, more = strings.Cut(rest, "/")
		var err error
		if at, err = b.child(at, part); err != nil {
			return err
		}
	}
	if b.defined[at] {
		return fmt.Errorf("another resource has the same path; remove one of them")
	}
	b.defined[at] = true
	return b.methods(at, res)
}

// child returns the child of a node for a path part, making it if need be.
func (b *builder[T]) child(at uint32, part string) (uint32, error) {
	t := b.tree
	parent := t.nodes[at]
	if parent.greedy {
		return none, fmt.Errorf("cannot create a child of a resource with a greedy path variable: {%s+}", parent.name)
	}
	if parent.depth == MaxParams {
		return none, fmt.Errorf("the path has more than %d segments; shorten it or end it in a greedy variable", MaxParams)
	}
	name, greedy, variable, err := parsePart(part)
	if err != nil {
		return none, err
	}
	made := node{name: part, parent: at, depth: parent.depth + 1, params: parent.params}
	if !variable {
		if child, ok := b.statics[edge{at, part}]; ok {
			return child, nil
		}
		b.statics[edge{at, part}] = uint32(len(t.nodes))
		t.nodes[at].statics = true
		t.longest = max(t.longest, len(part))
	} else {
		if parent.varChild != none {
			sibling := &t.nodes[parent.varChild]
			if sibling.name == name && sibling.greedy == greedy {
				return parent.varChild, nil
			}
			return none, fmt.Errorf("a sibling of %s already has a variable path part, %s: only one is allowed; give both the same name", part, sibling.part())
		}
		made.name, made.variable, made.greedy = name, true, greedy
		made.params++
		t.nodes[at].varChild = uint32(len(t.nodes))
	}
	made.name = unique.Make(made.name).Value() // APIs have many names in common; so they stay in the CPU's cache
	t.depth = max(t.depth, int(made.depth))
	t.nodes = append(t.nodes, made)
	b.defined = append(b.defined, false)
	return uint32(len(t.nodes) - 1), nil
}

// methods compiles the methods of a resource. A verb of its own beats ANY.
func (b *builder[T]) methods(at uint32, res *definition.Resource) error {
	var own [Put + 1]T
	var usable verbSet
	known := 0
	compile := func(verb string) (value T, ok bool, err error) {
		m := res.Methods[verb]
		if m == nil {
			return value, false, nil
		}
		known++
		if value, err = b.method(res, m); err != nil {
			return value, false, fmt.Errorf("%s: %w", verb, err)
		}
		return value, true, nil
	}
	for v := Delete; v <= Put; v++ {
		value, ok, err := compile(v.String())
		if err != nil {
			return err
		}
		if ok {
			own[v] = value
			usable |= 1 << v
		}
	}
	value, ok, err := compile(definition.MethodAny)
	if err != nil {
		return err
	}
	if ok {
		for v := Delete; v <= Put; v++ {
			if !usable.has(v) {
				own[v] = value
			}
		}
		usable = allVerbs
	}
	if known != len(res.Methods) {
		return fmt.Errorf("it has a method that is none of %s, %s", strings.Join(definition.Verbs, ", "), definition.MethodAny)
	}
	t := b.tree
	n := &t.nodes[at]
	n.value, n.usable, n.reach = uint32(len(t.values)), usable, usable
	for v := Delete; v <= Put; v++ {
		if usable.has(v) {
			t.values = append(t.values, own[v])
		}
	}
	return nil
}

func (n *node) part() string {
	if n.greedy {
		return "{" + n.name + "+}"
	}
	return "{" + n.name + "}"
}

// parsePart reads "pets", "{id}" or "{proxy+}".
func parsePart(part string) (name string, greedy, variable bool, err error) {
	if part == "" {
		return "", false, false, fmt.Errorf("the path has an empty segment; remove the extra slash")
	}
	if !strings.ContainsAny(part, "{}") {
		return "", false, false, nil
	}
	name = strings.TrimSuffix(strings.TrimPrefix(part, "{"), "}")
	if len(name) != len(part)-2 {
		return "", false, false, fmt.Errorf("path part %q: a variable must fill its whole segment, such as {id} or {proxy+}", part)
	}
	name, greedy = strings.CutSuffix(name, "+")
	if name == "" || strings.ContainsAny(name, "{}+") {
		return "", false, false, fmt.Errorf("path part %q: the variable needs a name without braces and plus signs", part)
	}
	return name, greedy, true, nil
}
