package document

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pb33f/go-yaml"
)

// MaxDepth is how deep values may nest, aliases followed. Real documents stay
// below 30.
const MaxDepth = 100

// Budget bounds what YAML aliases, merge keys and references may make of a
// document, in values and, for long texts, eighths of a byte count. Without it
// a few hundred bytes can stand for billions.
type Budget struct{ left int }

// NewBudget allows room for honest reuse: a document of a megabyte may grow to
// two million values, about twenty times its own number.
func NewBudget(documentBytes int) *Budget { return &Budget{20_000 + 2*documentBytes} }

// Spend takes n off what is left, and reports whether there was as much.
func (b *Budget) Spend(n int) bool {
	b.left -= n
	return b.left >= 0
}

// Weight is what a value costs by itself.
func Weight(n *yaml.Node) int { return 1 + len(n.Value)/8 }

// cleaner makes a parsed tree safe to walk: afterwards it holds mappings with
// unique text keys, lists and scalars only, no aliases, no merge keys, no
// references out of the document, and a bounded number of values.
type cleaner struct {
	*Problems
	options   Options
	budget    *Budget
	variables map[string]string
	anchored  map[*yaml.Node]extent
	stopped   bool // out of budget or too deep: reported once
}

// extent is the number of values in a subtree and its depth. An anchor that is
// still open has none yet.
type extent struct {
	size, depth int
	open        bool
}

// clean works on n in place. Aliased subtrees become shared; they are never
// written to again. literal says that n is sample data, in which "$ref" is
// only a word.
func (c *cleaner) clean(n Node, depth int, literal bool) extent {
	if depth > MaxDepth {
		c.stop(n, "values nest deeper than %d levels; flatten the document", MaxDepth)
	}
	if c.stopped {
		return extent{size: 1}
	}
	if n.Anchor != "" {
		if c.anchored == nil {
			c.anchored = map[*yaml.Node]extent{}
		}
		c.anchored[n.Node] = extent{open: true}
	}
	e := extent{size: Weight(n.Node)}
	switch n.Kind {
	case yaml.MappingNode:
		c.mapping(n, depth, literal, &e)
	case yaml.SequenceNode:
		for i, item := range n.Items() {
			n.Content[i] = c.child(item, depth, literal, &e)
		}
	case yaml.ScalarNode:
		c.scalar(n)
	}
	if n.Anchor != "" {
		c.anchored[n.Node] = e
	}
	return e
}

// child cleans one member, follows it if it is an alias, and adds it to the
// extent of its parent.
func (c *cleaner) child(n Node, depth int, literal bool, parent *extent) *yaml.Node {
	var e extent
	if n.Kind == yaml.AliasNode {
		e = c.anchored[n.Alias]
		switch {
		case e.open || e.size == 0:
			c.stop(n, "alias *%s refers to itself", Clip(n.Value))
		case depth+1+e.depth > MaxDepth:
			c.stop(n, "values nest deeper than %d levels; flatten the document", MaxDepth)
		case !c.budget.Spend(e.size):
			c.stop(n, "YAML aliases expand to too many values; write the parts out%s", c.orRefer())
		}
		n.Node = n.Alias
	} else {
		e = c.clean(n, depth+1, literal)
	}
	parent.size += e.size
	parent.depth = max(parent.depth, e.depth+1)
	return n.Node
}

func (c *cleaner) stop(n Node, format string, args ...any) {
	if !c.stopped {
		c.stopped = true
		c.Add(n, format, args...)
	}
}

// orRefer is what else to do, where that is possible.
func (c *cleaner) orRefer() string {
	if c.options.References {
		return " or use $ref"
	}
	return ""
}

func (c *cleaner) mapping(n Node, depth int, literal bool, e *extent) {
	lines := make(map[string]int, len(n.Content)/2)
	content := n.Content[:0]
	var merged []Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			c.Add(Node{KeyLine: n.Content[i].Line, Place: n.Place}, "a key must be a text")
			continue
		}
		value := n.Step(key, n.Content[i+1])
		value.KeyLine = n.Content[i].Line
		if key.Tag == "!!merge" {
			value.Node = c.child(value, depth, literal, e)
			merged = append(merged, value)
			continue
		}
		if first, twice := lines[key.Value]; twice {
			c.Add(value, "the key stands twice, first on line %d", first)
			continue
		}
		lines[key.Value] = n.Content[i].Line
		value.Node = c.child(value, depth, literal || c.options.Samples[key.Value], e)
		if c.options.References && key.Value == "$ref" && !literal && value.IsText() && !strings.HasPrefix(value.Value, "#") {
			c.Add(value, "%q is outside the document; nothing is fetched or opened: bring the part in and refer to it with #/components/…", Clip(value.Value))
		}
		content = append(content, key, value.Node)
	}
	n.Content = slices.Clip(content) // a merge appends, and neighbours may share the array
	for _, m := range merged {
		c.merge(n, m, lines, e)
	}
}

// merge adds the members of m (YAML's "<<") that n does not have.
// https://yaml.org/type/merge.html
func (c *cleaner) merge(n, m Node, has map[string]int, e *extent) {
	if m.IsList() {
		for _, item := range m.Items() {
			if item.IsList() {
				c.Add(item, `a "<<" list holds mappings`)
				continue
			}
			c.merge(n, item, has, e)
		}
		return
	}
	if !m.IsMapping() {
		c.Add(m, `"<<" takes a mapping, usually an alias`)
		return
	}
	if !c.budget.Spend(len(m.Content)) {
		c.stop(m, "YAML merge keys expand to too many values; write the parts out%s", c.orRefer())
		return
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key := m.Content[i]
		if _, own := has[key.Value]; !own {
			has[key.Value] = key.Line
			n.Content = append(n.Content, key, m.Content[i+1])
			e.size += 2
		}
	}
}

var awsVariable = regexp.MustCompile(`\$\{AWS::[^}]*\}?`)

// scalar resolves the variables that API Gateway resolves at import.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/import-api-aws-variables.html
func (c *cleaner) scalar(n Node) {
	if !strings.Contains(n.Value, "${AWS::") {
		return
	}
	n.Value = awsVariable.ReplaceAllStringFunc(n.Value, func(name string) string {
		value, known := c.variables[name]
		if !known {
			c.Add(n, "%q is not known; there are ${AWS::AccountId}, ${AWS::Partition} and ${AWS::Region}", Clip(name))
		}
		return value
	})
}

func awsVariables(o Options) map[string]string {
	return map[string]string{
		"${AWS::AccountId}": o.AccountID,
		"${AWS::Partition}": o.Partition,
		"${AWS::Region}":    o.Region,
	}
}
