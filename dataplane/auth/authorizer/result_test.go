package authorizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

// with makes an answer that allows everything and has more members.
func with(members string) string {
	text := `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if members != "" {
		text += "," + members
	}
	return text + "}"
}

func TestParseResult(t *testing.T) {
	for members, want := range map[string]string{
		``:                          `[] ""`,
		`"context":null`:            `[] ""`,
		`"context":{}`:              `[] ""`,
		`"usageIdentifierKey":null`: `[] ""`,
		`"context": {"stringKey" : "v\u00e9\"","numberKey": 1 ,"float":-1.50e+3,"booleanKey":true,"no":false,"nothing":null,"":"empty"}, "usageIdentifierKey": "key"`: `[{stringKey vé" false} {numberKey 1 false} {float -1.50e+3 false} {booleanKey true false} {no false false} {nothing  true} { empty false}] "key"`,
		`"more":{"of":[1,2]},"isAuthorized":false`: `[] ""`,
	} {
		v, err := parseResult([]byte(" " + with(members) + "\n"))
		if got := fmt.Sprintf("%v %q", v.Context, v.UsageIdentifierKey); err != nil || got != want || v.PrincipalID != "me" || v.Outcome != Decided {
			t.Errorf("%s: %s, %v; want %s", members, got, err, want)
		}
	}
	v, _ := parseResult([]byte(with(`"context":{"a":"1","b":null}`)))
	for name, want := range map[string]string{"a": "1 true", "b": " true", "c": " false"} {
		text, ok := v.Value(name)
		if got := fmt.Sprint(text, " ", ok); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestParseResultRefuses(t *testing.T) {
	const statement = `"policyDocument":{"Statement":[]}`
	for text, want := range map[string]string{
		``:                                       "not JSON",
		`null`:                                   "not an object",
		`"Unauthorized"`:                         "not an object",
		`[]`:                                     "not an object",
		`1`:                                      "not an object",
		`{`:                                      "not JSON",
		with("") + "x":                           "not JSON",
		with("") + with(""):                      "not JSON",
		`{` + statement + "\xff}":                "not JSON",
		`{}`:                                     "no policyDocument",
		`{"principalId":"me"}`:                   "no policyDocument",
		`{` + statement + `}`:                    "no principalId",
		`{"principalId":"",` + statement + `}`:   "no principalId",
		`{"principalId":1,` + statement + `}`:    "principalId: must be a string",
		`{"principalId":null,` + statement + `}`: "principalId: must be a string",
		`{"isAuthorized":true,"context":{}}`:     "simple response (isAuthorized) of HTTP APIs",
		`{"PrincipalId":"me","PolicyDocument":{"Statement":[]}}`:                     "no policyDocument",
		`{"principalId":"me","policyDocument":null}`:                                 "policyDocument: policy must be an object",
		`{"principalId":"me","policyDocument":"{}"}`:                                 "policyDocument: policy must be an object",
		`{"principalId":"me","policyDocument":{}}`:                                   "policyDocument: policy has no Statement",
		`{"principalId":"me","policyDocument":{"Statement":[{"Effect":"allow"}]}}`:   "policyDocument: Statement[0].Effect",
		`{"principalId":"me","policyDocument":{"Statement":[],"Statement":[]}}`:      "policyDocument: Statement: given twice",
		strings.Replace(with(""), `"Action":"*"`, `"Principal":"*","Action":"*"`, 1): "policyDocument: Statement[0]",
		strings.Replace(with(""), `"*"}`, `"${aws:username}"}`, 1):                   "policyDocument: Statement[0]",
		with(`"principalId":"you"`):                                                  `"principalId" is given twice`,
		with(`"\u0070rincipalId":"you"`):                                             `"principalId" is given twice`,
		with(statement):                                                              `"policyDocument" is given twice`,
		with(`"context":[]`):                                                         "context is not an object",
		with(`"context":"x"`):                                                        "context is not an object",
		with(`"context":{"a":{}}`):                                                   "context.a: must be a string, a number or a boolean",
		with(`"context":{"a": [1]}`):                                                 "context.a: must be a string, a number or a boolean",
		with(`"context":{"a":1,"a":2}`):                                              `context: "a" is given twice`,
		with(`"context":{"claims":"x"}`):                                             "context.claims: the name is reserved",
		with(`"usageIdentifierKey":1`):                                               "usageIdentifierKey: must be a string",
		with(`"more":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000)):    "not JSON",
		with(`"more":"` + strings.Repeat("x", MaxResult) + `"`):                      "more than 65536 bytes",
	} {
		if v, err := parseResult([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || v.Policy != nil || v.Outcome == Decided {
			t.Errorf("%.100s: %+v, %v; want %q", text, v, err, want)
		}
	}
}

// FuzzResult: an answer that is taken is one object of which readers cannot
// differ, and one that is not lets nobody in.
func FuzzResult(f *testing.F) {
	f.Add([]byte(allowed))
	f.Add([]byte(with(`"context":{"a":"b","n":1.5e3,"t":true,"z":null},"usageIdentifierKey":"k"`)))
	f.Add([]byte(with(`"context":{"a":{"b":[[[]]]}}`)))
	f.Add([]byte(with(`"principalId":"twice"`)))
	f.Add([]byte(`{"errorMessage":"Unauthorized","errorType":"Error"}`))
	f.Add([]byte(`{"principalId":"me","policyDocument":{"Statement":{"Effect":"Deny","NotAction":"x:*","NotResource":"arn:aws:s3:*"}}}`))
	c := &policy.Context{}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseResult(text)
		if err != nil {
			v = misconfigured(err)
			if err.Error() == "" || v.Evaluate(petARN, c) != policy.ExplicitDeny {
				t.Fatalf("%v: %+v", err, v)
			}
			return
		}
		if v.Outcome != Decided || v.PrincipalID == "" || v.Policy == nil {
			t.Fatalf("%+v", v)
		}
		v.Evaluate(petARN, c)
		var again struct {
			Context map[string]any `json:"context"`
		}
		if err := json.Unmarshal(text, &again); err != nil { // which also takes names in other case
			return
		}
		for _, value := range v.Context {
			if s, ok := again.Context[value.Name].(string); ok && s != value.Text {
				t.Fatalf("context.%s: %q, %q", value.Name, s, value.Text)
			}
		}
	})
}
