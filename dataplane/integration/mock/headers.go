package mock

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const headerPrefix = "method.response.header."

// framing lists the headers that the connection itself decides on (RFC 9110,
// sections 7.6.1 and 8.6).
var framing = []string{"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// headers sets the headers of an answer from response parameters. declared are
// the targets that the method response names.
func (c *compiler) headers(a *Answer, parameters map[string]string, declared []string) error {
	for _, target := range slices.Sorted(maps.Keys(parameters)) {
		name, ok := strings.CutPrefix(target, headerPrefix)
		if !ok || !isToken(name) {
			return fmt.Errorf("response parameter %q: the target must be %sNAME", target, headerPrefix)
		}
		if !slices.Contains(declared, target) {
			return fmt.Errorf("response parameter %q: the method response does not declare it; add it there", target)
		}
		if slices.Contains(framing, strings.ToLower(name)) {
			return fmt.Errorf("response parameter %q: this header belongs to the connection and cannot be set", target)
		}
		value, ok, err := c.value(parameters[target])
		if err != nil {
			return fmt.Errorf("response parameter %q: %w", target, err)
		}
		switch {
		case !ok:
		case strings.EqualFold(name, "Content-Type"):
			a.ContentType = value
		default:
			a.Headers = append(a.Headers, Header{name, value})
		}
	}
	return nil
}

// value resolves the source of a response parameter. ok is false when the
// source is absent, which leaves the header out.
func (c *compiler) value(source string) (value string, ok bool, err error) {
	if name, found := strings.CutPrefix(source, "stageVariables."); found {
		value, ok = c.variables[name]
	} else if len(source) >= 2 && source[0] == '\'' && source[len(source)-1] == '\'' {
		value, ok = source[1:len(source)-1], true
	} else if strings.HasPrefix(source, "integration.response.") {
		return "", false, nil // there is no upstream that could have sent it
	} else {
		return "", false, fmt.Errorf("source %q is not supported in a mock; use 'literal' or stageVariables.NAME", source)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", false, fmt.Errorf("value %q has a control character", value)
	}
	return value, ok, nil
}

// isToken reports whether a string is a field name (RFC 9110, section 5.1).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
