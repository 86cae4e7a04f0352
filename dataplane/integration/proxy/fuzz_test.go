package proxy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// FuzzMapping composes the backend's request from whatever a client can say and
// an owner can map. It always reads as one request, to the host that the
// integration names.
func FuzzMapping(f *testing.F) {
	for _, raw := range []string{
		"GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\r\n",
		"POST /%2e/a?b=%0d%0aX:y&b=+%00%ff HTTP/1.1\r\nHost: x\r\nX-A:\r\nConnection: x-a, host\r\nX-A: \xff\r\n\r\n",
		"PUT /?b HTTP/1.0\r\nX-Forwarded-For: a\r\nX-A: \t\r\nX-HTTP-Method-Override: GET\r\n\r\n",
		"DELETE /?b=1&b=2&&=& HTTP/1.1\r\nHost: [::1]:80\r\nX-A: a, b\r\nX-A: c\r\nAuthorization: AWS4-HMAC-SHA256 \r\n\r\n",
	} {
		for _, value := range []string{"method.request.querystring.b", "method.request.multivaluequerystring.b", "method.request.header.X-A",
			"method.request.multivalueheader.X-A", "method.request.path.proxy", "context.identity.userAgent", "'a b'", "stageVariables.v"} {
			f.Add([]byte(raw), value, "X-A", "a/%2F b", uint8(0))
			f.Add([]byte(raw), value, "Host", "v", uint8(1))
			f.Add([]byte(raw), value, "q", "v", uint8(2))
			f.Add([]byte(raw), value, "p", "http://x", uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, from, name, variable string, kind uint8) {
		if n := http1.HeadEnd(raw, 0); n != len(raw) {
			return
		}
		var r http1.Request
		if r.Parse(raw, limits) != 0 {
			return
		}
		kinds := []string{"header", "header", "querystring", "path"}
		m := method(func(in *definition.Integration) {
			if kind&4 != 0 {
				in.Type = definition.IntegrationHTTP
			}
			in.URI = "http://backend.example/base/{p}/x"
			if kind&3 == 3 && name == "p" {
				in.URI = "http://backend.example/{p}/x"
			}
			in.RequestParameters = map[string]string{"integration.request." + kinds[kind&3] + "." + name: from}
		})
		s := Scope{APIID: "abcdefghij", Params: []string{"id", "proxy"}, Variables: map[string]string{"v": variable}}
		p, err := Compile(m, &s)
		if err != nil {
			return
		}
		segment := bytes.TrimPrefix(r.Path, []byte("/")) // as the router would cut it
		out := p.AppendRequest(nil, &r, p.Verb(r.Verb), echo{&r, segment}, &edge, Body{})
		if n := http1.HeadEnd(out, 0); n != len(out) {
			t.Fatalf("%d bytes after the head of %q", len(out)-n, out)
		}
		var again http1.Request
		sent := bytes.Clone(out)
		if fault := again.Parse(sent, http1.Limits{Target: 1 << 20, Header: 1 << 20, Count: 1000}); fault != 0 {
			if r.Verb == http1.VerbOther { // no method has it, so none is forwarded
				return
			}
			if strings.HasPrefix(p.target[0].text, "//") { // the owner's wish
				return
			}
			t.Fatalf("%v: %q", fault, out)
		}
		if (p.mapped == nil || p.mapped.host == nil) && string(again.Host) != "backend.example" || again.HasBody() {
			t.Fatalf("host %q: %q", again.Host, out)
		}
		if names := fmt.Sprint(countID(&again, http1.Host), countID(&again, http1.XForwardedFor), countID(&again, http1.XAmznAPIID)); names != "1 1 1" {
			t.Fatalf("hosts, sources, APIs: %s: %q", names, out)
		}
	})
}

func countID(r *http1.Request, id http1.ID) (n int) {
	for i := range r.Len() {
		if r.ID(i) == id {
			n++
		}
	}
	return n
}

// echo gives every parameter the same bytes of the client's path.
type echo struct {
	r    *http1.Request
	path []byte
}

func (e echo) Param(int) []byte { return e.path }

func (e echo) AppendContext(dst []byte, _ ContextVar, _ string) []byte {
	return append(dst, e.r.Get(http1.UserAgent)...)
}

func (e echo) AppendBody(dst []byte, _ *jsonpath.Path) ([]byte, bool) {
	return append(dst, e.path...), true
}
