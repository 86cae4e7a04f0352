package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sources of the variables of selection expressions. Those that end in a dot are
// followed by a name.
const (
	FromBody    = "request.body."                          // a path into the message, JSON
	FromStatus  = "integration.response.statuscode"        //
	FromHeader  = "integration.response.header."           //
	FromHeaders = "integration.response.multivalueheader." //
)

// Selection is a selection expression: texts and variables one behind the other.
// It is evaluated once: what a variable has is never read as an expression.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
type Selection []Part

// Part is a text, or a variable if it has a Source.
type Part struct {
	Text   string
	Source string // one of those that ParseSelection was given
	Name   string // of a header field, or a path: "action", "a.b"
}

// Constant returns the text of a selection without variables.
func (s Selection) Constant() (text string, ok bool) {
	for _, p := range s {
		if p.Source != "" {
			return "", false
		}
		text += p.Text
	}
	return text, true
}

// maxSelection bounds an expression, in bytes.
const maxSelection = 1024

// ParseSelection reads a selection expression whose variables come from the
// sources: "$request.body.action", "${request.body.service}/${request.body.action}",
// a text, "\$default". A variable without braces goes on as long as there are
// letters, digits and any of _ . - and each dot has a name behind it. The text
// "$default", alone, needs no backslash.
func ParseSelection(text string, sources ...string) (Selection, error) {
	switch {
	case text == "":
		return nil, errors.New("a selection expression is empty")
	case len(text) > maxSelection:
		return nil, fmt.Errorf("a selection expression has at most %d bytes", maxSelection)
	case text == "$default":
		return Selection{{Text: text}}, nil
	}
	var s Selection
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			s = append(s, Part{Text: literal.String()})
			literal.Reset()
		}
	}
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`), strings.HasPrefix(rest, `\\`):
			literal.WriteByte(rest[1])
			rest = rest[2:]
		case rest[0] == '\\':
			return nil, fmt.Errorf(`%.200q: a backslash stands before "$" or another backslash`, text)
		case rest[0] < ' ' || rest[0] == 0x7f:
			return nil, fmt.Errorf("%.200q has a control character", text)
		case rest[0] != '$':
			literal.WriteByte(rest[0])
			rest = rest[1:]
		default:
			flush()
			variable, after, err := cutVariable(rest[1:])
			if err == nil {
				var p Part
				if p, err = parseVariable(variable, sources); err == nil {
					s, rest = append(s, p), after
				}
			}
			if err != nil {
				return nil, fmt.Errorf("%.200q: %w", text, err)
			}
		}
	}
	flush()
	return s, nil
}

// cutVariable takes a variable off a text that stands behind a dollar sign.
func cutVariable(text string) (variable, after string, err error) {
	if strings.HasPrefix(text, "{") {
		variable, after, closed := strings.Cut(text[1:], "}")
		if !closed {
			return "", "", errors.New("a brace is not closed")
		}
		return variable, after, nil
	}
	end := 0
	for end < len(text) {
		c := text[end : end+1]
		if c == "." && (end+1 == len(text) || !ConsistsOf(text[end+1:end+2], "_-")) || c != "." && !ConsistsOf(c, "_-") {
			break
		}
		end++
	}
	return text[:end], text[end:], nil
}

func parseVariable(variable string, sources []string) (Part, error) {
	for _, source := range sources {
		name, ok := strings.CutPrefix(variable, source)
		switch {
		case !ok:
		case !strings.HasSuffix(source, "."):
			if name == "" {
				return Part{Source: source}, nil
			}
		case source == FromBody && IsPath(name), source != FromBody && IsName(name):
			return Part{Source: source, Name: name}, nil
		}
	}
	known := slices.Clone(sources)
	for i, source := range known {
		if strings.HasSuffix(source, ".") {
			known[i] += "NAME"
		}
	}
	return Part{}, fmt.Errorf(`"$%s" is not a variable that can be here; there is $%s, and \$ is a dollar sign`, variable, strings.Join(known, ", $"))
}
