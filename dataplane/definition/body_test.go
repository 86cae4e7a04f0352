package definition

import "testing"

func TestNewBody(t *testing.T) {
	body := func(uri, kind string, off bool, paths ...string) *Body {
		var resources []*Resource
		for _, p := range paths {
			resources = append(resources, &Resource{ID: ResourceID("api", p), Path: p, Methods: map[string]*Method{
				"GET": {HTTPMethod: "GET", Integration: &Integration{Type: IntegrationHTTPProxy, URI: uri}},
				"PUT": {HTTPMethod: "PUT"},
			}})
		}
		return NewBody("api", resources, Settings{EndpointType: kind, DisableExecuteAPIEndpoint: off})
	}
	b := body("u", EndpointEdge, false, "/b", "/a", "/a/x")
	for i, want := range []string{"/", "/a", "/a/x", "/b"} {
		if b.Resources[i].Path != want {
			t.Errorf("resource %d is %s, want %s", i, b.Resources[i].Path, want)
		}
	}
	if b.RootResourceID != ResourceID("api", "/") || len(b.RootResourceID) != 10 {
		t.Errorf("root resource id %q", b.RootResourceID)
	}
	if again := body("u", EndpointEdge, false, "/a/x", "/b", "/a"); again.Revision != b.Revision {
		t.Error("the order of the resources changes the revision")
	}
	for name, other := range map[string]*Body{
		"an integration":            body("v", EndpointEdge, false, "/b", "/a", "/a/x"),
		"the endpoint type":         body("u", EndpointRegional, false, "/b", "/a", "/a/x"),
		"disableExecuteApiEndpoint": body("u", EndpointEdge, true, "/b", "/a", "/a/x"),
		"a resource":                body("u", EndpointEdge, false, "/b", "/a"),
	} {
		if other.Revision == b.Revision {
			t.Errorf("%s does not change the revision", name)
		}
	}
}
