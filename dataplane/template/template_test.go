package template

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/selection"
)

type input struct{}

func (input) AppendContext(dst []byte, number int, rest string) []byte {
	return fmt.Appendf(dst, "<%d:%s>", number, rest)
}

var scope = &Scope{
	Variables: map[string]string{"color": "blue", "quote": `"`},
	Context: func(name string) (string, int, string, error) {
		switch {
		case name == "stage":
			return "prod", 0, "", nil
		case name == "connectionId":
			return "", 7, "", nil
		case strings.HasPrefix(name, "authorizer."):
			return "", 8, name[len("authorizer."):], nil
		}
		return "", 0, "", fmt.Errorf("not a context variable")
	},
}

func TestAppend(t *testing.T) {
	const body = `{"a":{"b":"x \"y\"\n/"},"n":[1,2],"s":"é"}`
	for template, want := range map[string]string{
		``: ``, `plain $5.00 #1 #if-none`: `plain $5.00 #1 #if-none`,
		`$input.body`: body, `${input.body}`: body,
		`{"v":$input.json('$.a')}`:                                    `{"v":{"b":"x \"y\"\n/"}}`,
		`$input.path('$.a.b')`:                                        "x \"y\"\n/",
		`$input.path('$.n')`:                                          "[1,2]",
		`$input.path('$.none')|`:                                      "|",
		`$input.json('$.none')`:                                       `""`,
		`$!input.path('$.s')`:                                         "é",
		`$context.stage/$context.connectionId`:                        "prod/<7:>",
		`${context.stage}x`:                                           "prodx",
		`$context.authorizer.user`:                                    "<8:user>",
		`$stageVariables.color ${stageVariables.color}s`:              "blue blues",
		`$stageVariables['color']`:                                    "blue",
		`$stageVariables.none.`:                                       ".",
		`"$util.escapeJavaScript($input.path('$.a.b'))"`:              `"x \"y\"\n\/"`,
		`$util.escapeJavaScript($stageVariables.quote)`:               `\"`,
		`$util.urlEncode( $input.path('$.a.b') )`:                     "x+%22y%22%0A%2F",
		`$util.base64Encode($context.connectionId)`:                   "PDc6Pg==",
		`{"id": "$context.connectionId", "data": $input.json('$.n')}`: `{"id": "<7:>", "data": [1,2]}`,
	} {
		tmpl, err := Compile(template, scope)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got := string(tmpl.Append(nil, []byte(body), input{})); got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for template, want := range map[string]string{
		"#set($a = 1)": "directives", "#if($x)": "directives", "#foreach($x in $y)": "directives", "## comment": "directives", "#end": "directives",
		"$foo": "$foo", "$input.params('x')": "$input.params", "$input.path('$..a')": "JSON path", "$context.none": "not a context variable",
		"$util.parseJson($input.body)": "util.parseJson", "$util.escapeJavaScript(x)": "not supported", "$util.escapeJavaScript($input.body": "parentheses",
		"$util.urlEncode($util.urlEncode($input.body))": "one reference", "${context.stage": "not supported", "$input.path('$.a').b": "",
	} {
		_, err := Compile(template, scope)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", template, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", template, err, want)
		}
	}
}

func TestSet(t *testing.T) {
	s, err := CompileSet(map[string]string{"$default": "d", "big": "b"}, "${request.body.kind}", selection.Message, scope)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{`{"kind":"big"}`: "b", `{"kind":"small"}`: "d", `x`: "d"} {
		if got, _ := s.Choose(nil, &selection.Input{Body: []byte(body)}).Fixed(); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
	if s, err = CompileSet(map[string]string{"a": "1"}, "", selection.Message, scope); err != nil || s.Choose(nil, &selection.Input{}) != nil || s.Empty() {
		t.Error("no template is one for every case", err)
	}
	if _, err = CompileSet(nil, "$x", selection.Message, scope); err == nil {
		t.Error("a bad expression")
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"$input.path('$.a')", "$util.escapeJavaScript($input.body)", "${context.stage}", "#set($x)", "$stageVariables['a']"} {
		f.Add(seed, `{"a":1}`)
	}
	f.Fuzz(func(_ *testing.T, text, body string) {
		if t, err := Compile(text, scope); err == nil {
			t.Append(nil, []byte(body), input{})
		}
	})
}
