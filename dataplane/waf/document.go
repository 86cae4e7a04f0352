package waf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sizes of documents.
const (
	MaxDocumentBytes = 1 << 20 // of a web ACL's
	maxDocumentDepth = 100     // of values within values
)

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

// value is a JSON value with its place in the document.
type value struct {
	at      string // "Rules[2].Statement"; empty for the document itself
	kind    kind
	text    string // of a string, number or bool
	members map[string]value
	items   []value
}

// parseDocument reads a JSON object. It refuses repeated names, which readers
// understand differently.
func parseDocument(text string) (value, error) {
	if len(text) > MaxDocumentBytes {
		return value{}, fmt.Errorf("the document has %d bytes, more than %d", len(text), MaxDocumentBytes)
	}
	if !utf8.ValidString(text) {
		return value{}, errors.New("the document is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return value{}, fmt.Errorf("byte %d of the document: %w", syntax.Offset, err)
		}
		return value{}, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return parseValue(d, "", 0)
}

func parseValue(d *json.Decoder, at string, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	v := value{at: at}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDocumentDepth {
			return value{}, fmt.Errorf("%s: nested too deeply", at)
		}
		return parseContainer(d, v, t, depth+1)
	case string:
		v.kind, v.text = isString, t
	case json.Number:
		v.kind, v.text = isNumber, t.String()
	case bool:
		v.kind, v.text = isBool, strconv.FormatBool(t)
	}
	return v, nil
}

func parseContainer(d *json.Decoder, v value, open json.Delim, depth int) (value, error) {
	v.kind = isList
	if open == '{' {
		v.kind, v.members = isObject, map[string]value{}
	}
	for d.More() {
		if v.kind == isList {
			item, err := parseValue(d, fmt.Sprintf("%s[%d]", v.at, len(v.items)), depth)
			if err != nil {
				return value{}, err
			}
			v.items = append(v.items, item)
			continue
		}
		token, err := d.Token()
		if err != nil {
			return value{}, err
		}
		name, _ := token.(string) // the decoder lets nothing else pass
		at := join(v.at, name)
		if _, twice := v.members[name]; twice {
			return value{}, fmt.Errorf("%s: given twice", at)
		}
		if v.members[name], err = parseValue(d, at, depth); err != nil {
			return value{}, err
		}
	}
	_, err := d.Token()
	return v, err
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// canonical writes the value such that equal ones have equal texts.
func (v *value) canonical(b *bytes.Buffer) {
	switch v.kind {
	case isObject:
		for _, name := range slices.Sorted(maps.Keys(v.members)) {
			fmt.Fprintf(b, "%q:", name)
			m := v.members[name]
			m.canonical(b)
		}
		b.WriteByte('}')
	case isList:
		for i := range v.items {
			v.items[i].canonical(b)
		}
		b.WriteByte(']')
	default:
		fmt.Fprintf(b, "%d%q,", v.kind, v.text)
	}
}

// problem remembers the first thing that is wrong with a document, so that
// readers go on with zero values until somebody looks.
type problem struct{ err error }

func (p *problem) report(at, format string, args ...any) {
	if at == "" {
		at = "the document"
	}
	if p.err == nil {
		p.err = fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
	}
}

// object reads the members of an object.
type object struct {
	*problem
	value
}

// object returns v as an object that has no other members than those named.
func (p *problem) object(v value, names ...string) object {
	if v.kind != isObject {
		p.report(v.at, "must be an object")
	}
	for _, name := range slices.Sorted(maps.Keys(v.members)) {
		if !slices.Contains(names, name) {
			p.report(join(v.at, name), "is not supported here; %s", known(names))
		}
	}
	return object{p, v}
}

func known(names []string) string {
	if len(names) == 0 {
		return "nothing is: write {}"
	}
	return "what can be is " + strings.Join(names, ", ")
}

// only returns the one member of an object that has exactly one, of those named.
func (p *problem) only(v value, names ...string) (name string, member value) {
	o := p.object(v, names...)
	if len(o.members) != 1 {
		p.report(v.at, "must have exactly one of %s", strings.Join(names, ", "))
	}
	for name, member = range o.members {
		break
	}
	return name, member
}

func (o object) has(name string) bool {
	_, ok := o.members[name]
	return ok
}

// need returns a member that has to be there.
func (o object) need(name string) value {
	v, ok := o.members[name]
	if !ok {
		o.report(join(o.at, name), "is missing")
		v.at = join(o.at, name)
	}
	return v
}

// string returns a text that has to be there, of least to most bytes.
func (o object) string(name string, least, most int) string {
	v := o.need(name)
	return o.textOf(v, least, most)
}

// textOf reads a text of least to most bytes.
func (p *problem) textOf(v value, least, most int) string {
	switch {
	case v.kind != isString:
		p.report(v.at, "must be a string")
	case len(v.text) < least || len(v.text) > most:
		p.report(v.at, "must have %d to %d bytes, and has %d", least, most, len(v.text))
	}
	return v.text
}

// choice returns a text that is one of options; the first if it is missing and
// need not be there.
func (o object) choice(name string, needed bool, options ...string) string {
	v, ok := o.members[name]
	if !ok && !needed {
		return options[0]
	}
	if !ok || v.kind != isString || !slices.Contains(options, v.text) {
		o.report(join(o.at, name), "must be %s", strings.Join(options, " or "))
	}
	return v.text
}

// number returns a whole number from least to most, which has to be there.
func (o object) number(name string, least, most int64) int64 {
	v := o.need(name)
	n, err := strconv.ParseInt(v.text, 10, 64)
	if v.kind != isNumber || err != nil || n < least || n > most {
		bound := fmt.Sprintf("from %d to %d", least, most)
		if most == math.MaxInt64 {
			bound = fmt.Sprintf("that is at least %d", least)
		}
		o.report(v.at, "must be a whole number %s", bound)
		return least
	}
	return n
}

// numberOr is number, or otherwise if there is none.
func (o object) numberOr(name string, otherwise, least, most int64) int64 {
	if !o.has(name) {
		return otherwise
	}
	return o.number(name, least, most)
}

// flag returns a bool, or otherwise if there is none.
func (o object) flag(name string, otherwise bool) bool {
	v, ok := o.members[name]
	if !ok {
		return otherwise
	}
	if v.kind != isBool {
		o.report(v.at, "must be true or false")
	}
	return v.text == "true"
}

// list returns the items of a list, which has to be there if least is above 0.
func (o object) list(name string, least, most int) []value {
	v, ok := o.members[name]
	if !ok && least == 0 {
		return nil
	}
	v = o.need(name)
	if v.kind != isList {
		o.report(v.at, "must be a list")
	}
	if n := len(v.items); n < least || n > most {
		o.report(v.at, "must have %d to %d items, and has %d", least, most, n)
		return nil
	}
	return v.items
}

// empty checks that a value is an object without members.
func (p *problem) empty(v value) { p.object(v) }
