package control

import (
	"log/slog"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// FuzzBodies gives hostile bodies and targets to every operation that takes
// one. No operation may panic, answer 500, or leave a catalog that its own
// rules forbid.
func FuzzBodies(f *testing.F) {
	for _, seed := range [][3]string{
		{"PATCH", "/restapis/api0000000", `{"patchOperations":[{"op":"replace","path":"/name","value":"x"}]}`},
		{"PATCH", "/restapis/api0000000", `{"patchOperations":[{"op":"replace","path":"/endpointConfiguration/types/EDGE","value":"REGIONAL"},{"op":"remove","path":"/description"}]}`},
		{"PATCH", "/restapis/api0000000/stages/prod", `{"patchOperations":[{"op":"replace","path":"/variables/a~1b","value":"x"},{"op":"copy","from":"/canarySettings/deploymentId","path":"/deploymentId"}]}`},
		{"PATCH", "/restapis/api0000000/stages/prod", `{"patchOperations":[{"op":"remove","path":"/*/*"},{"op":"add","path":"/~1pets/GET/caching/enabled","value":"true"}]}`},
		{"PATCH", "/restapis/api0000000/deployments/d00000", `{"patchOperations":[{"op":"replace","path":"/description","value":null}]}`},
		{"PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn"}]}`},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["REGIONAL"],"ipAddressType":"ipv4"},"tags":{"a":"b"}}`},
		{"POST", "/restapis/api0000000/deployments", `{"stageName":"s","stageDescription":"d","variables":{"a":"b"},"tracingEnabled":false}`},
		{"POST", "/restapis/api0000000/stages", `{"stageName":"t","deploymentId":"d00000","variables":{"a":"b"},"canarySettings":null}`},
		{"GET", "/restapis?limit=2&position=MDA&x=%zz", ``},
		{"GET", "/restapis/api0000000/resources?embed=methods&limit=1", ``},
	} {
		f.Add(seed[0], seed[1], []byte(seed[2]))
	}
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		g := newFakeGateway()
		b := definition.NewBody("api0000000", []*definition.Resource{{ID: "r", ParentID: definition.ResourceID("api0000000", "/"), PathPart: "pets", Path: "/pets",
			Methods: map[string]*definition.Method{"GET": {HTTPMethod: "GET", Integration: &definition.Integration{Type: definition.IntegrationMock}}}}}, definition.Settings{EndpointType: "EDGE"})
		g.catalog = g.catalog.With(definition.Change{
			PutAPIs:        []*definition.API{{ID: "api0000000", Name: "a", CreatedDate: noon, EndpointType: "EDGE", Body: b}},
			PutDeployments: []*definition.Deployment{{ID: "d00000", APIID: "api0000000", Number: 1, CreatedDate: noon, Body: b}},
			PutStages:      []*definition.Stage{{APIID: "api0000000", Name: "prod", DeploymentID: "d00000", CreatedDate: noon}},
		})
		s := NewServer(g, Options{AccountID: "000000000000", Logger: slog.New(slog.DiscardHandler)})
		o, params, query, err := match(method, target)
		if err != nil || o.serve == nil || o.path == "/tidegate/drain" {
			return
		}
		status, _, err := o.serve(s, &request{operation: o, params: params, query: query, body: body})
		if err != nil {
			if e := asError(err); e.Status >= 500 || e.Message == "" {
				t.Errorf("%s %s %q: %v", method, target, body, err)
			}
		} else if status < 200 || status > 299 {
			t.Errorf("%s %s %q: status %d", method, target, body, status)
		}
		checkCatalog(t, g.catalog)
	})
}

func checkCatalog(t *testing.T, c *definition.Catalog) {
	for id, a := range c.APIs {
		if a.ID != id || a.Name == "" || a.Body == nil || a.EndpointType != a.Body.EndpointType {
			t.Errorf("API %+v", a)
		}
	}
	for k, st := range c.Stages {
		if c.Deployments[definition.DeploymentKey{APIID: k.APIID, ID: st.DeploymentID}] == nil {
			t.Errorf("stage %+v points at no deployment", st)
		}
		if checkStageName(st.Name) != nil || checkVariables(st.Variables) != nil {
			t.Errorf("stage %+v", st)
		}
	}
	for k := range c.Deployments {
		if c.APIs[k.APIID] == nil {
			t.Errorf("deployment %v has no API", k)
		}
	}
}
