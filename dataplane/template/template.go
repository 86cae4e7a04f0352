// Package template reads the part of AWS's mapping templates that needs no
// programming: text with references in it. What it does not do (directives such
// as #if and #set, and all other references) it refuses by name when a template
// is compiled, so that nothing of a template is ever left out.
//
//	$input.body                        the message, or what an integration answered
//	$input.path('$.a.b')               a value of it, strings without quotes
//	$input.json('$.a.b')               a value of it, as JSON
//	$context.NAME, $stageVariables.NAME
//	$util.escapeJavaScript(REFERENCE), $util.urlEncode(REFERENCE), $util.base64Encode(REFERENCE)
//
// A reference may have braces, "${context.stage}", and $! in place of $.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
package template

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// Template is a compiled template. It is immutable; any number of goroutines may
// use it.
type Template struct{ parts []part }

type source uint8

const (
	literal source = iota
	body
	bodyText // a value, as $input.path has it
	bodyJSON
	variable
)

type filter uint8

const (
	asIs filter = iota
	escapeJavaScript
	urlEncode
	base64Encode
)

type part struct {
	source   source
	filter   filter
	text     string // the literal, or the rest of the variable's name
	variable int
	path     jsonpath.Path
}

// Scope resolves names when a template is compiled.
type Scope struct {
	Variables map[string]string // of the stage
	// Context returns the text of a $context variable that is fixed, or the
	// number of another and the rest of its name for Input.AppendContext.
	Context func(name string) (fixed string, number int, rest string, err error)
}

// Input is what a template is filled with.
type Input interface {
	// AppendContext appends a variable; see Scope.Context.
	AppendContext(dst []byte, number int, rest string) []byte
}

// construct is a reference ($input, ${context.x}, $!x), a directive, or a comment
// of the Velocity template language, version 1.7. Directives need their
// parenthesis, so that "#if-none" in a style sheet stays text.
var construct = regexp.MustCompile(`\$!?\{?[A-Za-z][\w.]*` +
	`|#\{?(?:set|if|elseif|foreach|include|parse|macro|evaluate|define)\}?\s*\(` +
	`|#(?:stop|break|end|\{end\}|else|\{else\})(?:\s|$)` +
	`|#[#*]|#\[\[`)

// Construct returns the first construct in a template that would have to be
// evaluated, or "".
func Construct(text string) string { return construct.FindString(text) }

// Compile reads a template.
func Compile(text string, scope *Scope) (*Template, error) {
	t := &Template{}
	for text != "" {
		at := construct.FindStringIndex(text)
		if at == nil {
			break
		}
		t.literal(text[:at[0]])
		text = text[at[0]:]
		if text[0] == '#' {
			return nil, fmt.Errorf("%q: directives and comments are not supported; templates have text and references alone", strings.TrimSpace(Construct(text)))
		}
		p, n, err := reference(text, scope)
		if err != nil {
			return nil, err
		}
		if p.source == literal {
			t.literal(p.text)
		} else {
			t.parts = append(t.parts, p)
		}
		text = text[n:]
	}
	t.literal(text)
	return t, nil
}

func (t *Template) literal(text string) {
	if n := len(t.parts); n > 0 && t.parts[n-1].source == literal {
		t.parts[n-1].text += text
	} else if text != "" {
		t.parts = append(t.parts, part{text: text})
	}
}

var (
	braced = regexp.MustCompile(`^\$!?\{([^{}]*)\}`)
	plain  = regexp.MustCompile(`^\$!?(input\.(?:path|json)\('[^']*'\)|input\.body|(?:context|stageVariables)(?:\.[A-Za-z_][\w-]*)+|stageVariables\['[^']*'\])`)
	call   = regexp.MustCompile(`^\$!?util\.(escapeJavaScript|urlEncode|base64Encode)\(\s*`)
)

// reference reads the reference that text begins with, and returns how long it is.
func reference(text string, scope *Scope) (p part, n int, err error) {
	if m := call.FindStringSubmatch(text); m != nil {
		inner, length, err := reference(text[len(m[0]):], scope)
		if err != nil {
			return p, 0, err
		}
		rest := text[len(m[0])+length:]
		closed := strings.TrimLeft(rest, " ")
		if !strings.HasPrefix(closed, ")") || inner.filter != asIs {
			return p, 0, fmt.Errorf("%q: one reference stands in the parentheses, and no more", m[0])
		}
		inner.filter = map[string]filter{"escapeJavaScript": escapeJavaScript, "urlEncode": urlEncode, "base64Encode": base64Encode}[m[1]]
		if inner.source == literal {
			inner = part{text: string(apply(nil, []byte(inner.text), inner.filter))}
		}
		return inner, len(m[0]) + length + len(rest) - len(closed) + 1, nil
	}
	name := ""
	if m := plain.FindStringSubmatch(text); m != nil {
		name, n = m[1], len(m[0])
	} else if m := braced.FindStringSubmatch(text); m != nil {
		name, n = m[1], len(m[0])
	}
	p, err = scope.part(name)
	if err != nil {
		what := name
		if what == "" {
			what = strings.TrimPrefix(Construct(text), "$")
		}
		return p, 0, fmt.Errorf("$%s: %w", what, err)
	}
	return p, n, nil
}

var inputValue = regexp.MustCompile(`^input\.(path|json)\('([^']*)'\)$`)

// part compiles what a reference names.
func (s *Scope) part(name string) (p part, err error) {
	if name == "input.body" {
		return part{source: body}, nil
	}
	if m := inputValue.FindStringSubmatch(name); m != nil {
		p.source = bodyText
		if m[1] == "json" {
			p.source = bodyJSON
		}
		p.path, err = jsonpath.Compile(m[2])
		return p, err
	}
	if v, ok := strings.CutPrefix(name, "stageVariables."); ok {
		return part{text: s.Variables[v]}, nil
	}
	if v, ok := strings.CutPrefix(name, "stageVariables['"); ok {
		return part{text: s.Variables[strings.TrimSuffix(v, "']")]}, nil
	}
	if v, ok := strings.CutPrefix(name, "context."); ok {
		p.source = variable
		var fixed string
		if fixed, p.variable, p.text, err = s.Context(v); err == nil && fixed != "" {
			return part{text: fixed}, nil
		}
		return p, err
	}
	return p, fmt.Errorf("this reference is not supported; use $input.body, $input.path('…'), $input.json('…'), $context.NAME, " +
		"$stageVariables.NAME or $util.escapeJavaScript(…) of one of them")
}

// Check says what is wrong with a template, but for names of $context variables,
// which Compile finds.
func Check(text string) error {
	_, err := Compile(text, &Scope{Context: func(string) (string, int, string, error) { return "", 0, "", nil }})
	return err
}

// Append appends the template filled with a body, which is empty or JSON where
// values of it are referred to, and a request's variables.
func (t *Template) Append(dst, of []byte, in Input) []byte {
	for i := range t.parts {
		p := &t.parts[i]
		if p.source == literal {
			dst = append(dst, p.text...)
			continue
		}
		start := len(dst)
		switch p.source {
		case body:
			dst = append(dst, of...)
		case variable:
			dst = in.AppendContext(dst, p.variable, p.text)
		default:
			value, outcome := p.path.Find(of)
			switch {
			case outcome != jsonpath.Found:
				if p.source == bodyJSON {
					dst = append(dst, `""`...) // as AWS has it
				}
			case p.source == bodyJSON:
				dst = append(dst, value...)
			default:
				dst = jsonpath.AppendText(dst, value)
			}
		}
		if p.filter != asIs {
			dst = apply(dst[:start], append([]byte(nil), dst[start:]...), p.filter)
		}
	}
	return dst
}

// Fixed returns the text of a template without references.
func (t *Template) Fixed() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].source == literal:
		return t.parts[0].text, true
	}
	return "", false
}
