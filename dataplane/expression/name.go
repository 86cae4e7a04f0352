package expression

import "strings"

// IsName reports the name of a parameter: ^[a-zA-Z0-9._$-]+$.
func IsName(s string) bool { return ConsistsOf(s, "._$-") }

// IsVariableName reports the name of a stage variable: ^[a-zA-Z0-9_]+$.
func IsVariableName(s string) bool { return ConsistsOf(s, "_") }

// IsPath reports a path into a JSON text: names with dots between them, "a.b".
func IsPath(s string) bool {
	for name := range strings.SplitSeq(s, ".") {
		if !ConsistsOf(name, "_$-") {
			return false
		}
	}
	return true
}

// ConsistsOf reports a text of one or more ASCII letters, digits and marks of
// the punctuation.
func ConsistsOf(s, punctuation string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.Contains(punctuation, string(rune(c))) {
			return false
		}
	}
	return s != ""
}
