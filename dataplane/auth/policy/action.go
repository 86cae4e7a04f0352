package policy

import (
	"fmt"
	"strings"
)

// Action is an operation on a deployed API, or a set of them.
type Action uint8

// Actions.
const (
	Invoke            Action = 1 << iota // execute-api:Invoke
	InvalidateCache                      // execute-api:InvalidateCache
	ManageConnections                    // execute-api:ManageConnections

	allActions = Invoke | InvalidateCache | ManageConnections
)

// String returns the name that policies use.
func (a Action) String() string {
	switch a {
	case Invoke:
		return "execute-api:Invoke"
	case InvalidateCache:
		return "execute-api:InvalidateCache"
	case ManageConnections:
		return "execute-api:ManageConnections"
	}
	return fmt.Sprintf("actions %03b", uint8(a))
}

// compileAction returns the actions that a text such as "execute-api:*" names,
// in any case. Those of other services are none of ours.
func compileAction(text string) (Action, error) {
	service, name, ok := strings.Cut(text, ":")
	switch {
	case text == "*":
		return allActions, nil
	case !ok || name == "" || !isWord(service, "-") && service != "*" || !isWord(name, "*?"):
		return 0, fmt.Errorf("%q is not of the form service:Action", text)
	}
	var plain syntax
	expanded, err := plain.expand(strings.ToLower(text), true)
	if err != nil {
		return 0, err
	}
	p, err := compilePattern(expanded)
	if err != nil {
		return 0, err
	}
	var found Action
	for a := Invoke; a < allActions; a <<= 1 {
		if p.match(strings.ToLower(a.String())) {
			found |= a
		}
	}
	return found, nil
}

// isWord reports whether text is made of letters, digits and the given marks.
func isWord(text, marks string) bool {
	for i := range len(text) {
		c := text[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(marks, c) >= 0) {
			return false
		}
	}
	return text != ""
}
