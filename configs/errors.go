package configs

import (
	"fmt"
	"strings"
)

// Error is one thing wrong in a host file.
type Error struct {
	File    string
	Line    int    // 1-based; 0 when the problem has no line
	Field   string // "listeners[0].address"; empty for the file as a whole
	Problem string // what is wrong
	Fix     string // what to write instead
}

// Error returns "file:line: field: problem; fix".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Problem)
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Errors is everything wrong in a host file, in the order of the file.
type Errors []*Error

// Error returns one line per problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}
