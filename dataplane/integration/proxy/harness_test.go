package proxy

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

var limits = http1.Limits{Target: 10240, Header: 20480, Count: 100}

// input stands for the pipeline.
type input struct{ params []string }

func (i input) Param(n int) []byte { return []byte(i.params[n]) }

func (input) AppendContext(dst []byte, v ContextVar, name string) []byte {
	if v == ContextAuthorizer && name == "claims.email" {
		return append(dst, "a@example.com"...)
	}
	if v == ContextClientCert {
		return append(dst, map[string]string{"subjectDN": "CN=a", "clientCertPem": "-----BEGIN\nAA\nBB\n-----END\n"}[name]...)
	}
	names := map[ContextVar]string{ContextRequestID: "the-request-id", ContextSourceIP: "192.0.2.1", ContextHTTPMethod: "GET"}
	return append(dst, names[v]...)
}

func (input) AppendBody(dst []byte, path *jsonpath.Path) ([]byte, bool) {
	value, outcome := path.Find([]byte(`{"to":"bob","n":7,"deep":{"a":["x\ty"]},"bad":"a\r\nX: y"}`))
	return jsonpath.AppendText(dst, value), outcome == jsonpath.Found
}

var scope = Scope{
	APIID: "abcdefghij", Params: []string{"id", "proxy", "evil"},
	Variables: map[string]string{"backend": "backend.example:8080", "color": "blue", "empty": ""},
	Context:   map[string]string{"stage": "prod", "apiId": "abcdefghij"},
}

// method is a method with an HTTP_PROXY integration, or as edit makes it.
func method(edit func(*definition.Integration)) *definition.Method {
	in := &definition.Integration{Type: definition.IntegrationHTTPProxy, HTTPMethod: "ANY", URI: "http://backend.example/base", TimeoutMillis: 29000}
	m := &definition.Method{HTTPMethod: "ANY", Integration: in, Responses: map[string][]string{}}
	if edit != nil {
		edit(in)
	}
	return m
}

func compile(t testing.TB, m *definition.Method) *Program {
	t.Helper()
	p, err := Compile(m, &scope)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

// parse parses a client's request without a body.
func parse(t testing.TB, raw string) *http1.Request {
	t.Helper()
	r := &http1.Request{}
	if fault := r.Parse([]byte(raw), limits); fault != 0 {
		t.Fatalf("%q: %v", raw, fault)
	}
	return r
}

var edge = Edge{SourceIP: []byte("192.0.2.1"), Port: "8080", Proto: "http", TraceID: []byte("Root=1-67891233-abcdef012345678912345678")}

// compose returns the backend's request: its line and its fields.
func compose(t testing.TB, p *Program, raw string) (line string, fields []string) {
	t.Helper()
	r := parse(t, raw)
	body := Body{Length: max(r.ContentLength, 0)}
	out := p.AppendRequest(nil, r, p.Verb(r.Verb), input{[]string{"7%2F8", "a/b%20c//d", "1&admin=true+/="}}, &edge, body)
	var again http1.Request
	if fault := again.Parse(append([]byte(nil), out...), http1.Limits{Target: 1 << 20, Header: 1 << 20, Count: 1000}); fault != 0 {
		t.Fatalf("what is sent is refused by our own parser: %v\n%s", fault, out)
	}
	text, ok := strings.CutSuffix(string(out), "\r\n\r\n")
	if !ok {
		t.Fatalf("no end: %q", out)
	}
	lines := strings.Split(text, "\r\n")
	return lines[0], lines[1:]
}
