package jwt

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes are what a method asks for: one of them a token must have. The zero
// Scopes ask for nothing.
type Scopes struct {
	names []string
	text  string // with spaces between
}

// CompileScopes compiles authorizationScopes of a method.
func CompileScopes(names []string) (Scopes, error) {
	for i, name := range names {
		switch {
		case !isScope(name):
			return Scopes{}, fmt.Errorf("authorizationScopes: %q is no scope: write visible ASCII characters without quotes, backslashes and spaces", name)
		case slices.Contains(names[:i], name):
			return Scopes{}, fmt.Errorf("authorizationScopes: %q is there twice", name)
		}
	}
	return Scopes{names: slices.Clone(names), text: strings.Join(names, " ")}, nil
}

// isScope reports whether text is a scope-token (RFC 6749 section 3.3).
func isScope(text string) bool {
	for i := range len(text) {
		if b := text[i]; b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return text != ""
}

// any reports whether the token has one of the scopes, letter by letter.
func (s Scopes) any(of []string) bool {
	for _, name := range s.names {
		if slices.Contains(of, name) {
			return true
		}
	}
	return false
}

// readScopes returns the scopes in a claim, which is a string with spaces
// between or an array. A claim of another type grants nothing.
func readScopes(v value) []string {
	switch v.kind {
	case isString:
		all := make([]string, 0, strings.Count(v.text, " ")+1)
		for name := range strings.SplitSeq(v.text, " ") {
			if name != "" {
				all = append(all, name)
			}
		}
		return all
	case isArray:
		var all []string
		for _, item := range readItems(v.text, nil) {
			if item.kind == isString {
				all = append(all, item.text)
			}
		}
		return all
	}
	return nil
}
