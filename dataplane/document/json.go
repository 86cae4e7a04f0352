package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pb33f/go-yaml"
)

// JSON makes the tree of a JSON text (RFC 8259): a document whose one value knows
// its line. A name that stands twice in an object is an error, and so is what
// nests deeper than documents may.
func JSON(text []byte) (*yaml.Node, error) {
	r := &jsonReader{text: text, line: 1, tokens: json.NewDecoder(bytes.NewReader(text))}
	r.tokens.UseNumber()
	value, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.tokens.Token(); err != io.EOF {
		return nil, errors.New("there is more after the JSON value")
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{value}}, nil
}

// jsonReader reads tokens and counts the lines that they stand on.
type jsonReader struct {
	text   []byte
	tokens *json.Decoder
	read   int // bytes of text that line is counted over
	line   int
}

func (r *jsonReader) token() (json.Token, error) {
	t, err := r.tokens.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	end := int(r.tokens.InputOffset())
	r.line += bytes.Count(r.text[r.read:end], []byte("\n"))
	r.read = end
	return t, err
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line}
	switch t := t.(type) {
	case nil:
		n.Tag = "!!null"
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(t)
	case json.Number:
		n.Tag, n.Value = "!!int", t.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case string:
		n.Tag, n.Value = "!!str", t
	case json.Delim:
		if depth == MaxDepth {
			return nil, fmt.Errorf("line %d: values nest deeper than %d levels", r.line, MaxDepth)
		}
		if t == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		} else {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		return n, r.members(n, depth+1)
	}
	return n, nil
}

// members reads what is in an object or a list, and its end.
func (r *jsonReader) members(n *yaml.Node, depth int) error {
	names := map[string]bool{}
	for r.tokens.More() {
		if n.Kind == yaml.MappingNode {
			t, err := r.token()
			if err != nil {
				return err
			}
			name := t.(string) // the decoder lets nothing else be here
			if names[name] {
				return fmt.Errorf("line %d: the name %q stands twice", r.line, Clip(name))
			}
			names[name] = true
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: r.line})
		}
		v, err := r.value(depth)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, v)
	}
	_, err := r.token()
	return err
}
