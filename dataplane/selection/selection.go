// Package selection reads AWS's selection expressions, by which WebSocket APIs
// choose a route, a template or a response: "$request.body.action",
// "${request.body.service}/${request.body.action}", or a fixed text.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
package selection

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// Expression is a compiled expression. It is immutable; any number of goroutines
// may use it.
type Expression struct{ parts []part }

type source uint8

const (
	literal source = iota
	requestBody
	status
	header
)

type part struct {
	source source
	text   string // the literal, or the name of a header field
	path   jsonpath.Path
}

// Input is what an expression is about. Both may be missing.
type Input struct {
	Body []byte // of the message

	// Status and Header are the integration's answer. Header returns the value of
	// a field by its name in lower case, nil if there is none.
	Status []byte
	Header func(name string) []byte
}

// Scope says what an expression may refer to besides the message.
type Scope uint8

// Scopes.
const (
	Message Scope = iota // the message alone
	Answer               // the integration's answer too
)

// Compile reads an expression.
func Compile(text string, scope Scope) (*Expression, error) {
	e := &Expression{}
	fail := func(format string, args ...any) (*Expression, error) {
		return nil, fmt.Errorf("selection expression %q: %s", text, fmt.Sprintf(format, args...))
	}
	if text == "" {
		return fail("it is empty")
	}
	rest := text
	if strings.HasPrefix(rest, "$") && !strings.HasPrefix(rest, "${") { // one variable, and no braces
		p, err := variable(rest[1:], scope)
		if err != nil {
			return fail("%v", err)
		}
		e.parts = append(e.parts, p)
		return e, nil
	}
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			e.parts = append(e.parts, part{text: plain.String()})
			plain.Reset()
		}
	}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, `\$`):
			plain.WriteByte('$')
			rest = rest[2:]
		case strings.HasPrefix(rest, "${"):
			name, after, ok := strings.Cut(rest[2:], "}")
			if !ok {
				return fail("a ${ has no }")
			}
			p, err := variable(name, scope)
			if err != nil {
				return fail("%v", err)
			}
			flush()
			e.parts = append(e.parts, p)
			rest = after
		case rest[0] == '$':
			return fail(`write ${name} for a variable and \$ for a dollar sign`)
		default:
			plain.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	flush()
	return e, nil
}

// variable reads the name of a variable.
func variable(name string, scope Scope) (part, error) {
	if rest, ok := strings.CutPrefix(name, "request.body"); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
		path, err := jsonpath.Compile("$" + rest)
		return part{source: requestBody, path: path}, err
	}
	if scope == Answer {
		if name == "integration.response.statuscode" {
			return part{source: status}, nil
		}
		for _, prefix := range []string{"integration.response.header.", "integration.response.multivalueheader."} {
			if field, ok := strings.CutPrefix(name, prefix); ok && field != "" {
				return part{source: header, text: strings.ToLower(field)}, nil
			}
		}
		return part{}, fmt.Errorf("$%s is not a variable; use $request.body.PATH, $integration.response.statuscode or $integration.response.header.NAME", name)
	}
	return part{}, fmt.Errorf("$%s is not a variable here; use $request.body.PATH", name)
}

// Append appends what the expression comes to. It is false when something that
// it names is not there, is not a single value, or the message is not JSON.
func (e *Expression) Append(dst []byte, in *Input) ([]byte, bool) {
	for i := range e.parts {
		p := &e.parts[i]
		switch p.source {
		case literal:
			dst = append(dst, p.text...)
		case requestBody:
			value, outcome := p.path.Find(in.Body)
			if outcome != jsonpath.Found || !jsonpath.IsScalar(value) || jsonpath.IsNull(value) {
				return dst, false
			}
			dst = jsonpath.AppendText(dst, value)
		case status:
			dst = append(dst, in.Status...)
		case header:
			if in.Header == nil {
				return dst, false
			}
			value := in.Header(p.text)
			if value == nil {
				return dst, false
			}
			dst = append(dst, value...)
		}
	}
	return dst, true
}

// Fixed returns the text of an expression without variables.
func (e *Expression) Fixed() (string, bool) {
	switch {
	case len(e.parts) == 1 && e.parts[0].source == literal:
		return e.parts[0].text, true
	}
	return "", false
}
