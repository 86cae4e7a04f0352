package document

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pb33f/go-yaml"
)

// MaxBytes is the largest document that is read (API Gateway's quota "API
// definition import").
const MaxBytes = 6 << 20

// Options says how a document is read.
type Options struct {
	Kind string // what it is, for messages: "an OpenAPI document"

	// Values of ${AWS::AccountId}, ${AWS::Partition} and ${AWS::Region}.
	AccountID, Partition, Region string

	// References says that "$ref" refers to parts of the document, and may not
	// lead out of it. Samples are the names of members in which it is but a word.
	References bool
	Samples    map[string]bool

	// Parse makes a tree of the text; nil parses JSON and YAML.
	Parse func(text []byte) (*yaml.Node, error)
}

// Load parses a text and makes its tree safe to walk: it holds mappings with
// unique text keys, lists and scalars only, no aliases and no merge keys. It
// reports whether that went well; if not, p says why.
func Load(text []byte, o Options, p *Problems) (root Node, ok bool) {
	switch {
	case len(text) > MaxBytes:
		p.Add(Node{}, "the document has %d bytes, more than the %d that an import takes; split the API", len(text), MaxBytes)
		return Node{}, false
	case !utf8.Valid(text):
		p.Add(Node{}, "the document is not UTF-8 text; save it as UTF-8")
		return Node{}, false
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		p.Add(Node{}, "the document is empty")
		return Node{}, false
	}
	if line := secondDocument(text); line > 0 {
		p.Add(Node{KeyLine: line}, `a second YAML document starts here ("---"); import one document at a time`)
		return Node{}, false
	}
	if o.Parse == nil {
		o.Parse = parse
	}
	tree, err := o.Parse(text)
	if err != nil {
		line, message := syntaxError(err)
		p.Add(Node{KeyLine: line}, "not valid YAML or JSON: %s", message)
		return Node{}, false
	}
	if tree == nil || len(tree.Content) == 0 {
		p.Add(Node{}, "the document is empty")
		return Node{}, false
	}
	root = Node{Node: tree.Content[0], KeyLine: 1}
	if !root.IsMapping() {
		p.Add(root, "not %s: the top level must be a mapping", o.Kind)
		return Node{}, false
	}
	c := &cleaner{Problems: p, options: o, budget: NewBudget(len(text)), variables: awsVariables(o)}
	c.clean(root, 0, false)
	return root, p.Err() == nil
}

// parse reads JSON as what it is, since YAML reads some of its escapes otherwise,
// and anything else as YAML.
func parse(text []byte) (*yaml.Node, error) {
	if json.Valid(text) {
		return JSON(text)
	}
	tree := &yaml.Node{}
	return tree, yaml.Unmarshal(text, tree)
}

var documentMarker = regexp.MustCompile(`(?m)^---(?:[ \t\r].*)?$`)

// secondDocument returns the line where a second YAML document starts, or 0.
// The parser would read the first and drop the rest without a word.
func secondDocument(text []byte) int {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return 0
	}
	for _, at := range documentMarker.FindAllIndex(text, -1) {
		for line := range bytes.Lines(text[:at[0]]) {
			line = bytes.TrimSpace(line)
			if len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.HasPrefix(line, []byte("---")) {
				return 1 + bytes.Count(text[:at[0]], []byte("\n"))
			}
		}
	}
	return 0
}

// parserPosition is how the YAML parser words a place: "… at L2.C4: …".
var parserPosition = regexp.MustCompile(`(?s)^.* at L(\d+)\.C\d+(?:-L\d+\.C\d+)?: (.*)$`)

func syntaxError(err error) (line int, text string) {
	text = err.Error()
	if m := parserPosition.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	return line, Clip(text)
}

// Clip bounds a piece of a document that a message quotes.
func Clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
