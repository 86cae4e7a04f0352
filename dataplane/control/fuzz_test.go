package control

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
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
		{"PATCH", "/restapis/api0000000", `{"patchOperations":[{"op":"replace","path":"/apiKeySource","value":"AUTHORIZER"},{"op":"add","path":"/x-tidegate-guaranteed-rate","value":"5"}]}`},
		{"PATCH", "/restapis/api0000000/stages/prod", `{"patchOperations":[{"op":"replace","path":"/~1pets/GET/throttling/rateLimit","value":"5.5"},{"op":"add","path":"/*/*/throttling/burstLimit","value":"-1"},{"op":"remove","path":"/pets/GET"}]}`},
		{"PATCH", "/restapis/api0000000/stages/prod", `{"patchOperations":[{"op":"replace","path":"/x-tidegate-throttle/rateLimit","value":"1e3"},{"op":"add","path":"/x-tidegate-guaranteed-rate","value":"0"},{"op":"replace","path":"/x-tidegate-rate-limit-headers","value":"false"}]}`},
		{"PATCH", "/restapis/api0000000/stages/prod", `{"patchOperations":[{"op":"replace","path":"/cacheClusterEnabled","value":"true"},{"op":"add","path":"/cacheClusterSize","value":"1.6"},{"op":"replace","path":"/x-tidegate-cache-mode","value":"standard"},{"op":"replace","path":"/*/*/caching/ttlInSeconds","value":"3600"},{"op":"add","path":"/pets/POST/caching/unauthorizedCacheControlHeaderStrategy","value":"FAIL_WITH_403"}]}`},
		{"POST", "/restapis/api0000000/deployments", `{"stageName":"s","cacheClusterEnabled":true,"cacheClusterSize":"237"}`},
		{"DELETE", "/restapis/api0000000/stages/prod/cache/data", ``},
		{"DELETE", "/restapis/api0000000/stages/prod", ``},
		{"PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/throttle/rateLimit","value":"7"},{"op":"replace","path":"/throttle/burstLimit","value":"3"}]}`},
		{"POST", "/apikeys", `{"name":"n","value":"a-value-of-20-or-more","enabled":true,"stageKeys":[],"generateDistinctId":true,"tags":{"a":"b"}}`},
		{"POST", "/apikeys?mode=import&format=csv&failonwarnings=false", "Name,Key,UsagePlanIds\nn,a-value-of-20-or-more,'plan00,nope'\nm,a-value-that-is-there-already,plan00"},
		{"GET", "/apikeys?includeValues=true&name=a&customerId=c&limit=1&position=MDA", ``},
		{"PATCH", "/apikeys/key0000000", `{"patchOperations":[{"op":"replace","path":"/enabled","value":"false"},{"op":"replace","path":"/name","value":"x"}]}`},
		{"POST", "/usageplans", `{"name":"p","apiStages":[{"apiId":"api0000000","stage":"prod","throttle":{"//GET":{"rateLimit":1.5}}}],"throttle":{"burstLimit":1},"quota":{"limit":5,"offset":1,"period":"WEEK"}}`},
		{"PATCH", "/usageplans/plan00", `{"patchOperations":[{"op":"replace","path":"/quota/limit","value":"9"},{"op":"replace","path":"/apiStages/api0000000:prod/throttle/~1pets/GET/rateLimit","value":"2"},{"op":"remove","path":"/throttle"}]}`},
		{"PATCH", "/usageplans/plan00", `{"patchOperations":[{"op":"remove","path":"/apiStages","value":"api0000000:prod"},{"op":"add","path":"/apiStages","value":"api0000000:prod"}]}`},
		{"POST", "/usageplans/plan00/keys", `{"keyId":"key0000000","keyType":"API_KEY"}`},
		{"GET", "/usageplans/plan00/usage?startDate=2026-11-01&endDate=2026-11-30&limit=1", ``},
		{"PATCH", "/usageplans/plan00/keys/key0000000/usage", `{"patchOperations":[{"op":"replace","path":"/remaining","value":"12"}]}`},
		{"POST", "/tidegate/iam/users", `{"userName":"bob","path":"/a/","tags":{"a":"b"}}`},
		{"PATCH", "/tidegate/iam/users/ann", `{"patchOperations":[{"op":"add","path":"/tags/a~1b","value":"x"},{"op":"remove","path":"/tags/team"}]}`},
		{"DELETE", "/tidegate/iam/users/ann?force=true", ``},
		{"POST", "/tidegate/iam/users/ann/accesskeys", `{}`},
		{"GET", "/tidegate/iam/accesskeys?userName=ann&limit=1", ``},
		{"PATCH", "/tidegate/iam/accesskeys/AKIAAAAAAAAAAAAAAAAA", `{"patchOperations":[{"op":"replace","path":"/status","value":"Inactive"}]}`},
		{"PUT", "/tidegate/iam/policies/pets", `{"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:execute-api:*:*:${aws:PrincipalTag/team}/*\"}}"}`},
		{"PUT", "/tidegate/iam/users/ann/policies/own", `{"policyDocument":"{\"Statement\":[]}"}`},
		{"DELETE", "/tidegate/iam/users/ann/attachedpolicies/pets", ``},
		{"DELETE", "/tidegate/iam/policies/pets", ``},
		{"POST", "/tidegate/iam/simulate", `{"userName":"ann","actionName":"Invoke","resourceArn":"arn:aws:execute-api:us-east-1:000000000000:api0000000/prod/GET/pets","sourceIp":"::1","secureTransport":false}`},
		{"GET", "/restapis?limit=2&position=MDA&x=%zz", ``},
		{"POST", "/v2/apis", `{"name":"x","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.a","tags":{"a":"b"},"x-tidegate-subprotocols":["a"]}`},
		{"PATCH", "/v2/apis/ws00000000", `{"routeSelectionExpression":"${request.body.a}/b","apiKeySelectionExpression":"","x-tidegate-allowed-origins":["*"]}`},
		{"POST", "/v2/apis/ws00000000/routes", `{"routeKey":"$connect","target":"integrations/int0000","authorizationType":"CUSTOM","authorizerId":"auth00","requestParameters":{"route.request.header.a":{"required":true}}}`},
		{"PATCH", "/v2/apis/ws00000000/routes/route00", `{"routeKey":"b","target":"","routeResponseSelectionExpression":"$default"}`},
		{"DELETE", "/v2/apis/ws00000000/routes/route00", ``},
		{"POST", "/v2/apis/ws00000000/routes/route00/routeresponses", `{"routeResponseKey":"$default"}`},
		{"POST", "/v2/apis/ws00000000/integrations", `{"integrationType":"HTTP","integrationMethod":"POST","integrationUri":"http://u/{a}","requestParameters":{"integration.request.path.a":"'b'"},"requestTemplates":{"a":"b"},"templateSelectionExpression":"a"}`},
		{"PATCH", "/v2/apis/ws00000000/integrations/int0000", `{"timeoutInMillis":50,"requestTemplates":{"$default":"{\"statusCode\":404}"}}`},
		{"POST", "/v2/apis/ws00000000/integrations/int0000/integrationresponses", `{"integrationResponseKey":"/4../","responseTemplates":{"a":"b"},"responseParameters":{"route.response.header.a":"context.b"}}`},
		{"DELETE", "/v2/apis/ws00000000/integrations/int0000", ``},
		{"POST", "/v2/apis/ws00000000/authorizers", `{"name":"b","authorizerType":"REQUEST","authorizerUri":"http://u","identitySource":["route.request.querystring.a"],"authorizerResultTtlInSeconds":5}`},
		{"PATCH", "/v2/apis/ws00000000/authorizers/auth00", `{"identitySource":[],"name":"c"}`},
		{"POST", "/v2/apis/ws00000000/deployments", `{"stageName":"s","description":"d","x-tidegate-stage-variables":{"a":"b"}}`},
		{"POST", "/v2/apis/ws00000000/stages", `{"stageName":"t","autoDeploy":true,"stageVariables":{"a":"b"},"routeSettings":{"a":{"throttlingRateLimit":1.5}},"defaultRouteSettings":{"throttlingBurstLimit":0}}`},
		{"PATCH", "/v2/apis/ws00000000/stages/prod", `{"deploymentId":"w00000","autoDeploy":false,"routeSettings":{"a":{"detailedMetricsEnabled":true}},"stageVariables":{"a":""}}`},
		{"DELETE", "/v2/apis/ws00000000/stages/prod", ``},
		{"PUT", "/tidegate/websocketapis/ws00000000?failonwarnings=true", chat},
		{"POST", "/tidegate/websocketapis", chat},
		{"POST", "/tidegate/validate", chat},
		{"GET", "/tidegate/connections?apiId=a&stage=b&maxResults=1", ``},
		{"GET", "/restapis/api0000000/resources?embed=methods&limit=1", ``},
	} {
		f.Add(seed[0], seed[1], []byte(seed[2]))
	}
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		g := newFakeGateway()
		b := definition.NewBody("api0000000", []*definition.Resource{{ID: "r", ParentID: definition.ResourceID("api0000000", "/"), PathPart: "pets", Path: "/pets",
			Methods: map[string]*definition.Method{"GET": {HTTPMethod: "GET", Integration: &definition.Integration{Type: definition.IntegrationMock}}}}}, definition.Settings{EndpointType: "EDGE"})
		ws := fuzzedWebSocket()
		g.catalog = g.catalog.With(definition.Change{
			PutAPIs:        []*definition.API{{ID: "api0000000", Name: "a", CreatedDate: noon, EndpointType: "EDGE", Body: b}, ws},
			PutDeployments: []*definition.Deployment{{ID: "d00000", APIID: "api0000000", Number: 1, CreatedDate: noon, Body: b}, {ID: "w00000", APIID: ws.ID, Number: 1, AutoDeployed: true, CreatedDate: noon, Body: ws.Body}},
			PutStages:      []*definition.Stage{{APIID: "api0000000", Name: "prod", DeploymentID: "d00000", CreatedDate: noon}, {APIID: ws.ID, Name: "prod", DeploymentID: "w00000", AutoDeploy: true, CreatedDate: noon}},
			PutPlans: []*definition.UsagePlan{{ID: "plan00", Name: "p", APIStages: []definition.PlanStage{{APIID: "api0000000", Stage: "prod"}},
				Quota: &definition.Quota{Limit: 5, Period: definition.PeriodMonth, Since: noon}}},
			PutUsers:      []*definition.User{{Name: "ann", ID: "AIDAANN", Path: "/", Tags: map[string]string{"team": "blue"}, Attached: []string{"pets"}}},
			PutAccessKeys: []*definition.AccessKey{{ID: "AKIAAAAAAAAAAAAAAAAA", UserName: "ann", Secret: "a-secret", Active: true}},
			PutPolicies:   []*definition.ManagedPolicy{{Name: "pets", Document: `{"Statement":[]}`}},
		})
		g.keys.apply(definition.Change{PutKeys: []*definition.APIKey{{ID: "key0000000", Value: "a-value-that-is-there-already"}},
			PutPlanKeys: []definition.PlanKey{{PlanID: "plan00", KeyID: "key0000000"}}})
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

// fuzzedWebSocket is an API with one part of each kind.
func fuzzedWebSocket() *definition.API {
	a := &definition.API{ID: "ws00000000", Protocol: definition.ProtocolWebSocket, Name: "w", CreatedDate: noon, EndpointType: "REGIONAL", DeploymentCount: 1,
		Authorizers: []*definition.Authorizer{{ID: "auth00", Name: "a", Type: "REQUEST", URI: "http://u", ResultTTLSeconds: new(int)}}}
	a.Body = sealedWebSocket(a, definition.WebSocket{RouteSelectionExpression: "$request.body.a",
		Routes: []*definition.Route{{ID: "route00", Key: "a", Target: "integrations/int0000"}},
		Integrations: []*definition.RouteIntegration{{ID: "int0000", Type: "MOCK", TimeoutMillis: 50,
			Responses: []*definition.RouteIntegrationResponse{{ID: "resp00", Key: "$default"}}}}})
	return a
}

// checkWebSocket holds an API to what its operations may leave.
func checkWebSocket(t *testing.T, a *definition.API) {
	ws := a.Body.WebSocket
	if (ws != nil) != (a.Protocol == definition.ProtocolWebSocket) {
		t.Errorf("API %+v", a)
	}
	if ws == nil {
		return
	}
	keys := map[string]bool{}
	for _, r := range ws.Routes {
		if keys[r.Key] || r.Key == "" || r.ID == "" || len(r.Responses) > 1 || r.Target != "" && ws.Integration(r.Target) == nil {
			t.Errorf("route %+v", r)
		}
		keys[r.Key] = true
		if r.AuthorizerID != "" && !slices.ContainsFunc(a.Authorizers, func(a *definition.Authorizer) bool { return a.ID == r.AuthorizerID }) {
			t.Errorf("route %+v has no authorizer", r)
		}
	}
	for _, in := range ws.Integrations {
		if in.ID == "" || in.Type == "" || in.TimeoutMillis < 50 || !slices.IsSortedFunc(in.Responses, func(a, b *definition.RouteIntegrationResponse) int { return strings.Compare(a.Key, b.Key) }) {
			t.Errorf("integration %+v", in)
		}
	}
}

func checkCatalog(t *testing.T, c *definition.Catalog) {
	for id, a := range c.APIs {
		checkWebSocket(t, a)
		if a.ID != id || a.Name == "" || a.Body == nil || a.EndpointType != a.Body.EndpointType {
			t.Errorf("API %+v", a)
		}
	}
	for k, st := range c.Stages {
		if c.Deployments[definition.DeploymentKey{APIID: k.APIID, ID: st.DeploymentID}] == nil {
			t.Errorf("stage %+v points at no deployment", st)
		}
		methods := map[string]bool{}
		if (st.CacheClusterSize != "" && !slices.Contains(definition.CacheSizes, st.CacheClusterSize)) || (st.CacheMode != "" && st.CacheMode != definition.CacheModeStandard) {
			t.Errorf("the cache of stage %+v", st)
		}
		for key, setting := range st.MethodSettings {
			if c := cacheSetting(setting); c.TTLSeconds < 0 || c.TTLSeconds > definition.MaxCacheTTL || (c.UnauthorizedStrategy != "" && !slices.Contains(cacheStrategies, c.UnauthorizedStrategy)) {
				t.Errorf("stage %s caches %s by %+v", st.Name, key, c)
			}
			method := strings.TrimPrefix(unescape(key), "/")
			if !isMethodSettingKey(key) || methods[method] {
				t.Errorf("stage %s has the method setting %s", st.Name, key)
			}
			methods[method] = true
		}
		if checkStageName(st.Name) != nil || checkVariables(st.Variables) != nil {
			t.Errorf("stage %+v", st)
		}
	}
	for _, p := range c.Plans {
		if p.ID == "" || checkPlan(c, p) != nil || p.Quota != nil && p.Quota.Since.IsZero() {
			t.Errorf("plan %+v", p)
		}
		for _, st := range p.APIStages {
			if c.Stages[definition.StageKey{APIID: st.APIID, Stage: st.Stage}] == nil {
				t.Errorf("plan %+v has a stage that is not there", p)
			}
			for method, limit := range st.Throttle {
				if checkMethodKey(method) != nil || limit == (definition.Throttle{}) {
					t.Errorf("plan %+v", p)
				}
			}
		}
	}
	if _, err := iam.NewStore("000000000000").Compile(c); err != nil {
		t.Errorf("principals: %v", err)
	}
	for name, u := range c.Users {
		if u.Name != name || checkIAMName("", name, maxUserName) != nil || checkUserPath(u.Path) != nil || checkUserTags(u.Tags) != nil || len(c.KeysOf(name)) > maxKeysOfUser {
			t.Errorf("user %+v", u)
		}
	}
	for k := range c.Deployments {
		if c.APIs[k.APIID] == nil {
			t.Errorf("deployment %v has no API", k)
		}
	}
}
