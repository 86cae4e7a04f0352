package document

import (
	"iter"
	"strconv"
	"strings"

	"github.com/pb33f/go-yaml"
)

// Node is a value of a document together with where it stands. The zero Node is
// an absent value. One that has a Place and no value is absent too, and stands
// where the value would.
type Node struct {
	*yaml.Node
	Place   *Place
	KeyLine int // of the key that names the value, else of the value; 1-based
}

// Place is a path from the root of a document, the last step first, so that a
// step costs nothing until a problem prints it. Nil is the root.
type Place struct {
	Up   *Place
	Name string
}

// String returns the path with dots: "paths./pets.get.parameters[0]".
func (p *Place) String() string {
	if p == nil {
		return ""
	}
	up, name := p.Up.String(), Clip(p.Name)
	if up == "" || strings.HasPrefix(name, "[") {
		return up + name
	}
	return up + "." + name
}

// Absent reports that there is no value, or null.
func (n Node) Absent() bool { return n.Node == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// IsMapping reports a mapping of names to values.
func (n Node) IsMapping() bool { return n.Node != nil && n.Kind == yaml.MappingNode }

// IsList reports a list.
func (n Node) IsList() bool { return n.Node != nil && n.Kind == yaml.SequenceNode }

// IsScalar reports a text, a number, a boolean or null.
func (n Node) IsScalar() bool { return n.Node != nil && n.Kind == yaml.ScalarNode }

// IsText reports a string as opposed to a number, a boolean or null.
func (n Node) IsText() bool { return n.IsScalar() && n.Tag == "!!str" }

// IsEmpty reports a list, a mapping or a text without content.
func (n Node) IsEmpty() bool { return n.Node != nil && len(n.Content) == 0 && n.Value == "" }

// Here returns an absent value that stands where n does.
func (n Node) Here() Node { return Node{Place: n.Place, KeyLine: n.KeyLine} }

// Step returns the member v that the key k names.
func (n Node) Step(k, v *yaml.Node) Node {
	return Node{v, &Place{n.Place, k.Value}, k.Line}
}

// Item returns the element i of a list.
func (n Node) Item(i int) Node {
	return Node{n.Content[i], &Place{n.Place, "[" + strconv.Itoa(i) + "]"}, n.Content[i].Line}
}

// Fields yields the members of a mapping in document order.
func (n Node) Fields() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		if !n.IsMapping() {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Step(n.Content[i], n.Content[i+1])) {
				return
			}
		}
	}
}

// Items yields the elements of a list.
func (n Node) Items() iter.Seq2[int, Node] {
	return func(yield func(int, Node) bool) {
		if !n.IsList() {
			return
		}
		for i := range n.Content {
			if !yield(i, n.Item(i)) {
				return
			}
		}
	}
}

// Get returns the member of a mapping, or a Node that is absent and stands where
// the member would.
func (n Node) Get(key string) Node {
	if n.IsMapping() {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Step(n.Content[i], n.Content[i+1])
			}
		}
	}
	return Node{nil, &Place{n.Place, key}, n.KeyLine}
}

// Mapping returns n if it is a mapping; absent and wrong values give a Node
// without fields, a wrong one also a problem.
func (p *Problems) Mapping(n Node) Node {
	if n.Absent() || n.IsMapping() {
		return n
	}
	p.Add(n, "must be a mapping of names to values")
	return n.Here()
}

// List is Mapping for lists.
func (p *Problems) List(n Node) Node {
	if n.Absent() || n.IsList() {
		return n
	}
	p.Add(n, "must be a list")
	return n.Here()
}

// Text returns the text of a scalar, numbers as they are written, and "" with a
// problem for anything else. Absent is "".
func (p *Problems) Text(n Node) string {
	if n.Absent() {
		return ""
	}
	if !n.IsScalar() {
		p.Add(n, "must be a text")
		return ""
	}
	return n.Value
}

// Boolean returns true or false, and false with a problem for anything else.
// Absent is false.
func (p *Problems) Boolean(n Node) bool {
	if n.Absent() {
		return false
	}
	if !n.IsScalar() || n.Tag != "!!bool" {
		p.Add(n, "must be true or false")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}
