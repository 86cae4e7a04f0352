// Package route finds what a request is for: the stage by host and path
// (Table), then the resource and method inside the stage's deployment (Tree).
//
// Everything here is compiled once, is immutable afterwards, and may be read
// by any number of goroutines. Look-ups do not allocate.
package route

import "math/bits"

// MaxParams is the number of segments a resource's path may have, and so the
// number of path parameters it may have. A greedy parameter counts as one,
// however many segments of a request it takes.
const MaxParams = 32

// Tree is the resource tree of one deployment. T is what a method was compiled
// to.
//
// A resource sits at a depth equal to the number of segments before it, so a
// look-up visits a node at most once however it backtracks: its cost is bounded
// by the length of the path plus the number of nodes, and subtrees without a
// usable method are not entered at all.
type Tree[T any] struct {
	nodes   []node // nodes[0] stands for "none", nodes[1] is the root
	edges   edges
	values  []T
	depth   int // of the deepest node
	longest int // bytes in the longest static segment
}

const (
	none uint32 = 0
	root uint32 = 1
)

type node struct {
	name     string // the segment, or the parameter's name
	parent   uint32
	varChild uint32 // the one child that is {name} or {name+}
	value    uint32 // index of the first usable verb's value
	depth    uint8
	params   uint8   // variable nodes from the root to this one
	usable   verbSet // verbs answered by this resource
	reach    verbSet // verbs answered by this resource or one below it
	statics  bool    // has static children
	variable bool    // is {name} or {name+}
	greedy   bool    // is {name+}
}

// Param is one path parameter of a Match: the bytes Start to End of the path
// that was given to Lookup, percent-encoding untouched.
type Param struct {
	Name       string
	Start, End uint32
}

// Match receives the outcome of a look-up. The caller owns it and reuses it; it
// points into nothing but the Tree.
type Match struct {
	Params [MaxParams]Param // in the order of the path; the first N are set
	N      int

	// Start is where the resource path begins in the path given to Lookup: at
	// the last of its leading slashes.
	Start int

	// Segment i of the path ends at ends[i]; it begins one after the end of the
	// segment before it.
	ends     [MaxParams + 1]uint32
	segments int // at most one more than the Tree is deep
	end      int // of the path, less one trailing slash
}

// Value returns the bytes of parameter i; path is the one given to Lookup.
func (m *Match) Value(path []byte, i int) []byte {
	return path[m.Params[i].Start:m.Params[i].End]
}

// Lookup finds the method for a path and a verb as AWS REST APIs do. The path
// is what follows the stage or base path: empty, or beginning with a slash.
//
// Leading slashes count as one, one trailing slash is ignored, and nothing is
// decoded. Segment by segment a static child is preferred to {name}, and {name}
// to {name+}, among the resources that have a method for the verb. When ok is
// false, nothing of m but Start is meaningful.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
// and recorded behaviour.
func (t *Tree[T]) Lookup(path []byte, verb Verb, m *Match) (value T, ok bool) {
	if !m.split(path, t.depth) {
		return value, false
	}
	found := t.find(root, 0, path, verb, m)
	if found == none {
		return value, false
	}
	n := &t.nodes[found]
	t.fill(n, m)
	before := n.usable & (1<<verb - 1)
	return t.values[n.value+uint32(bits.OnesCount8(uint8(before)))], true
}

// find returns the best resource for the segments from depth on, at or below
// the node at, which is not greedy and stands for the segments before.
func (t *Tree[T]) find(at uint32, depth int, path []byte, verb Verb, m *Match) uint32 {
	n := &t.nodes[at]
	if !n.reach.has(verb) {
		return none
	}
	if depth == m.segments {
		if n.usable.has(verb) {
			return at
		}
		return none
	}
	if !n.statics && n.varChild == none {
		return none
	}
	start, end := m.segment(depth)
	if n.statics && end-start <= t.longest {
		if child := t.edges.lookup(t.nodes, at, path[start:end]); child != none {
			if found := t.find(child, depth+1, path, verb, m); found != none {
				return found
			}
		}
	}
	if n.varChild == none {
		return none
	}
	if v := &t.nodes[n.varChild]; v.greedy {
		if start < m.end && v.usable.has(verb) {
			return n.varChild
		}
		return none
	}
	if start == end {
		return none // {name} takes no empty segment
	}
	return t.find(n.varChild, depth+1, path, verb, m)
}

// fill sets the parameters of m from the variable nodes between n and the root.
func (t *Tree[T]) fill(n *node, m *Match) {
	m.N = int(n.params)
	for i := m.N; i > 0; n = &t.nodes[n.parent] {
		if !n.variable {
			continue
		}
		i--
		start, end := m.segment(int(n.depth) - 1)
		if n.greedy {
			end = m.end
		}
		m.Params[i] = Param{Name: n.name, Start: uint32(start), End: uint32(end)}
	}
}

// split notes where the first segments of the path end: as many as the tree is
// deep and one more, which tells find that there are more.
func (m *Match) split(path []byte, depth int) bool {
	m.Start, m.N, m.segments, m.end = 0, 0, 0, len(path)
	if len(path) == 0 {
		return true
	}
	if path[0] != '/' {
		return false
	}
	for m.Start+1 < len(path) && path[m.Start+1] == '/' {
		m.Start++
	}
	at := m.Start + 1
	if at == len(path) {
		return true // the root
	}
	if path[len(path)-1] == '/' {
		m.end--
	}
	for m.segments <= depth && at <= m.end {
		end := at
		for end < m.end && path[end] != '/' {
			end++
		}
		m.ends[m.segments] = uint32(end)
		m.segments++
		at = end + 1
	}
	return true
}

func (m *Match) segment(i int) (start, end int) {
	if i == 0 {
		return m.Start + 1, int(m.ends[0])
	}
	return int(m.ends[i-1]) + 1, int(m.ends[i])
}
