package openapi

import (
	"net/url"
	"strconv"
	"strings"
)

// maxReferences bounds a chain of references that lead to references.
const maxReferences = 16

// resolve follows n as long as it is a Reference Object. The node it returns
// stands where the target stands, so a problem is reported there, once.
func (r *reader) resolve(n node) node {
	for range maxReferences {
		ref := n.get("$ref")
		if ref.absent() {
			return n
		}
		if !ref.isText() {
			r.add(ref, "must be a text such as #/components/parameters/id")
			return node{at: n.at, line: n.line}
		}
		for name, sibling := range n.fields() {
			if name != "$ref" && name != "summary" && name != "description" {
				r.add(sibling, "a field beside $ref has no effect; move it to the part that $ref names")
			}
		}
		target := r.lookUp(ref.Value)
		if target.absent() {
			r.add(ref, "%q names nothing in this document", clip(ref.Value))
			return node{at: n.at, line: n.line}
		}
		target.line = target.Line
		n = target
	}
	r.add(n, "references lead on and on; let $ref name the part itself")
	return node{at: n.at, line: n.line}
}

// lookUp follows a JSON pointer in a URI fragment (RFC 6901, section 6).
func (r *reader) lookUp(ref string) node {
	pointer, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	if err != nil || !strings.HasPrefix(pointer, "/") || strings.Count(pointer, "/") > maxDepth {
		return node{}
	}
	n := r.root
	for step := range strings.SplitSeq(pointer[1:], "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch {
		case n.isMapping():
			n = r.member(n, step)
		case n.isList():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(n.Content) {
				return node{}
			}
			n = node{n.Content[i], &place{n.at, "[" + step + "]"}, n.Content[i].Line}
		default:
			return node{}
		}
	}
	return n
}

// member is get for mappings that are asked again and again, such as
// components.parameters.
func (r *reader) member(n node, name string) node {
	index, known := r.indexes[n.Node]
	if !known {
		index = make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			index[n.Content[i].Value] = i
		}
		r.indexes[n.Node] = index
	}
	i, ok := index[name]
	if !ok {
		return node{at: n.at, line: n.line}
	}
	return n.step(n.Content[i], n.Content[i+1])
}

// objectWeight is what an object costs to build, in values: libopenapi takes up
// to two kilobytes for one.
const objectWeight = 8

// afford reports whether n may be read. What several references lead to is
// read, and paid for, each time.
func (r *reader) afford(n node) bool {
	cost := weight(n.Node)
	if n.isMapping() {
		cost *= objectWeight
	}
	if r.budget.spend(cost) {
		return true
	}
	r.add(node{}, "references make the document too large; refer to fewer or smaller parts")
	return false
}

// affordAll is afford for n and everything below it.
func (r *reader) affordAll(n node) bool {
	if !r.afford(n) {
		return false
	}
	for _, child := range n.Content {
		if !r.affordAll(node{Node: child}) {
			return false
		}
	}
	return true
}
