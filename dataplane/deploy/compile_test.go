package deploy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/route"
)

var host = deploy.Host{Host: auth.Host{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"}, GatewayDomain: "Example.COM", MaxURL: 10240, Domains: []deploy.Domain{
	{Name: "api.test", Mappings: []deploy.Mapping{{API: "pets"}, {BasePath: "v1", API: "api1", Stage: "prod"}, {BasePath: "later", API: "not-yet"}}},
}}

// proxied is a method that calls uri.
func proxied(uri string) *definition.Method {
	return &definition.Method{HTTPMethod: "GET", Integration: &definition.Integration{
		Type: definition.IntegrationHTTPProxy, HTTPMethod: "GET", URI: uri, TimeoutMillis: 29000}}
}

// body is an API with one method per path.
func body(apiID string, methods map[string]*definition.Method) *definition.Body {
	var resources []*definition.Resource
	for path, m := range methods {
		resources = append(resources, &definition.Resource{ID: definition.ResourceID(apiID, path), Path: path,
			Methods: map[string]*definition.Method{m.HTTPMethod: m}})
	}
	return definition.NewBody(apiID, resources, definition.Settings{EndpointType: definition.EndpointRegional})
}

// add deploys an API at stages.
func add(c *definition.Catalog, apiID, name string, b *definition.Body, stages ...string) *definition.Catalog {
	ch := definition.Change{
		PutAPIs:        []*definition.API{{ID: apiID, Name: name, Body: b}},
		PutDeployments: []*definition.Deployment{{ID: "dep001", APIID: apiID, Number: 1, Body: b}},
	}
	for _, s := range stages {
		ch.PutStages = append(ch.PutStages, &definition.Stage{APIID: apiID, Name: s, DeploymentID: "dep001"})
	}
	return c.With(ch)
}

func find(s *deploy.Snapshot, host, path string) string {
	stage, rest, _, ok := s.Find([]byte(host), []byte(path))
	if !ok {
		return ""
	}
	return stage.APIID + "/" + stage.Name + " " + string(rest)
}

func compile(t *testing.T, c *definition.Catalog, stores deploy.Stores, previous *deploy.Snapshot) *deploy.Snapshot {
	t.Helper()
	s, err := deploy.Compile(c, host, stores, previous)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	empty := &definition.Catalog{}
	c := add(empty, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": proxied("http://h/")}), "prod", "dev")
	closed := definition.NewBody("api2", nil, definition.Settings{EndpointType: definition.EndpointRegional, DisableExecuteAPIEndpoint: true})
	c = add(c, "api2", "closed", closed, "prod")
	s := compile(t, c, deploy.Stores{}, nil)
	for _, f := range []struct{ host, path, want string }{
		{"api1.execute-api.example.com", "/prod/pets", "api1/prod /pets"},
		{"api1.execute-api.example.com", "/dev", "api1/dev "},
		{"api1.execute-api.example.com", "/none/pets", ""},
		{"api2.execute-api.example.com", "/prod/pets", ""}, // its default endpoint is disabled
		{"api3.execute-api.example.com", "/prod/pets", ""},
		{"api.test", "/prod/pets", "api1/prod /pets"},
		{"api.test", "/v1/pets", "api1/prod /pets"},
		{"api.test", "/later/prod/pets", ""},
		{"other.test", "/prod/pets", ""},
	} {
		if got := find(s, f.host, f.path); strings.TrimSuffix(got, "/") != strings.TrimSuffix(f.want, "/") {
			t.Errorf("%s%s: %q, want %q", f.host, f.path, got, f.want)
		}
	}
	if s := compile(t, empty, deploy.Stores{}, nil); find(s, "api.test", "/prod/pets") != "" {
		t.Error("something is found where nothing is deployed")
	}
}

// TestFindMutualTLS: it is of the domain, not of the stage that it leads to.
func TestFindMutualTLS(t *testing.T) {
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": proxied("http://h/")}), "prod")
	mappings := []deploy.Mapping{{API: "pets"}, {BasePath: "v1", API: "pets", Stage: "prod"}, {BasePath: "later", API: "later", Stage: "prod"}}
	h := deploy.Host{GatewayDomain: "example.com", MaxURL: 16384,
		Domains: []deploy.Domain{{Name: "Secure.test", Mappings: mappings, MutualTLS: true}, {Name: "*", Mappings: mappings}}}
	s, err := deploy.Compile(c, h, deploy.Stores{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/prod/pets", "/v1/pets"} {
		for host, want := range map[string]bool{"secure.test": true, "other.test": false, "secure.test.": false, "api1.execute-api.example.com": false} {
			stage, _, mutual, ok := s.Find([]byte(host), []byte(path))
			if want := host != "api1.execute-api.example.com" || path == "/prod/pets"; ok != want || ok && stage.APIID != "api1" {
				t.Errorf("%s%s: %v, %t", host, path, stage, ok)
			}
			if mutual != want {
				t.Errorf("%s%s: mutual TLS is %t", host, path, mutual)
			}
		}
	}
	if _, _, _, ok := s.Find([]byte("secure.test"), []byte("/later")); ok {
		t.Error("an API that is not there is found")
	}
}

// TestReuse: what has not changed is not compiled again.
func TestReuse(t *testing.T) {
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	store := upstream.NewStore([]*loop.Loop{l}, upstream.Config{MaxConnections: 1})
	defer store.Close()
	stores := deploy.Stores{Upstream: store}
	methods := map[string]*definition.Method{"/pets": proxied("http://${stageVariables.backend}/")}
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", methods), "prod", "dev")
	c = c.With(definition.Change{PutStages: []*definition.Stage{
		{APIID: "api1", Name: "prod", DeploymentID: "dep001", Variables: map[string]string{"backend": "one"}}}})
	stage := func(s *deploy.Snapshot, name string) *deploy.Stage {
		found, _, _, _ := s.Find([]byte("api.test"), []byte("/"+name))
		return found
	}
	first := compile(t, c, stores, nil)
	changed := c.With(definition.Change{PutStages: []*definition.Stage{
		{APIID: "api1", Name: "prod", DeploymentID: "dep001", Variables: map[string]string{"backend": "two"}}}})
	second := compile(t, changed, stores, first)
	if stage(first, "dev") != stage(second, "dev") {
		t.Error("an unchanged stage was compiled again")
	}
	if stage(first, "prod") == stage(second, "prod") {
		t.Error("a changed stage was not compiled")
	}
	if second.Generation != first.Generation+1 {
		t.Errorf("generations %d and %d", first.Generation, second.Generation)
	}
	hosts := func(s *deploy.Snapshot) (names []string) {
		used := upstream.InUse{Groups: map[*upstream.Group]bool{}, Caps: map[*upstream.Cap]bool{}}
		s.Upstream(&used)
		for target := range used.Groups {
			names = append(names, target.Host)
		}
		return names
	}
	if a, b := fmt.Sprint(hosts(first)), fmt.Sprint(hosts(second)); a != "[one]" || b != "[two]" {
		t.Errorf("targets %s and %s", a, b)
	}
	renamed := changed.With(definition.Change{PutAPIs: []*definition.API{{ID: "api1", Name: "toys", Body: c.APIs["api1"].Body}}})
	if third := compile(t, renamed, stores, second); find(third, "api.test", "/prod/pets") != "" {
		t.Error("a domain still leads to the API by its old name")
	}
}

// TestErrors name the API, the stage and the method.
// An authorizer is told of the path's parameters by their names.
func TestParamsOfAuthorizers(t *testing.T) {
	guarded := proxied("http://h/")
	guarded.AuthorizationType, guarded.AuthorizerID = definition.AuthCustom, "abc123"
	none := 0
	b := definition.NewBody("api1", []*definition.Resource{{ID: "r1", Path: "/pets/{pet}/toys/{toy+}", Methods: map[string]*definition.Method{"GET": guarded}}},
		definition.Settings{EndpointType: definition.EndpointRegional, Authorizers: []*definition.Authorizer{
			{ID: "abc123", Name: "a", Type: definition.AuthorizerRequest, URI: "http://h/", ResultTTLSeconds: &none}}})
	s := compile(t, add(&definition.Catalog{}, "api1", "pets", b, "prod"), deploy.Stores{}, nil)
	stage, path, _, ok := s.Find([]byte("api.test"), []byte("/prod/pets/6/toys/a/b"))
	if !ok {
		t.Fatal("no stage")
	}
	var match route.Match
	m, ok := stage.Methods.Lookup(path, route.Verb(http1.GET), &match)
	if !ok || fmt.Sprint(m.Params) != "[pet toy]" || string(match.Value(path, 1)) != "a/b" {
		t.Errorf("%v: %v", ok, m)
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		methods map[string]*definition.Method
		stage   *definition.Stage
		want    []string
	}{
		"bad endpoint":   {map[string]*definition.Method{"/pets": proxied("http://h:99999/")}, nil, []string{`API api1`, `stage "prod"`, "GET /pets", "99999"}},
		"no integration": {map[string]*definition.Method{"/pets": {HTTPMethod: "GET"}}, nil, []string{`stage "prod"`, "GET /pets", "no integration"}},
		"unknown type": {map[string]*definition.Method{"/pets": {HTTPMethod: "GET", Integration: &definition.Integration{Type: "AWS"}}}, nil,
			[]string{"GET /pets", `"AWS" is not supported`}},
		"bad mock": {map[string]*definition.Method{"/pets": {HTTPMethod: "GET", Integration: &definition.Integration{Type: definition.IntegrationMock,
			Responses: []*definition.IntegrationResponse{{StatusCode: "200", SelectionPattern: "("}}}}}, nil, []string{`stage "prod"`, "GET /pets"}},
		"no deployment": {map[string]*definition.Method{"/pets": proxied("http://h/")}, &definition.Stage{APIID: "api1", Name: "prod", DeploymentID: "gone"},
			[]string{`stage "prod"`, `deployment "gone" does not exist`}},
		"no API": {map[string]*definition.Method{"/pets": proxied("http://h/")}, &definition.Stage{APIID: "none", Name: "prod", DeploymentID: "dep001"},
			[]string{`stage "prod"`, "API none does not exist"}},
	} {
		catalog := add(&definition.Catalog{}, "api1", "pets", body("api1", c.methods), "prod")
		if c.stage != nil {
			catalog = catalog.With(definition.Change{PutStages: []*definition.Stage{c.stage}})
		}
		s, err := deploy.Compile(catalog, host, deploy.Stores{}, nil)
		if err == nil || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

// TestFailureChangesNothing: the snapshot before is as it was.
func TestFailureChangesNothing(t *testing.T) {
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": proxied("http://h/")}), "prod")
	s := compile(t, c, deploy.Stores{}, nil)
	before, _, _, _ := s.Find([]byte("api.test"), []byte("/prod"))
	broken := add(c, "api1", "pets", body("api1", map[string]*definition.Method{"/toys": proxied("none")}), "prod", "dev")
	if _, err := deploy.Compile(broken, host, deploy.Stores{}, s); err == nil {
		t.Fatal("it compiled")
	}
	after, rest, _, ok := s.Find([]byte("api.test"), []byte("/prod/pets"))
	var m route.Match
	if !ok || after != before || s.Generation != 1 {
		t.Errorf("%v %v, generation %d", ok, after, s.Generation)
	}
	if method, ok := after.Methods.Lookup(rest, route.Get, &m); !ok || method.ResourcePath != "/pets" {
		t.Errorf("GET %s is not found", rest)
	}
}

// BenchmarkCompile compiles 10,000 routes of 100 APIs; and those of one API
// that changed among them.
func BenchmarkCompile(b *testing.B) {
	const apis, routes = 100, 100
	c := &definition.Catalog{}
	make1 := func(i int) *definition.Body {
		id := fmt.Sprintf("api%07d", i)
		methods := map[string]*definition.Method{}
		for r := range routes {
			methods[fmt.Sprintf("/service%d/things/{id}/parts%d", r%10, r)] = proxied(fmt.Sprintf("http://backend%d.example/x", r%4))
		}
		return body(id, methods)
	}
	for i := range apis {
		id := fmt.Sprintf("api%07d", i)
		c = add(c, id, id, make1(i), "prod")
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if _, err := deploy.Compile(c, host, deploy.Stores{}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	before, err := deploy.Compile(c, host, deploy.Stores{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	changed := add(c, "api0000000", "changed", make1(0), "prod")
	b.Run("one of 100", func(b *testing.B) {
		for b.Loop() {
			if _, err := deploy.Compile(changed, host, deploy.Stores{}, before); err != nil {
				b.Fatal(err)
			}
		}
	})
}
