package expression

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseSelection(t *testing.T) {
	body := func(name string) Part { return Part{Source: FromBody, Name: name} }
	text := func(s string) Part { return Part{Text: s} }
	for from, want := range map[string]Selection{
		"$request.body.action":                              {body("action")},
		"${request.body.action}":                            {body("action")},
		"$request.body.a.b-c.d_1":                           {body("a.b-c.d_1")},
		"${request.body.service}/${request.body.action}":    {body("service"), text("/"), body("action")},
		"$request.body.service/$request.body.action":        {body("service"), text("/"), body("action")},
		"$request.body.action.":                             {body("action"), text(".")},
		"v1:$request.body.action!":                          {text("v1:"), body("action"), text("!")},
		"static":                                            {text("static")},
		`\$default`:                                         {text("$default")},
		`$default`:                                          {text("$default")},
		`a\\b`:                                              {text(`a\b`)},
		"$integration.response.statuscode":                  {{Source: FromStatus}},
		"${integration.response.header.X-Kind}":             {{Source: FromHeader, Name: "X-Kind"}},
		"$integration.response.multivalueheader.set-cookie": {{Source: FromHeaders, Name: "set-cookie"}},
		"größe":                                             {text("größe")},
	} {
		got, err := ParseSelection(from, FromBody, FromStatus, FromHeader, FromHeaders)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v, want %+v", from, got, err, want)
		}
	}
	for from, want := range map[string]string{
		"":                                 "is empty",
		"$":                                `"$" is not a variable`,
		"${request.body.a":                 "a brace is not closed",
		"$request.header.x":                `"$request.header.x" is not a variable that can be here; there is $request.body.NAME`,
		"$request.body":                    "is not a variable",
		"${request.body.}":                 "is not a variable",
		"${request.body.a..b}":             "is not a variable",
		"${request.body.a[0]}":             "is not a variable",
		"$integration.response.statuscode": "is not a variable",
		`\n`:                               "a backslash stands before",
		"a\nb":                             "control character",
		strings.Repeat("a", 1025):          "at most 1024 bytes",
	} {
		if _, err := ParseSelection(from, FromBody); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", from, err, want)
		}
	}
}

func TestConstant(t *testing.T) {
	for from, want := range map[string]string{`\$default`: "$default", "a/b": "a/b", "a$request.body.b": ""} {
		s, err := ParseSelection(from, FromBody)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Constant(); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", from, got, ok)
		}
	}
}

// FuzzParseSelection: a selection says the same as its parts, written out again.
func FuzzParseSelection(f *testing.F) {
	for _, seed := range []string{"$request.body.action", "${request.body.a.b}/x", `\$default`, `a\\b\$c`, "$default", "${", "$request.body.a.-"} {
		f.Add(seed)
	}
	sources := []string{FromBody, FromStatus, FromHeader}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelection(text, sources...)
		if err != nil {
			if len(s) > 0 || err.Error() == "" {
				t.Errorf("%q: %v %v", text, s, err)
			}
			return
		}
		var again strings.Builder
		for _, p := range s {
			if p.Source != "" {
				again.WriteString("${" + p.Source + p.Name + "}")
				continue
			}
			again.WriteString(strings.NewReplacer(`\`, `\\`, `$`, `\$`).Replace(p.Text))
		}
		same, err := ParseSelection(again.String(), sources...)
		if err != nil && again.Len() <= maxSelection || err == nil && !reflect.DeepEqual(s, same) {
			t.Errorf("%q is %+v, and written out %q: %+v %v", text, s, again.String(), same, err)
		}
	})
}
