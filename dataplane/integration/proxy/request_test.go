package proxy

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// always are the fields that every backend gets.
var always = []string{
	"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Port: 8080", "X-Forwarded-Proto: http",
	"X-Amzn-Apigateway-Api-Id: abcdefghij", "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678",
}

func TestTarget(t *testing.T) {
	const request = "GET /prod/7%2F8/a/b%20c//d?a=1&b=2&a=3&sp=x%20y+z&n%61me=v HTTP/1.1\r\nHost: x\r\nX-H: h1\r\nX-H: h2 ?&\r\nX-Up: ..\r\n\r\n"
	for _, c := range []struct {
		name   string
		typ    string
		uri    string
		params map[string]string
		want   string
	}{
		{"base", "", "http://backend.example/base", nil, "/base?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"no path", "", "http://backend.example", nil, "/?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"query of its own", "", "http://backend.example/?k=v", nil, "/?k=v&a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"greedy, bytes unchanged", "", "http://backend.example/{proxy}", map[string]string{"path.proxy": "method.request.path.proxy"},
			"/a/b%20c//d?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"written with a plus", "", "http://backend.example/{proxy+}/z", map[string]string{"path.proxy": "method.request.path.proxy"},
			"/a/b%20c//d/z?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"parameter, bytes unchanged", "", "http://backend.example/x/{p}/y", map[string]string{"path.p": "method.request.path.id"},
			"/x/7%2F8/y?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"without a mapping it is empty", "", "http://backend.example/x/{id}/y", nil, "/x//y?a=1&b=2&a=3&sp=x%20y+z&n%61me=v"},
		{"header in the path", "HTTP", "http://backend.example/{p}", map[string]string{"path.p": "method.request.header.X-H"}, "/h2%20%3F%26"},
		{"literal in the path", "HTTP", "http://backend.example/{p}", map[string]string{"path.p": "'a b/c'"}, "/a%20b%2Fc"},
		{"no way up", "HTTP", "http://backend.example/a/{p}/b", map[string]string{"path.p": "method.request.header.X-Up"}, "/a//b"},
		{"parameter in the query", "HTTP", "http://backend.example/x?y={p}&z=1", map[string]string{"path.p": "method.request.path.evil"}, "/x?y=1%26admin%3Dtrue%2B/%3D&z=1"},
		{"stage variables", "HTTP", "http://${stageVariables.backend}/${stageVariables.color}${stageVariables.none}/x", nil, "/blue/x"},
		{"variable in the path", "HTTP", "http://backend.example/{p}", map[string]string{"path.p": "stageVariables.color"}, "/blue"},
		{"context in the path", "HTTP", "http://backend.example/{p}/{q}", map[string]string{"path.p": "context.stage", "path.q": "context.requestId"}, "/prod/the-request-id"},
		{"HTTP forwards no query", "HTTP", "http://backend.example/base", nil, "/base"},
		{"last value", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.querystring.a"}, "/?q=3"},
		{"all values", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.multivaluequerystring.a"}, "/?q=1&q=3"},
		{"as it came", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.querystring.sp"}, "/?q=x%20y+z"},
		{"encoded name", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.querystring.name"}, "/?q=v"},
		{"missing", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.querystring.none", "querystring.r": "'x'"}, "/?r=x"},
		{"header in the query", "HTTP", "http://backend.example/?k", map[string]string{"querystring.q$r": "method.request.header.X-H"}, "/?k&q%24r=h2%20%3F%26"},
		{"all headers in the query", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.multivalueheader.X-H"}, "/?q=h1%2Ch2%20%3F%26"},
		{"names have case", "HTTP", "http://backend.example/", map[string]string{"querystring.q": "method.request.header.x-h"}, "/"},
		{"appended to what goes through", "", "http://backend.example/", map[string]string{"querystring.b": "'4'"}, "/?a=1&b=2&a=3&sp=x%20y+z&n%61me=v&b=4"},
	} {
		m := method(func(in *definition.Integration) {
			in.URI = c.uri
			if c.typ != "" {
				in.Type = c.typ
			}
			in.RequestParameters = map[string]string{}
			for k, v := range c.params {
				in.RequestParameters["integration.request."+k] = v
			}
		})
		line, _ := compose(t, compile(t, m), request)
		if want := "GET " + c.want + " HTTP/1.1"; line != want {
			t.Errorf("%s: %q, want %q", c.name, line, want)
		}
	}
}

func TestVerbs(t *testing.T) {
	for _, c := range []struct{ integration, client, want string }{
		{"ANY", "GET", "GET"}, {"ANY", "DELETE", "DELETE"}, {"POST", "GET", "POST"}, {"GET", "POST", "GET"},
	} {
		p := compile(t, method(func(in *definition.Integration) { in.HTTPMethod = c.integration }))
		line, fields := compose(t, p, c.client+" / HTTP/1.1\r\nHost: x\r\n\r\n")
		if !strings.HasPrefix(line, c.want+" /base ") {
			t.Errorf("%s for %s: %q", c.client, c.integration, line)
		}
		if got := slices.Contains(fields, "Content-Length: 0"); got != (c.want != "GET") {
			t.Errorf("%s for %s: Content-Length: 0 is %t", c.client, c.integration, got)
		}
	}
}

// TestPassThrough is AWS's table of header treatment, on the way to the backend.
func TestPassThrough(t *testing.T) {
	sent := []string{"Accept: text/plain", "User-Agent: test"} // else they are added
	for _, c := range []struct {
		fields string // of the client
		want   string // what becomes of them
	}{
		// Fields that pass.
		{"Age: 1", "Age: 1"}, {"Accept-Charset: a", "Accept-Charset: a"}, {"Accept-Encoding: gzip", "Accept-Encoding: gzip"},
		{"Authorization: Bearer x", "Authorization: Bearer x"}, {"Content-Type: a/b", "Content-Type: a/b"},
		{"Date: today", "Date: today"}, {"Pragma: a", "Pragma: a"}, {"Range: bytes=0-1", "Range: bytes=0-1"}, {"Referer: a", "Referer: a"},
		{"Warn: a", "Warn: a"}, {"Cookie: a=b", "Cookie: a=b"}, {"x-ApI-KeY: a", "x-ApI-KeY: a"}, {"X-A: b\r\nx-a:  c\t", "X-A: b\nx-a:  c\t"},
		// Fields that end here.
		{"Connection: keep-alive", ""}, {"Content-MD5: a", ""}, {"Expect: 100-continue", ""}, {"Max-Forwards: 1", ""},
		{"Proxy-Authenticate: a", ""}, {"Proxy-Authorization: a", ""}, {"Proxy-Connection: a", ""}, {"Keep-Alive: a", ""},
		{"Server: a", ""}, {"TE: trailers", ""}, {"Trailer: a", ""}, {"Upgrade: h2c", ""}, {"Via: 1.1 a", ""},
		{"WWW-Authenticate: a", ""}, {"X-HTTP-Method-Override: PUT", ""}, {"Content-Encoding: gzip", ""},
		{"x-amzn-requestid: 1", ""}, {"X-Amzn-Apigateway-Api-Id: forged", ""},
		// A signature is for the gateway.
		{"Authorization: AWS4-HMAC-SHA256 Credential=a", ""},
		// Fields that the client says are for this hop only, but not those that
		// say who calls and for whom.
		{"Connection: X-A, close\r\nX-A: b\r\nX-B: c", "X-B: c"},
		{"Connection: authorization, x-api-key, content-type\r\nAuthorization: a\r\nX-Api-Key: b\r\nContent-Type: c", "Authorization: a\nX-Api-Key: b\nContent-Type: c"},
		{"X-A: 1\r\nConnection: x-a\r\nConnection: x-b\r\nX-B: 2\r\nX-C: 3", "X-C: 3"},
	} {
		raw := "GET / HTTP/1.1\r\nHost: client.example\r\n" + strings.Join(sent, "\r\n") + "\r\n" + c.fields + "\r\n\r\n"
		_, got := compose(t, compile(t, method(nil)), raw)
		want := append([]string{"Host: backend.example"}, sent...)
		if c.want != "" {
			want = append(want, strings.Split(c.want, "\n")...)
		}
		want = append(want, always...)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q,\nwant %q", c.fields, got, want)
		}
	}
}

func TestContentEncodingGoesWithABody(t *testing.T) {
	_, fields := compose(t, compile(t, method(nil)), "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n")
	if !slices.Contains(fields, "Content-Encoding: gzip") || !slices.Contains(fields, "Content-Length: 5") {
		t.Errorf("%q", fields)
	}
}

func TestDefaultsOfPassThrough(t *testing.T) {
	_, got := compose(t, compile(t, method(nil)), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	want := append([]string{"Host: backend.example", "Accept: application/json", "User-Agent: AmazonAPIGateway_abcdefghij"}, always...)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHTTPForwardsWhatIsMapped, and its defaults.
func TestHTTPForwardsWhatIsMapped(t *testing.T) {
	p := compile(t, method(func(in *definition.Integration) {
		in.Type = definition.IntegrationHTTP
		in.URI = "https://backend.example:8443/"
		in.RequestParameters = map[string]string{"integration.request.header.X-To": "method.request.header.X-From"}
	}))
	_, got := compose(t, p, "POST / HTTP/1.1\r\nHost: x\r\nX-From: a\r\nX-Other: b\r\nAccept: c\r\nUser-Agent: d\r\nAuthorization: e\r\nContent-Type: f/g\r\nContent-Length: 2\r\n\r\n")
	want := append([]string{"Host: backend.example:8443", "Accept: application/json", "User-Agent: AmazonAPIGateway_abcdefghij", "Content-Type: f/g", "X-To: a"}, always...)
	want = append(want, "Content-Length: 2")
	if !slices.Equal(got, want) {
		t.Errorf("%q,\nwant %q", got, want)
	}
	if p.Endpoint != (Endpoint{Host: "backend.example", Port: 8443, TLS: true}) {
		t.Errorf("endpoint %+v", p.Endpoint)
	}
}

func TestMappedHeaders(t *testing.T) {
	const request = "GET /?q=1&q=a%20b%0d%0aX:y&sp=a+b HTTP/1.1\r\nHost: client.example\r\nAccept: a\r\nUser-Agent: u\r\nX-Multi: 1\r\nX-Multi: 2\r\nX-To: client\r\n\r\n"
	for _, c := range []struct{ name, from, want string }{
		{"X-To", "method.request.header.X-Multi", "X-To: 2"},
		{"X-To", "method.request.multivalueheader.X-Multi", "X-To: 1,2"},
		{"x-to", "'fixed'", "x-to: fixed"}, // replaces the client's, in any case
		{"X-To", "''", "X-To: "},
		{"X-To", "method.request.header.x-multi", ""}, // names have case; without a source nothing is sent
		{"X-To", "method.request.header.None", ""},
		{"X-To", "method.request.querystring.sp", "X-To: a b"}, // decoded
		{"X-To", "method.request.querystring.q", ""},           // would be two lines
		{"X-To", "method.request.path.id", "X-To: 7%2F8"},
		{"X-To", "stageVariables.color", "X-To: blue"},
		{"X-To", "context.stage", "X-To: prod"},
		{"X-To", "context.identity.sourceIp", "X-To: 192.0.2.1"},
		{"X-To", "context.authorizer.claims.email", "X-To: a@example.com"},
		{"X-To", "context.authorizer.claims.none", ""}, // and not the client's
		{"X-To", "context.identity.userArn", ""},       // of nobody
		{"X-To", "context.identity.clientCert.subjectDN", "X-To: CN=a"},
		{"X-To", "context.identity.clientCert.clientCertPem", "X-To: -----BEGIN AA BB -----END "},
		{"X-To", "context.identity.clientCert.validity.notAfter", ""},
		{"Host", "'other.example'", "Host: other.example"}, {"Host", "method.request.querystring.sp", "Host: backend.example"},
		{"Host", "method.request.header.None", "Host: backend.example"}, {"Host", "stageVariables.backend", "Host: backend.example:8080"},
		{"Date", "'d'", "Date: d"}, {"Content-MD5", "'m'", "Content-MD5: m"}, {"Max-Forwards", "'1'", "Max-Forwards: 1"},
		{"Server", "'s'", "Server: s"}, {"Trailer", "'t'", "Trailer: t"}, {"Upgrade", "'u'", "Upgrade: u"},
		{"WWW-Authenticate", "'w'", "WWW-Authenticate: w"}, {"Authorization", "'a'", "Authorization: a"},
		{"User-Agent", "'mine'", "User-Agent: mine"}, {"Accept", "'b'", "Accept: b"}, {"Content-Encoding", "'gzip'", "Content-Encoding: gzip"},
		{"Via", "'v'", ""}, {"Expect", "'e'", ""}, {"TE", "'t'", ""}, {"Proxy-Authenticate", "'p'", ""}, // dropped all the same
	} {
		p := compile(t, method(func(in *definition.Integration) {
			in.RequestParameters = map[string]string{"integration.request.header." + c.name: c.from}
		}))
		_, fields := compose(t, p, request)
		var got []string
		for _, f := range fields {
			if name, _, _ := strings.Cut(f, ":"); strings.EqualFold(name, c.name) {
				got = append(got, f)
			}
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s from %s: %q, want %q", c.name, c.from, got, c.want)
		}
	}
}

func TestForwardedFor(t *testing.T) {
	for fields, want := range map[string]string{
		"":                                  "X-Forwarded-For: 192.0.2.1",
		"X-Forwarded-For: 198.51.100.9\r\n": "X-Forwarded-For: 198.51.100.9, 192.0.2.1",
		"x-forwarded-for: a, b\r\nX-Forwarded-For: c\r\n":                         "X-Forwarded-For: a, b, c, 192.0.2.1",
		"X-Forwarded-For:\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Proto: https\r\n": "X-Forwarded-For: 192.0.2.1",
	} {
		_, got := compose(t, compile(t, method(nil)), "GET / HTTP/1.1\r\nHost: x\r\n"+fields+"\r\n")
		for _, line := range []string{want, "X-Forwarded-Port: 8080", "X-Forwarded-Proto: http"} {
			if n := count(got, line); n != 1 {
				t.Errorf("%q: %q has %d times %q", fields, got, n, line)
			}
		}
	}
}

func count(lines []string, line string) (n int) {
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

func TestChunkedBody(t *testing.T) {
	p := compile(t, method(nil))
	r := parse(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n")
	out := string(p.AppendRequest(nil, r, p.Verb(r.Verb), input{}, &edge, Body{Chunked: true}))
	if !strings.HasSuffix(out, "\r\nTransfer-Encoding: chunked\r\n\r\n") || strings.Contains(out, "Content-Length") || strings.Contains(out, "Trailer") {
		t.Errorf("%q", out)
	}
}

func TestNoBodyWithGET(t *testing.T) {
	p := compile(t, method(func(in *definition.Integration) { in.HTTPMethod = "GET" }))
	r := parse(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
	out := string(p.AppendRequest(nil, r, p.Verb(r.Verb), input{}, &edge, Body{}))
	if strings.Contains(out, "Content-Length") || strings.Contains(out, "Transfer-Encoding") {
		t.Errorf("%q", out)
	}
}

// TestRoutes: routes of WebSocket APIs map values of the message.
func TestRoutes(t *testing.T) {
	s := scope
	s.Route = true
	m := method(func(in *definition.Integration) {
		in.Type, in.HTTPMethod, in.URI = "HTTP", "POST", "http://backend.example/{to}"
		in.RequestParameters = map[string]string{
			"integration.request.path.to":           "route.request.body.to",
			"integration.request.querystring.n":     "route.request.body.n",
			"integration.request.header.X-Deep":     "route.request.body.deep.a[0]",
			"integration.request.header.X-Bad":      "route.request.body.bad", // would be two lines
			"integration.request.header.X-None":     "route.request.body.none",
			"integration.request.header.Connection": "'x'",
			"integration.request.header.X-Id":       "context.connectionId",
			"integration.request.header.X-From":     "route.request.header.X-From",
		}
	})
	p, err := Compile(m, &s)
	if err != nil {
		t.Fatal(err)
	}
	line, got := compose(t, &p, "POST / HTTP/1.1\r\nHost: x\r\nX-From: page\r\n\r\n")
	if line != "POST /bob?n=7 HTTP/1.1" {
		t.Error(line)
	}
	if !slices.Contains(got, "X-Deep: x\ty") || !slices.Contains(got, "X-From: page") || strings.Contains(strings.Join(got, "\n"), "X-Bad") {
		t.Errorf("%q", got)
	}
	for from, want := range map[string]string{
		"method.request.header.a": "use route.request.", "route.request.body.a[*]": "JSON path", "route.request.bodyx": "use route.request.", "route.request.path.x": "no parameter",
	} {
		m.Integration.RequestParameters = map[string]string{"integration.request.header.X": from}
		if _, err := Compile(m, &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", from, err)
		}
	}
}
