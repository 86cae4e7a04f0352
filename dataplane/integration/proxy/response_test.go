package proxy

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// answer returns the fields that a client gets of a backend's answer.
func answer(t *testing.T, p *Program, raw string) (status int, fields string, hasType bool) {
	t.Helper()
	var r http1.Response
	if fault := r.Parse([]byte(raw)); fault != 0 {
		t.Fatalf("%q: %v", raw, fault)
	}
	status, choice, ok := p.Choose(r.Status)
	if !ok {
		return 0, "", false
	}
	req := parse(t, "GET /?q=v HTTP/1.1\r\nHost: x\r\nX-Client: c\r\n\r\n")
	out, hasType := p.AppendResponse(nil, choice, &r, req, input{[]string{"7", ""}})
	return status, strings.TrimSuffix(strings.ReplaceAll(string(out), "\r\n", "\n"), "\n"), hasType
}

// TestPassedBack is AWS's table of header treatment, on the way back, for
// HTTP_PROXY.
func TestPassedBack(t *testing.T) {
	p := compile(t, method(nil))
	for field, want := range map[string]string{
		"Age: 1": "Age: 1", "Content-Encoding: gzip": "Content-Encoding: gzip", "Pragma: a": "Pragma: a", "Warn: a": "Warn: a",
		"Set-Cookie: a=b": "Set-Cookie: a=b", "access-control-allow-origin: *": "access-control-allow-origin: *",
		"X-Amzn-Trace-Id: a": "X-Amzn-Trace-Id: a",
		"Content-Length: 3":  "x-amzn-Remapped-Content-Length: 3", "Date: a": "x-amzn-Remapped-Date: a", "server: a": "x-amzn-Remapped-server: a",
		"Connection: close": "x-amzn-Remapped-Connection: close", "x-amzn-RequestId: a": "x-amzn-Remapped-x-amzn-RequestId: a",
		"Authorization: a": "x-amzn-Remapped-Authorization: a", "Content-MD5: a": "x-amzn-Remapped-Content-MD5: a",
		"Max-Forwards: 1": "x-amzn-Remapped-Max-Forwards: 1", "User-Agent: a": "x-amzn-Remapped-User-Agent: a",
		"WWW-Authenticate: a": "x-amzn-Remapped-WWW-Authenticate: a",
		"Expect: a":           "", "Host: a": "", "Proxy-Authenticate: a": "", "TE: a": "", "Trailer: a": "", "Upgrade: a": "", "Via: a": "",
		"Keep-Alive: a": "", "Transfer-Encoding: chunked": "",
	} {
		status, got, hasType := answer(t, p, "HTTP/1.1 200 OK\r\n"+field+"\r\n\r\n")
		if status != 200 || got != want || hasType {
			t.Errorf("%s: %d %q, want %q", field, status, got, want)
		}
	}
	if _, got, hasType := answer(t, p, "HTTP/1.1 404 No\r\nX-A: 1\r\nContent-Type: a/b\r\nX-B: 2\r\n\r\n"); got != "X-A: 1\nContent-Type: a/b\nX-B: 2" || !hasType {
		t.Errorf("content type: %q %t", got, hasType)
	}
}

// http is an HTTP integration whose responses map a header each.
func httpMethod(responses ...*definition.IntegrationResponse) *definition.Method {
	m := method(func(in *definition.Integration) { in.Type, in.Responses = definition.IntegrationHTTP, responses })
	m.Responses = map[string][]string{"200": {"method.response.header.X-A", "method.response.header.Content-Type",
		"method.response.header.WWW-Authenticate", "method.response.header.Server"}, "400": {"method.response.header.X-A"}, "500": nil}
	return m
}

func TestResponseMapping(t *testing.T) {
	const raw = "HTTP/1.1 200 OK\r\nX-B: 1\r\nX-B: 2\r\nX-Other: o\r\nContent-Type: text/plain\r\nWWW-Authenticate: Basic\r\nServer: s\r\nX-Bad: a\r\n\r\n"
	for _, c := range []struct{ to, from, want string }{
		{"X-A", "integration.response.header.X-B", "X-A: 2\nContent-Type: text/plain"},
		{"X-A", "integration.response.multivalueheader.X-B", "X-A: 1,2\nContent-Type: text/plain"},
		{"X-A", "integration.response.header.x-b", "Content-Type: text/plain"},
		{"X-A", "'literal'", "X-A: literal\nContent-Type: text/plain"},
		{"X-A", "stageVariables.color", "X-A: blue\nContent-Type: text/plain"},
		{"X-A", "context.requestId", "X-A: the-request-id\nContent-Type: text/plain"},
		{"Content-Type", "'a/b'", "Content-Type: a/b"},
		{"WWW-Authenticate", "integration.response.header.WWW-Authenticate", "x-amzn-Remapped-WWW-Authenticate: Basic\nContent-Type: text/plain"},
		{"Server", "'mine'", "x-amzn-Remapped-Server: mine\nContent-Type: text/plain"},
	} {
		p := compile(t, httpMethod(&definition.IntegrationResponse{StatusCode: "200", ResponseParameters: map[string]string{"method.response.header." + c.to: c.from}}))
		if _, got, hasType := answer(t, p, raw); got != c.want || !hasType {
			t.Errorf("%s from %s: %q, want %q", c.to, c.from, got, c.want)
		}
	}
}

func TestResponseSelection(t *testing.T) {
	p := compile(t, httpMethod(
		&definition.IntegrationResponse{StatusCode: "200"},
		&definition.IntegrationResponse{StatusCode: "400", SelectionPattern: `4\d{2}`},
		&definition.IntegrationResponse{StatusCode: "500", SelectionPattern: `50[12]|5`},
		&definition.IntegrationResponse{StatusCode: "418", SelectionPattern: `418`}, // not declared, and behind 4\d{2}
		&definition.IntegrationResponse{StatusCode: "503", SelectionPattern: `503`}, // not declared
	))
	for backend, want := range map[int]int{200: 200, 302: 200, 404: 400, 418: 400, 501: 500, 502: 500, 504: 200, 503: 0} {
		status, _, ok := p.Choose(backend)
		if ok != (want != 0) || ok && status != want {
			t.Errorf("%d: %d %t, want %d", backend, status, ok, want)
		}
	}
	none := compile(t, httpMethod(&definition.IntegrationResponse{StatusCode: "400", SelectionPattern: "400"}))
	if _, _, ok := none.Choose(200); ok {
		t.Error("an answer without a default was found")
	}
	undeclared := compile(t, httpMethod(&definition.IntegrationResponse{StatusCode: "200",
		ResponseParameters: map[string]string{"method.response.header.X-None": "'x'"}}))
	if _, _, ok := undeclared.Choose(200); ok {
		t.Error("a mapping to a header that the method does not declare was accepted")
	}
}

func TestResponseErrors(t *testing.T) {
	for _, c := range []struct {
		r    definition.IntegrationResponse
		want string
	}{
		{definition.IntegrationResponse{StatusCode: "100"}, "status code"}, {definition.IntegrationResponse{StatusCode: "x"}, "status code"},
		{definition.IntegrationResponse{StatusCode: "200", SelectionPattern: "("}, "RE2"},
		{definition.IntegrationResponse{StatusCode: "200", ResponseParameters: map[string]string{"header.X": "'x'"}}, "method.response.header.NAME"},
		{definition.IntegrationResponse{StatusCode: "200", ResponseParameters: map[string]string{"method.response.header.X\r\nY": "'x'"}}, "method.response.header.NAME"},
		{definition.IntegrationResponse{StatusCode: "200", ResponseParameters: map[string]string{"method.response.header.X": "integration.response.body.a"}}, "not supported"},
	} {
		if _, err := Compile(httpMethod(&c.r), &scope); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.r, err, c.want)
		}
	}
}
