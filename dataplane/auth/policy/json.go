package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is more than any policy needs: a list of values of a condition is
// the seventh level.
const maxDepth = 8

// kind is what a JSON value is.
type kind uint8

const (
	isNull kind = iota
	isObject
	isList
	isString
	isNumber
	isBool
)

// node is a JSON value. Unlike encoding/json's own, it keeps the order of
// members.
type node struct {
	kind    kind
	text    string // of a string, number or bool
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

// parseJSON reads one value and refuses repeated names, which readers
// understand differently.
func parseJSON(text []byte) (node, error) {
	if !utf8.Valid(text) {
		return node{}, errors.New("not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return node{}, fmt.Errorf("byte %d: %w", syntax.Offset, err)
		}
		return node{}, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseNode(d, "", 0)
}

func parseNode(d *json.Decoder, at string, depth int) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch v := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, fmt.Errorf("%s: nested too deeply", at)
		}
		if v == '{' {
			return parseObject(d, at, depth+1)
		}
		return parseList(d, at, depth+1)
	case string:
		return node{kind: isString, text: v}, nil
	case json.Number:
		return node{kind: isNumber, text: v.String()}, nil
	case bool:
		return node{kind: isBool, text: fmt.Sprint(v)}, nil
	}
	return node{kind: isNull}, nil
}

func parseObject(d *json.Decoder, at string, depth int) (node, error) {
	n := node{kind: isObject}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string) // the decoder lets nothing else pass
		place := join(at, name)
		if seen[name] {
			return node{}, fmt.Errorf("%s: given twice", place)
		}
		seen[name] = true
		value, err := parseNode(d, place, depth)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := d.Token()
	return n, err
}

func parseList(d *json.Decoder, at string, depth int) (node, error) {
	n := node{kind: isList}
	for d.More() {
		item, err := parseNode(d, index(at, len(n.items)), depth)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

// join and index name a place below another.
func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func index(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// list returns the items of a list, or the value itself as the only one, with
// the place of each.
func (n *node) list(at string) ([]node, func(int) string) {
	if n.kind == isList {
		return n.items, func(i int) string { return index(at, i) }
	}
	return []node{*n}, func(int) string { return at }
}

// texts returns a string, or the strings of a list, of which there must be one
// at least.
func (n *node) texts(at string) ([]string, error) {
	items, place := n.list(at)
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: is empty", at)
	}
	all := make([]string, len(items))
	for i := range items {
		if items[i].kind != isString {
			return nil, fmt.Errorf("%s: must be a string", place(i))
		}
		all[i] = items[i].text
	}
	return all, nil
}
