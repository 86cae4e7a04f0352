package mock

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/template"
)

type templates = map[string]string

// method makes a mock method that declares 200, 404 and 204, and the headers
// X-A and Content-Type on 200.
func method(in definition.Integration) *definition.Method {
	in.Type = definition.IntegrationMock
	return &definition.Method{
		HTTPMethod: "GET",
		Responses: map[string][]string{
			"200": {"method.response.header.X-A", "method.response.header.Content-Type", "method.response.header.Content-Length"},
			"204": nil, "404": nil, "600": nil,
		},
		Integration: &in,
	}
}

func compile(t *testing.T, in definition.Integration) *Mock {
	t.Helper()
	m, err := Compile(method(in), map[string]string{"origin": "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask returns the answer as "200 application/json {}", or the outcome.
func ask(m *Mock, contentType, accept string) string {
	answer, outcome := m.Answer([]byte(contentType), []byte(accept))
	switch outcome {
	case UnsupportedMediaType:
		return "415"
	case ConfigurationError:
		return "500"
	}
	return strings.Join([]string{string('0' + rune(answer.Status/100)), answer.ContentType, string(answer.Body)}, " ")
}

func TestAnswerOfCORSPreflight(t *testing.T) {
	m := compile(t, definition.Integration{
		RequestTemplates: templates{"application/json": "{statusCode: 200}"},
		Responses: []*definition.IntegrationResponse{{
			StatusCode: "200",
			ResponseParameters: map[string]string{
				"method.response.header.X-A": "'GET,OPTIONS'",
			},
			ResponseTemplates: templates{"application/json": ""},
		}},
	})
	got, outcome := m.Answer(nil, []byte("*/*"))
	want := &Answer{Status: 200, ContentType: "application/json", Headers: []Header{{"X-A", "GET,OPTIONS"}}, Body: []byte{}}
	if outcome != Answered || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, outcome, want)
	}
}

func TestRequestTemplate(t *testing.T) {
	ok := []*definition.IntegrationResponse{{StatusCode: "200"}}
	one := templates{"application/json": `{"statusCode": 200}`}
	for _, row := range []struct {
		templates   templates
		passthrough string
		contentType string
		want        string
	}{
		{one, "", "", "2 application/json "},
		{one, "", "application/json", "2 application/json "},
		{one, "", "Application/JSON; charset=utf-8", "2 application/json "},
		{one, "", "text/plain", "500"},
		{one, "WHEN_NO_MATCH", "text/plain", "500"},
		{one, "WHEN_NO_TEMPLATES", "text/plain", "415"},
		{one, "NEVER", "text/plain", "415"},
		{nil, "", "", "500"},
		{nil, "WHEN_NO_MATCH", "", "500"},
		{nil, "WHEN_NO_TEMPLATES", "", "500"},
		{nil, "NEVER", "", "415"},
		{templates{"$default": `{"statusCode": 200}`}, "NEVER", "text/plain", "2 application/json "},
		{templates{"Text/Plain": `{"statusCode": 200}`}, "NEVER", "text/plain", "2 application/json "},
		{templates{"application/json": `{"status": 200}`}, "", "", "500"},
		{templates{"application/json": `{"statusCode": "200"}`}, "", "", "500"},
		{templates{"application/json": `{"statusCode": 200.5}`}, "", "", "500"},
		{templates{"application/json": `statusCode: 200`}, "", "", "500"},
		{templates{"application/json": ``}, "", "", "500"},
		{templates{"application/json": "{'statusCode': 200, note: 'it\\'s \"ok\"', more: true}"}, "", "", "2 application/json "},
		{templates{"application/json": `{"statusCode: 200`}, "", "", "500"},
		{templates{"application/json": `{'`}, "", "", "500"},
	} {
		m := compile(t, definition.Integration{RequestTemplates: row.templates, PassthroughBehavior: row.passthrough, Responses: ok})
		if got := ask(m, row.contentType, ""); got != row.want {
			t.Errorf("%v %s %q: got %q, want %q", row.templates, row.passthrough, row.contentType, got, row.want)
		}
	}
}

func TestSelection(t *testing.T) {
	responses := []*definition.IntegrationResponse{
		{StatusCode: "404", SelectionPattern: `4\d{2}|50`, ResponseTemplates: templates{"application/json": "no"}},
		{StatusCode: "404", SelectionPattern: `40.`, ResponseTemplates: templates{"application/json": "second"}},
		{StatusCode: "201", SelectionPattern: "201", ResponseTemplates: templates{"application/json": "undeclared"}},
		{StatusCode: "204", SelectionPattern: "204", ResponseTemplates: templates{"application/json": "never sent"}},
		{StatusCode: "200", ResponseTemplates: templates{"application/json": "default"}},
	}
	for _, row := range []struct{ status, want string }{
		{"200", "2 application/json default"},
		{"404", "4 application/json no"},
		{"50", "4 application/json no"},
		{"500", "2 application/json default"}, // the pattern is for the whole status
		{"201", "500"},
		{"204", "2 application/json "},
		{"-1", "2 application/json default"},
	} {
		in := definition.Integration{RequestTemplates: templates{"application/json": "{statusCode:" + row.status + "}"}, Responses: responses}
		if got := ask(compile(t, in), "", ""); got != row.want {
			t.Errorf("%s: got %q, want %q", row.status, got, row.want)
		}
		in.Responses = responses[:2]
		if got := ask(compile(t, in), "", ""); (row.status == "200") && got != "500" {
			t.Errorf("%s without a default: got %q, want 500", row.status, got)
		}
	}
}

func TestResponseTemplate(t *testing.T) {
	for _, row := range []struct {
		templates    templates
		accept, want string
	}{
		{templates{"application/json": "{}", "text/html": "<p>"}, "", "{}"},
		{templates{"application/json": "{}", "text/html": "<p>"}, "text/html", "<p>"},
		{templates{"application/json": "{}", "text/html": "<p>"}, " TEXT/html;q=0.9, application/json", "<p>"},
		{templates{"application/json": "{}", "text/html": "<p>"}, "image/png, text/html", "{}"},
		{templates{"application/json": "{}", "text/html": "<p>"}, "*/*", "{}"},
		{templates{"text/xml": "<x>", "text/html": "<p>"}, "*/*", "<p>"},
		{templates{"text/xml": "<x>", "text/html": "<p>"}, "text/xml", "<x>"},
		{nil, "text/xml", ""},
	} {
		m := compile(t, definition.Integration{
			RequestTemplates: templates{"$default": "{statusCode:200}"},
			Responses:        []*definition.IntegrationResponse{{StatusCode: "200", ResponseTemplates: row.templates}},
		})
		if got := ask(m, "", row.accept); got != "2 application/json "+row.want {
			t.Errorf("%v, %q: got %q, want %q", row.templates, row.accept, got, row.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, row := range []struct{ target, source, want string }{
		{"X-A", "'a b'", "application/json X-A: a b"},
		{"X-A", "''", "application/json X-A: "},
		{"X-A", "stageVariables.origin", "application/json X-A: https://example.com"},
		{"X-A", "stageVariables.none", "application/json"},
		{"X-A", "integration.response.header.X-B", "application/json"},
		{"Content-Type", "'text/html'", "text/html"},
	} {
		m := compile(t, definition.Integration{
			RequestTemplates: templates{"$default": "{statusCode:200}"},
			Responses: []*definition.IntegrationResponse{{
				StatusCode:         "200",
				ResponseParameters: map[string]string{"method.response.header." + row.target: row.source},
			}},
		})
		answer, _ := m.Answer(nil, nil)
		got := answer.ContentType
		for _, h := range answer.Headers {
			got += " " + h.Name + ": " + h.Value
		}
		if got != row.want {
			t.Errorf("%s from %s: got %q, want %q", row.target, row.source, got, row.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	header := func(target, source string) definition.IntegrationResponse {
		return definition.IntegrationResponse{StatusCode: "200", ResponseParameters: map[string]string{target: source}}
	}
	for _, row := range []struct {
		response definition.IntegrationResponse
		want     string
	}{
		{definition.IntegrationResponse{StatusCode: "200", SelectionPattern: "(?=x)"}, `integration response 200: selection pattern "(?=x)"`},
		{definition.IntegrationResponse{StatusCode: "600"}, "not a number from 200 to 599"},
		{definition.IntegrationResponse{StatusCode: "200", ResponseTemplates: templates{"a/b": `{"id": "$input.params('id')"}`}}, `"$input.params"`},
		{header("method.response.header.X-B", "'b'"), "does not declare"},
		{header("method.response.header.X:B", "'b'"), "must be method.response.header.NAME"},
		{header("integration.request.header.X-A", "'b'"), "must be method.response.header.NAME"},
		{header("method.response.header.Content-Length", "'1'"), "belongs to the connection"},
		{header("method.response.header.X-A", "context.requestId"), "not supported in a mock"},
		{header("method.response.header.X-A", "'a"), "not supported in a mock"},
		{header("method.response.header.X-A", "'a\r\nb: c'"), "control character"},
	} {
		_, err := Compile(method(definition.Integration{Responses: []*definition.IntegrationResponse{&row.response}}), nil)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
	if _, err := Compile(method(definition.Integration{RequestTemplates: templates{"a/b": "#if($x)"}}), nil); err == nil {
		t.Error("template language in a request template: no error")
	}
	if _, err := Compile(&definition.Method{}, nil); err == nil {
		t.Error("no integration: no error")
	}
}

func TestVelocity(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`{"price": "$5", "color": "#fff", "id": "#if-none"}`, ""},
		{`$( document )`, ""},
		{`a $input.json('$') b`, "$input.json"},
		{`${context.requestId}`, "${context.requestId"},
		{`$!stageVariables.x`, "$!stageVariables.x"},
		{`#set ($x = 1)`, "#set ("},
		{"#else\n", "#else\n"},
		{`## note`, "##"},
	} {
		if got := template.Construct(row.text); got != row.want {
			t.Errorf("%s: got %q, want %q", row.text, got, row.want)
		}
	}
}

func TestAnswerDoesNotAllocate(t *testing.T) {
	m := compile(t, definition.Integration{
		RequestTemplates: templates{"application/json": "{statusCode:200}", "text/plain": "{statusCode:404}"},
		Responses:        []*definition.IntegrationResponse{{StatusCode: "200", ResponseTemplates: templates{"text/html": "<p>", "text/xml": "<x>"}}},
	})
	contentType, accept := []byte("Text/Plain; charset=utf-8"), []byte("text/xml, */*")
	if n := testing.AllocsPerRun(100, func() {
		m.Answer(contentType, accept)
		m.Answer(nil, nil)
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}
