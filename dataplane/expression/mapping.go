package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CheckTarget checks the key of a parameter mapping: the prefix, one of the
// places, a dot and a name, such as "integration.request.header.X-From".
func CheckTarget(target, prefix string, places ...string) error {
	rest, ok := strings.CutPrefix(target, prefix)
	place, name, _ := strings.Cut(rest, ".")
	if ok && slices.Contains(places, place) && IsName(name) {
		return nil
	}
	return fmt.Errorf("a mapping key is %s{%s}.NAME, and a name has letters, digits and ._$- only", prefix, strings.Join(places, "|"))
}

// CheckSource checks a mapping expression: a literal in single quotes, a stage
// variable, a context variable, or the prefix, one of the places, a dot and a
// name, such as "method.request.header.X-From". In the place "body" the name is a
// path.
func CheckSource(source, prefix string, places ...string) error {
	if source != "" && source[0] == '\'' {
		return checkLiteral(source)
	}
	if name, ok := strings.CutPrefix(source, "stageVariables."); ok && IsVariableName(name) {
		return nil
	}
	if name, ok := strings.CutPrefix(source, "context."); ok && isContextName(name) {
		return nil
	}
	if rest, ok := strings.CutPrefix(source, prefix); ok {
		place, name, _ := strings.Cut(rest, ".")
		switch known := slices.Contains(places, place); {
		case place == "body" && !known:
			return fmt.Errorf("mapping from a body (%.200q) is not supported yet", source)
		case known && (IsPath(name) || place != "body" && IsName(name)):
			return nil
		}
	}
	if strings.HasPrefix(source, "$") {
		return fmt.Errorf("the mapping expression %.200q is not supported; it belongs to HTTP APIs", source)
	}
	return fmt.Errorf("%.200q is not a mapping expression; use %s{%s}.NAME, stageVariables.NAME, context.NAME or a literal in single quotes",
		source, prefix, strings.Join(places, "|"))
}

// isContextName reports the name of a context variable. Claims may be named
// "cognito:groups" or "https://example.com/roles".
func isContextName(name string) bool {
	said, ok := strings.CutPrefix(name, "authorizer.")
	return IsName(name) || ok && ConsistsOf(said, "._$-:/")
}

func checkLiteral(source string) error {
	if len(source) < 2 || source[len(source)-1] != '\'' {
		return fmt.Errorf("the literal %.200q does not end with a single quote", source)
	}
	for i := range len(source) {
		if c := source[i]; c < ' ' && c != '\t' || c == 0x7f {
			return errors.New("a literal may not hold line breaks or other control characters")
		}
	}
	return nil
}
