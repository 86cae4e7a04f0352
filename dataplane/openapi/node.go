package openapi

import (
	"iter"
	"strconv"
	"strings"

	"github.com/pb33f/go-yaml"
)

// node is a value of the document together with where it stands. The zero
// node is an absent value.
type node struct {
	*yaml.Node
	at   *place
	line int // of the key that names the value, else of the value
}

// place is a path from the root of the document, the last step first, so that
// a step costs nothing until a problem prints it.
type place struct {
	up   *place
	name string
}

// String returns the path with dots: "paths./pets.get.parameters[0]".
func (p *place) String() string {
	if p == nil {
		return ""
	}
	up, name := p.up.String(), clip(p.name)
	if up == "" || strings.HasPrefix(name, "[") {
		return up + name
	}
	return up + "." + name
}

func (n node) absent() bool { return n.Node == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (n node) isMapping() bool { return n.Node != nil && n.Kind == yaml.MappingNode }

func (n node) isList() bool { return n.Node != nil && n.Kind == yaml.SequenceNode }

func (n node) isScalar() bool { return n.Node != nil && n.Kind == yaml.ScalarNode }

// isText reports a string as opposed to a number, a boolean or null.
func (n node) isText() bool { return n.isScalar() && n.Tag == "!!str" }

// step returns the child v that key k names.
func (n node) step(k, v *yaml.Node) node {
	return node{v, &place{n.at, k.Value}, k.Line}
}

// fields yields the members of a mapping in document order.
func (n node) fields() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		if !n.isMapping() {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.step(n.Content[i], n.Content[i+1])) {
				return
			}
		}
	}
}

// items yields the elements of a list.
func (n node) items() iter.Seq2[int, node] {
	return func(yield func(int, node) bool) {
		if !n.isList() {
			return
		}
		for i, v := range n.Content {
			if !yield(i, node{v, &place{n.at, "[" + strconv.Itoa(i) + "]"}, v.Line}) {
				return
			}
		}
	}
}

// get returns the member of a mapping, or a node that is absent and stands
// where the member would.
func (n node) get(key string) node {
	if n.isMapping() {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.step(n.Content[i], n.Content[i+1])
			}
		}
	}
	return node{nil, &place{n.at, key}, n.line}
}

// mapping returns n if it is a mapping; absent and wrong values give a node
// without fields, a wrong one also a problem.
func (p *problems) mapping(n node) node {
	if n.absent() || n.isMapping() {
		return n
	}
	p.add(n, "must be a mapping of names to values")
	return node{nil, n.at, n.line}
}

// list is mapping for lists.
func (p *problems) list(n node) node {
	if n.absent() || n.isList() {
		return n
	}
	p.add(n, "must be a list")
	return node{nil, n.at, n.line}
}

// text returns the text of a scalar, numbers as they are written, and "" with
// a problem for anything else. Absent is "".
func (p *problems) text(n node) string {
	if n.absent() {
		return ""
	}
	if !n.isScalar() {
		p.add(n, "must be a text")
		return ""
	}
	return n.Value
}

func (p *problems) boolean(n node) bool {
	if n.absent() {
		return false
	}
	if !n.isScalar() || n.Tag != "!!bool" {
		p.add(n, "must be true or false")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}
