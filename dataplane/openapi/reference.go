package openapi

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/document"
)

// maxReferences bounds a chain of references that lead to references.
const maxReferences = 16

// resolve follows n as long as it is a Reference Object. The node it returns
// stands where the target stands, so a problem is reported there, once.
func (r *reader) resolve(n document.Node) document.Node {
	for range maxReferences {
		ref := n.Get("$ref")
		if ref.Absent() {
			return n
		}
		if !ref.IsText() {
			r.Add(ref, "must be a text such as #/components/parameters/id")
			return n.Here()
		}
		for name, sibling := range n.Fields() {
			if name != "$ref" && name != "summary" && name != "description" {
				r.Add(sibling, "a field beside $ref has no effect; move it to the part that $ref names")
			}
		}
		target := r.lookUp(ref.Value)
		if target.Absent() {
			r.Add(ref, "%q names nothing in this document", document.Clip(ref.Value))
			return n.Here()
		}
		target.KeyLine = target.Line
		n = target
	}
	r.Add(n, "references lead on and on; let $ref name the part itself")
	return n.Here()
}

// lookUp follows a JSON pointer in a URI fragment (RFC 6901, section 6).
func (r *reader) lookUp(ref string) document.Node {
	pointer, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	if err != nil || !strings.HasPrefix(pointer, "/") || strings.Count(pointer, "/") > document.MaxDepth {
		return document.Node{}
	}
	n := r.root
	for step := range strings.SplitSeq(pointer[1:], "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch {
		case n.IsMapping():
			n = r.member(n, step)
		case n.IsList():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(n.Content) {
				return document.Node{}
			}
			n = n.Item(i)
		default:
			return document.Node{}
		}
	}
	return n
}

// member is get for mappings that are asked again and again, such as
// components.parameters.
func (r *reader) member(n document.Node, name string) document.Node {
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
		return n.Here()
	}
	return n.Step(n.Content[i], n.Content[i+1])
}

// objectWeight is what an object costs to build, in values: libopenapi takes up
// to two kilobytes for one.
const objectWeight = 8

// afford reports whether n may be read. What several references lead to is
// read, and paid for, each time.
func (r *reader) afford(n document.Node) bool {
	cost := document.Weight(n.Node)
	if n.IsMapping() {
		cost *= objectWeight
	}
	if r.budget.Spend(cost) {
		return true
	}
	r.Add(document.Node{}, "references make the document too large; refer to fewer or smaller parts")
	return false
}

// affordAll is afford for n and everything below it.
func (r *reader) affordAll(n document.Node) bool {
	if !r.afford(n) {
		return false
	}
	for _, child := range n.Content {
		if !r.affordAll(document.Node{Node: child}) {
			return false
		}
	}
	return true
}
