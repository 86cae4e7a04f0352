package template

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidegate/tidegate/dataplane/selection"
)

// AnyKey is the key of the template for every case that has none of its own.
const AnyKey = "$default"

// Set is several templates, of which an expression chooses one.
type Set struct {
	choose *selection.Expression // nil: AnyKey
	byKey  map[string]*Template
}

// CompileSet reads templates by key, and the expression that chooses among them;
// empty chooses AnyKey.
func CompileSet(templates map[string]string, expression string, in selection.Scope, scope *Scope) (*Set, error) {
	s := &Set{byKey: make(map[string]*Template, len(templates))}
	var err error
	if expression != "" {
		if s.choose, err = selection.Compile(expression, in); err != nil {
			return nil, fmt.Errorf("templateSelectionExpression: %w", err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(templates)) {
		if s.byKey[key], err = Compile(templates[key], scope); err != nil {
			return nil, fmt.Errorf("template %q: %w", key, err)
		}
	}
	return s, nil
}

// Empty reports whether there are no templates at all.
func (s *Set) Empty() bool { return len(s.byKey) == 0 }

// Choose returns the template for an input, or nil. scratch is used up.
func (s *Set) Choose(scratch []byte, in *selection.Input) *Template {
	if s.choose != nil {
		if key, ok := s.choose.Append(scratch, in); ok {
			if t := s.byKey[string(key)]; t != nil {
				return t
			}
		}
	}
	return s.byKey[AnyKey]
}
