package corpus

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
	"github.com/tidegate/tidegate/dataplane/openapi"
	"github.com/tidegate/tidegate/dataplane/route"
)

// generated is how many requests are to be routed, and seed makes them the same ones
// every time.
const (
	generated = 100_000
	seed      = 44
)

// backendRoutes are the resources and where they lead: the backend's path names
// the resource, so that it shows what was matched.
var backendRoutes = [][2]string{
	{"/", "/root"}, {"/pets", "/pets"}, {"/pets/{id}", "/pet/{id}"}, {"/pets/{id}/toys", "/toys/{id}"},
	{"/pets/{id}/toys/{toy}", "/toy/{id}/{toy}/x"}, {"/pets/mine", "/mine?own=1"}, {"/files/{path+}", "/{path}"},
	{"/{a}/{b}/{rest+}", "/deep/{a}/{b}/{rest}"},
}

// snapshotOf compiles the routes as an API at stage "prod" of every host.
func snapshotOf(t *testing.T, routes [][2]string) *deploy.Snapshot {
	t.Helper()
	var doc strings.Builder
	doc.WriteString("openapi: 3.0.3\ninfo: {title: test, version: \"1\"}\npaths:\n")
	for _, r := range routes {
		doc.WriteString("  \"" + r[0] + "\":\n    x-amazon-apigateway-any-method:\n      x-amazon-apigateway-integration:\n" +
			"        type: http_proxy\n        httpMethod: ANY\n        uri: \"http://backend.test" + r[1] + "\"\n        requestParameters:\n" +
			"          integration.request.querystring.via: \"'t'\"\n")
		for _, name := range params(r[0]) {
			doc.WriteString("          integration.request.path." + name + ": method.request.path." + name + "\n")
		}
	}
	result, err := openapi.Parse([]byte(doc.String()), openapi.Options{APIID: "abcdefghij", MaxTimeoutMillis: 29000})
	if err != nil {
		t.Fatal(err)
	}
	key := definition.StageKey{APIID: "abcdefghij", Stage: "prod"}
	result.Body.EndpointType = definition.EndpointRegional
	s, err := deploy.Compile(&definition.Catalog{
		APIs:        map[string]*definition.API{key.APIID: {ID: key.APIID, Name: "test"}},
		Deployments: map[definition.DeploymentKey]*definition.Deployment{{APIID: key.APIID, ID: "d"}: {ID: "d", Body: result.Body}},
		Stages:      map[definition.StageKey]*definition.Stage{key: {APIID: key.APIID, Name: "prod", DeploymentID: "d"}},
	}, deploy.Host{MaxURL: 10240, GatewayDomain: "localhost", Domains: []deploy.Domain{{Name: "*", Mappings: []deploy.Mapping{{API: "test"}}}}},
		deploy.Stores{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func params(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{+}"))
		}
	}
	return names
}

// grammar makes targets: mostly valid, of few segments, so that routes match.
type grammar struct{ *rand.Rand }

func (g grammar) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g grammar) segment() string {
	switch g.IntN(12) {
	case 0, 1, 2:
		return g.pick("pets", "toys", "mine", "files", "prod")
	case 3:
		return ""
	case 4:
		return g.pick("a%2Fb", "%2F", "%2f%2F", "%70ets", "%25", "%3F", "%23", "%5c", "%C3%A9")
	case 5:
		return g.pick(".", "..", "%2e", ".%2E", "..;", "%00", "#", "é", "%zz", "{id}", "a b")
	default:
		var b strings.Builder
		for range 1 + g.IntN(6) {
			b.WriteByte("abcXYZ019-._~!$&'()*+,;=:@"[g.IntN(26)])
		}
		return b.String()
	}
}

func (g grammar) target() string {
	t := "/prod"
	for range g.IntN(6) {
		t += "/" + g.segment()
	}
	if g.IntN(3) == 0 {
		t += "?"
		for range g.IntN(3) {
			t += g.pick("a=b&", "a=%2F", "x[]=1", "/../", "?", "//h/", "%", "u=http://e/", "&&", "+")
		}
	}
	return t
}

// noContext is a request without context and with path parameters.
type noContext struct {
	path  []byte
	match *route.Match
}

func (in noContext) Param(i int) []byte                                          { return in.match.Value(in.path, i) }
func (in noContext) AppendContext(d []byte, _ proxy.ContextVar, _ string) []byte { return d }
func (in noContext) AppendBody(d []byte, _ *jsonpath.Path) ([]byte, bool)        { return d, false }

// TestR44RoutedIsForwarded routes generated requests with the parts of the
// pipeline and reads what they would send again: the bytes that were matched
// are the bytes that are forwarded, to this parser and to net/http.
func TestR44RoutedIsForwarded(t *testing.T) {
	snapshot := snapshotOf(t, backendRoutes)
	g := grammar{rand.New(rand.NewPCG(seed, seed))}
	limits := http1.Limits{Target: 10240, Header: 20480, Count: 100}
	edge := proxy.Edge{SourceIP: []byte("192.0.2.1"), Port: "80", Proto: "http", TraceID: []byte("Root=1")}
	var r, again http1.Request
	var match route.Match
	var out []byte
	routed, refused, differences := 0, 0, 0
	byResource := map[string]int{}
	start := time.Now()
	for routed < generated {
		target := g.target()
		head := []byte(g.pick("GET", "POST", "PUT", "DELETE") + " " + target + " HTTP/1.1\r\nHost: Gate.test\r\nX-A: b\r\n\r\n")
		if r.Parse(head, limits) != 0 {
			refused++
			continue
		}
		stage, path, _, ok := snapshot.Find(r.Host, r.Path)
		if !ok {
			t.Fatalf("%s: no stage", target)
		}
		method, ok := stage.Methods.Lookup(path, route.Verb(r.Verb), &match)
		if !ok {
			continue
		}
		routed++
		byResource[method.ResourcePath]++
		want := expected(method.ResourcePath, path, string(r.Query))
		out = method.Proxy.AppendRequest(out[:0], &r, r.Verb, noContext{path, &match}, &edge, proxy.Body{})
		sent := string(out)
		fault := again.Parse(out, limits)
		q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(sent))))
		if fault != 0 || err != nil || string(again.Target) != want || q.RequestURI != want || q.Method != r.Verb.String() ||
			string(again.Host) != "backend.test" || q.Host != "backend.test" {
			if differences++; differences < 10 {
				t.Errorf("%s matched %s: want %s, sent %q; read again: %v, net/http %v", target, method.ResourcePath, want, sent, fault, err)
			}
		}
	}
	t.Logf("%d routed, %d refused, %d differences, %v; %v", routed, refused, differences, time.Since(start), byResource)
	if differences > 0 || len(byResource) < len(backendRoutes) {
		t.Errorf("%d differences in %d requests over %d of %d resources", differences, routed, len(byResource), len(backendRoutes))
	}
}

// expected is what a resource's backend gets for a path, worked out from the
// path's text and the two patterns alone.
func expected(resource string, path []byte, query string) string {
	text := "/" + strings.TrimLeft(string(path), "/")
	if len(text) > 1 {
		text = strings.TrimSuffix(text, "/")
	}
	values := map[string]string{}
	rest := text[1:]
	for part := range strings.SplitSeq(resource[1:], "/") {
		var value string
		if strings.HasSuffix(part, "+}") {
			value, rest = rest, ""
		} else {
			value, rest, _ = strings.Cut(rest, "/")
		}
		values[strings.Trim(part, "{+}")] = value
	}
	to := ""
	for _, r := range backendRoutes {
		if r[0] == resource {
			to = r[1]
		}
	}
	for _, name := range params(resource) {
		to = strings.ReplaceAll(to, "{"+name+"}", values[name])
	}
	path2, own, hasOwn := strings.Cut(to, "?")
	if strings.HasPrefix(resource, "/files/") {
		path2 = "/" + strings.TrimLeft(path2, "/") // no host's name for the backend
		own, hasOwn = "", false
	}
	sep := "?"
	if hasOwn {
		path2 += "?" + own
		sep = "&"
	}
	if query != "" {
		path2 += sep + query
		sep = "&"
	}
	return path2 + sep + "via=t"
}
