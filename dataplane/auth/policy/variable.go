package policy

import (
	"fmt"
	"strings"
)

// syntax is how the texts of a document are read.
type syntax struct {
	variables bool              // since version 2012-10-17
	values    map[string]string // by lower-case name
	anyTag    bool
}

// expand replaces the policy variables of a text, and its wildcards by anyRun
// and anyOne if it is to have any. ${*}, ${?} and ${$} are the characters.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (x *syntax) expand(text string, wildcards bool) (string, error) {
	var b strings.Builder
	for len(text) > 0 {
		if x.variables && strings.HasPrefix(text, "${") {
			end := strings.IndexByte(text, '}')
			if end < 0 {
				return "", fmt.Errorf("unclosed variable in %q", text)
			}
			value, err := x.value(text[2:end])
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = text[end+1:]
			continue
		}
		switch c := text[0]; {
		case c == '*' && wildcards:
			b.WriteByte(anyRun)
		case c == '?' && wildcards:
			b.WriteByte(anyOne)
		default:
			b.WriteByte(c)
		}
		text = text[1:]
	}
	return b.String(), nil
}

// value returns what a variable stands for: "name" or "name, 'default'".
func (x *syntax) value(variable string) (string, error) {
	if variable == "*" || variable == "?" || variable == "$" {
		return variable, nil
	}
	name, rest, hasDefault := strings.Cut(variable, ",")
	key := strings.ToLower(strings.TrimSpace(name))
	if value, ok := x.values[key]; ok {
		return value, nil
	}
	if rest = strings.TrimSpace(rest); hasDefault && len(rest) >= 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		return rest[1 : len(rest)-1], nil
	}
	if x.anyTag && strings.HasPrefix(key, tagPrefix) {
		return "", nil
	}
	return "", fmt.Errorf("the policy variable %q has no value here", variable)
}

// split cuts text at its first n-1 colons, those inside variables apart.
func (x *syntax) split(text string, n int) []string {
	var parts []string
	start := 0
	for i := 0; i < len(text) && len(parts) < n-1; i++ {
		switch {
		case x.variables && strings.HasPrefix(text[i:], "${"):
			if end := strings.IndexByte(text[i:], '}'); end > 0 {
				i += end
			}
		case text[i] == ':':
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}
