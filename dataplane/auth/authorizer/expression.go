package authorizer

import (
	"fmt"
	"regexp"
	"strings"
)

// compileExpression compiles a validation expression, which has to match a token
// from end to end. It returns nil for none.
func compileExpression(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	if problem := readDifferently(text); problem != "" {
		return nil, fmt.Errorf("%q: %s are not supported; write it in RE2 syntax", text, problem)
	}
	if _, err := regexp.Compile(text); err != nil { // by itself: a stray parenthesis must not end the group below
		return nil, fmt.Errorf("%q: %w; write it in RE2 syntax, which has no look-around, back-references, possessive quantifiers or atomic groups", text, err)
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}

// unicodeFlag is Java's flag U; RE2's is another.
var unicodeFlag = regexp.MustCompile(`^\(\?[a-zA-Z-]*U`)

// readDifferently names what Java, in which AWS reads expressions, and RE2 both
// accept and understand differently.
func readDifferently(text string) string {
	class := false
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, `\Q`):
			end := strings.Index(rest, `\E`)
			if end < 0 {
				return `quotations (\Q) without end (\E)`
			}
			i += end + 1
		case strings.HasPrefix(rest, `\v`):
			return `vertical spaces (\v)`
		case rest[0] == '\\':
			i++
		case class && rest[0] == '[':
			return "character classes within character classes"
		case class && strings.HasPrefix(rest, "&&"):
			return "intersections of character classes"
		case class:
			class = rest[0] != ']'
		case rest[0] == '[':
			class = true
			rest = strings.TrimPrefix(rest[1:], "^")
			if strings.HasPrefix(rest, "]") {
				return "character classes that begin with a bracket"
			}
		case unicodeFlag.MatchString(rest):
			return "Unicode character classes ((?U))"
		}
	}
	return ""
}
