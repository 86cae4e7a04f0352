package mock

import (
	"encoding/json"
	"strconv"
	"strings"
)

// TemplateStatus returns the integer statusCode of a request template. Like
// AWS it accepts unquoted names and single quotes: {statusCode: 200}.
func TemplateStatus(text string) (status int, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		fields = nil
		if json.Unmarshal([]byte(strictJSON(text)), &fields) != nil {
			return 0, false
		}
	}
	status, err := strconv.Atoi(string(fields["statusCode"]))
	return status, err == nil
}

// strictJSON quotes the unquoted names of an object and turns single quotes
// into double ones. It leaves everything else to the JSON parser.
func strictJSON(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			end := closingQuote(text, i)
			if c == '\'' {
				inner := strings.ReplaceAll(text[i+1:end], `\'`, `'`)
				out.WriteString(`"` + strings.ReplaceAll(inner, `"`, `\"`) + `"`)
			} else {
				out.WriteString(text[i:min(end+1, len(text))])
			}
			i = end + 1
		case isNameByte(c):
			end := i
			for end < len(text) && isNameByte(text[end]) {
				end++
			}
			if strings.HasPrefix(strings.TrimLeft(text[end:], " \t\r\n"), ":") {
				out.WriteString(`"` + text[i:end] + `"`)
			} else {
				out.WriteString(text[i:end])
			}
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String()
}

// closingQuote returns the index of the quote that ends the string beginning
// at start, or the length of the text.
func closingQuote(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[start]:
			return i
		}
	}
	return len(text)
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c == '.' || c == '-' || c == '+' ||
		'0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
