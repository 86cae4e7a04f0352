// Package selection reads AWS's selection expressions, by which WebSocket APIs
// choose a route, a template or a response: "$request.body.action",
// "${request.body.service}/${request.body.action}", or a fixed text.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
package selection

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/expression"
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
	sources := []string{expression.FromBody}
	if scope == Answer {
		sources = append(sources, expression.FromStatus, expression.FromHeader, expression.FromHeaders)
	}
	parsed, err := expression.ParseSelection(text, sources...)
	if err != nil {
		return nil, fmt.Errorf("selection expression %w", err)
	}
	e := &Expression{}
	for _, p := range parsed {
		compiled := part{text: p.Text}
		switch p.Source {
		case expression.FromBody:
			compiled.source = requestBody
			if compiled.path, err = jsonpath.Compile(p.Name); err != nil {
				return nil, fmt.Errorf("selection expression %q: %w", text, err)
			}
		case expression.FromStatus:
			compiled.source = status
		case expression.FromHeader, expression.FromHeaders:
			compiled.source, compiled.text = header, strings.ToLower(p.Name)
		}
		e.parts = append(e.parts, compiled)
	}
	return e, nil
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
