// Package jsonpath finds one value in a JSON text without making anything of the
// rest. The text is checked whole all the same: whoever reads it after us must
// not see another value there.
package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
)

// Path is the way to a value, from the outermost one inwards. It is immutable.
type Path struct{ steps []step }

type step struct {
	name  string // of a member
	index int    // of an element, or -1
}

// Compile reads a path such as "action", "a.b", "a[0].b" or "a['b.c']", with or
// without "$." before it. An empty path is the whole text.
func Compile(text string) (Path, error) {
	var p Path
	rest := strings.TrimPrefix(text, "$")
	fail := func(format string, args ...any) (Path, error) {
		return Path{}, fmt.Errorf("JSON path %q: %s", text, fmt.Sprintf(format, args...))
	}
	for first := true; rest != ""; first = false {
		switch {
		case strings.HasPrefix(rest, "['"):
			name, after, ok := strings.Cut(rest[2:], "']")
			if !ok {
				return fail("a [' has no ']")
			}
			p.steps = append(p.steps, step{name, -1})
			rest = after
		case rest[0] == '[':
			number, after, ok := strings.Cut(rest[1:], "]")
			index, err := strconv.Atoi(number)
			if !ok || err != nil || index < 0 {
				return fail("write a number or a 'name' in []; wildcards and filters are not supported")
			}
			p.steps = append(p.steps, step{index: index})
			rest = after
		case rest[0] == '.' || first && len(rest) == len(text):
			rest = strings.TrimPrefix(rest, ".")
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if name := rest[:end]; name == "" || strings.ContainsAny(name, "*?()@ '\"\\]") {
				return fail("%q is not the name of a member; wildcards and filters are not supported", name)
			}
			p.steps = append(p.steps, step{rest[:end], -1})
			rest = rest[end:]
		default:
			return fail("unexpected %q", rest)
		}
	}
	return p, nil
}

// Outcome says what Find came upon.
type Outcome uint8

// Outcomes.
const (
	Found   Outcome = iota
	Missing         // the text is JSON and has no such value
	Invalid         // the text is not JSON, or deeper than MaxDepth
)

// MaxDepth bounds how deep arrays and objects may be in one another.
const MaxDepth = 256

// Find returns the value as it stands in the text. Of members with the same name
// the last counts, as for JavaScript and most others.
func (p Path) Find(text []byte) ([]byte, Outcome) {
	s := scanner{text: text, steps: p.steps}
	s.space()
	if !s.value(0, 0) {
		return nil, Invalid
	}
	if s.space(); s.at != len(text) {
		return nil, Invalid
	}
	if s.found == nil {
		return nil, Missing
	}
	return s.found, Found
}
