package proxy

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestEndpoints(t *testing.T) {
	for uri, want := range map[string]Endpoint{
		"http://backend.example":             {Host: "backend.example", Port: 80},
		"https://Backend.Example/x":          {Host: "backend.example", Port: 443, TLS: true},
		"http://127.0.0.1:8081/x":            {Host: "127.0.0.1", Port: 8081},
		"http://[::1]:81/":                   {Host: "::1", Port: 81},
		"ws://backend.example/x":             {Host: "backend.example", Port: 80},
		"wss://backend.example/x":            {Host: "backend.example", Port: 443, TLS: true},
		"http://${stageVariables.backend}/x": {Host: "backend.example", Port: 8080},
		"${stageVariables.whole}":            {Host: "whole.example", Port: 80},
	} {
		s := scope
		s.Variables = map[string]string{"backend": "backend.example:8080", "whole": "http://whole.example/x"}
		p, err := Compile(method(func(in *definition.Integration) { in.URI = uri }), &s)
		if err != nil || p.Endpoint != want {
			t.Errorf("%s: %+v, %v", uri, p, err)
		}
	}
}

// TestCompileErrors: each names the place.
func TestCompileErrors(t *testing.T) {
	param := func(key, value string) func(*definition.Integration) {
		return func(in *definition.Integration) { in.RequestParameters = map[string]string{key: value} }
	}
	uri := func(uri string) func(*definition.Integration) {
		return func(in *definition.Integration) { in.URI = uri }
	}
	for _, c := range []struct {
		edit func(*definition.Integration)
		want string
	}{
		{uri(""), "must begin with http://"}, {uri("ftp://a/"), "must begin with http://"}, {uri("http:///x"), "not a host name"},
		{uri("http://{id}/x"), "cannot hold a parameter"},
		{uri("http://u@h/"), "not a host name"}, {uri("http://h:0/"), "port"}, {uri("http://h:65536/"), "port"}, {uri("http://h:x/"), "port"},
		{uri("http://[::1/"), "bracket"}, {uri("http://[x]/"), "IPv6"}, {uri("http://h/#f"), "fragment"}, {uri("http://h/{a"), "no }"},
		{uri("http://h/a b"), "percent-encoded"}, {uri("http://h/\u00e9"), "percent-encoded"}, {uri("http://h/a\r\nX: y"), "percent-encoded"},
		{func(in *definition.Integration) { in.Type, in.URI = "HTTP", "ws://h/" }, "type must be HTTP_PROXY"},
		{func(in *definition.Integration) {
			in.URI, in.RequestParameters = "http://h/{p}", map[string]string{"integration.request.path.p": "'..'"}
		}, `must not be ".."`},
		{param("integration.request.header.Content-Length", "'1'"), "the gateway's to set"},
		{param("integration.request.header.transfer-encoding", "'chunked'"), "the gateway's to set"},
		{param("integration.request.header.X-Amzn-Trace-Id", "'1'"), "the gateway's to set"},
		{param("integration.request.header.X-Amzn-Apigateway-Api-Id", "'1'"), "the gateway's to set"},
		{param("integration.request.cookie.a", "'1'"), "integration.request.cookie.a"}, {param("header.a", "'1'"), "header.a"},
		{param("integration.request.header.a", "method.request.path.none"), "no parameter {none}"},
		{param("integration.request.header.a", "method.request.body"), "not a value that can be mapped"},
		{param("integration.request.header.a b", "'1'"), "a name has letters"}, {param("integration.request.header.a\r\nb", "'1'"), "a name has letters"},
		{param("integration.request.querystring.a", "'a\x00'"), "control characters"},
		{param("integration.request.header.a", "unquoted"), "'literal'"},
		{param("integration.request.header.a", "context.none"), "context.none"},
		{param("integration.request.header.a", "context.identity.clientCert.none"), "context.identity.clientCert.none"},
		{param("integration.request.header.a", "context.identity.clientCert"), "context.identity.clientCert"},
	} {
		m := method(c.edit)
		if _, err := Compile(m, &scope); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", m.Integration, err, c.want)
		}
	}
}

// TestUnresolvedVariable: a stage variable that makes no endpoint refuses the
// request, not the deployment.
func TestTargets(t *testing.T) {
	s := scope
	s.Variables = map[string]string{"pool": "B.example:1,[::1]:2", "one": "c"}
	for _, c := range []struct {
		targets    []string
		want       string
		unresolved bool
		err        string
	}{
		{nil, "", false, ""},
		{[]string{"10.0.0.1:80", "${stageVariables.pool}", "${stageVariables.one}:3"}, "10.0.0.1:80,b.example:1,[::1]:2,c:3", false, ""},
		{[]string{"a:1", "A:1"}, "", false, `x-tidegate-targets: "a:1" stands twice`},
		{[]string{"a"}, "", false, "is not a target"},
		{[]string{"a:1", "${stageVariables.none}"}, "", true, "is not a target"},
	} {
		p, err := Compile(method(func(in *definition.Integration) { in.URI, in.Targets = "http://h/", c.targets }), &s)
		if c.unresolved {
			err, p.Unresolved = p.Unresolved, nil
		}
		if p.Endpoint.Targets != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v", c.targets, p.Endpoint.Targets, err)
		}
	}
}

func TestUnresolvedVariable(t *testing.T) {
	p, err := Compile(method(func(in *definition.Integration) { in.URI = "http://${stageVariables.none}/x" }), &scope)
	if err != nil || p.Unresolved == nil || !strings.Contains(p.Unresolved.Error(), "not a host name") {
		t.Errorf("%+v, %v", p, err)
	}
}
