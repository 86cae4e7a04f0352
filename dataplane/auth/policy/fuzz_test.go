package policy

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCompile: what compiles is JSON and can be evaluated, and denies what a
// statement added to it denies.
func FuzzCompile(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":["*","123456789012"]},"Action":["execute-api:Inv*"],"Resource":["execute-api:/*/GET/?*"],`+
		`"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]},"ForAnyValue:StringLike":{"aws:TagKeys":["a*b","${aws:username}"]},"NumericLessThanIfExists":{"x:y":1.5}}}]}`, true)
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026-01-01"},"Null":{"a:b":true}}}}`, false)
	f.Add(`{"Statement":[[[[[[[[[[[]]]]]]]]]]]}`, false)
	values := map[string]string{"aws:username": "ann"}
	f.Fuzz(func(t *testing.T, text string, resource bool) {
		o := Options{API: api, Variables: values}
		if resource {
			o.Kind = Resource
		}
		p, err := Compile([]byte(text), o)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("refused without a reason")
			}
			return
		}
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			t.Fatalf("compiled %q", text)
		}
		deny := compile(t, Identity, `{'Effect':'Deny','Action':'*','Resource':'*'}`)
		for _, c := range []*Context{{}, caller()} {
			for _, a := range []Action{Invoke, InvalidateCache, ManageConnections} {
				d := p.Evaluate(a, api+"/prod/GET/pets", c)
				if d > ExplicitDeny {
					t.Fatalf("decision %d", d)
				}
				if EvaluateAll([]*Policy{p, deny}, a, api+"/prod/GET/pets", c) != ExplicitDeny {
					t.Fatal("a deny does not win")
				}
			}
		}
	})
}

// FuzzPattern compares the matcher with regexp.
func FuzzPattern(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*ab*?a*", "abaaba")
	f.Fuzz(func(t *testing.T, text, s string) {
		if !utf8.ValidString(text) || strings.Contains(text, "$") || len(text) > 60 {
			t.Skip()
		}
		for _, b := range []byte(s + text) { // regexp's dot is a rune, ours a byte
			if b >= 0x80 {
				t.Skip()
			}
		}
		if got, want := mustPattern(t, text).match(s), toRegexp(text).MatchString(s); got != want {
			t.Fatalf("%q on %q: %t", text, s, got)
		}
	})
}
