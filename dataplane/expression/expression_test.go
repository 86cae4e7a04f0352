package expression

import (
	"strings"
	"testing"
)

func TestCheckURISchemes(t *testing.T) {
	if _, err := CheckURI("WS://chat:8090/${stageVariables.path}", "http", "ws"); err != nil {
		t.Error(err)
	}
	for uri, want := range map[string]string{
		"wss://u":    `"wss://u" is not an http:// or ws:// address`,
		"ws://{a}/b": "{a} may not stand in the host or port",
	} {
		if _, err := CheckURI(uri, "http", "ws"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	names, err := CheckURI("http://u/{a}/{b}?{a}", "http")
	if err != nil || strings.Join(names, ",") != "a,b,a" {
		t.Errorf("placeholders %v %v", names, err)
	}
}

func TestCheckSource(t *testing.T) {
	for source, want := range map[string]string{
		"route.request.querystring.room": "",
		"route.request.body.a.b":         "",
		"route.request.body.a..b":        "is not a mapping expression",
		"route.request.body":             "is not a mapping expression",
		"route.request.path.a":           "use route.request.{querystring|body}.NAME, stageVariables.NAME",
		"context.connectionId":           "",
		"stageVariables.a":               "",
		"stageVariables.a-b":             "is not a mapping expression",
		"'a'":                            "",
		"'a":                             "does not end with a single quote",
		"'a\nb'":                         "line breaks",
		"$context.a":                     "belongs to HTTP APIs",
	} {
		err := CheckSource(source, "route.request.", "querystring", "body")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
	if err := CheckSource("method.request.body.a", "method.request.", "header"); err == nil || !strings.Contains(err.Error(), "not supported yet") {
		t.Errorf("a body where there is none: %v", err)
	}
	if err := CheckTarget("integration.request.cookie.a", "integration.request.", "path", "header"); err == nil || !strings.Contains(err.Error(), "integration.request.{path|header}.NAME") {
		t.Errorf("a target: %v", err)
	}
}

func TestCheckTemplate(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"statusCode": 200}`: true, "costs $5": true, "#fff": true,
		"$input.body": false, "${x}": false, "$!x": false, "#set($a = 1)": false, "## a": false, "#if (true)": false,
		strings.Repeat("a", MaxTemplateBytes+1): false,
	} {
		if err := CheckTemplate(text); (err == nil) != ok {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for text, ok := range map[string]bool{
		`{"statusCode": 200}`: true, `{statusCode: 404, "a": 1}`: true, `{'statusCode': 200}`: true, `{}`: false, `{"statusCode": "200"}`: false, "200": false,
	} {
		if GivesStatus(text) != ok {
			t.Errorf("%s gives a status: %v", text, !ok)
		}
	}
}

func TestCheckPattern(t *testing.T) {
	for pattern, ok := range map[string]bool{
		`4\d{2}`: true, "": true, `(?=4)4..`: false, `.{1000}.{1000}.{1000}.{1000}.{1000}`: false, strings.Repeat("a", 513): false,
	} {
		if err := CheckPattern(pattern); (err == nil) != ok {
			t.Errorf("%.20q: %v", pattern, err)
		}
	}
}
