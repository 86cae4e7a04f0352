package websocketapi

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// FuzzParse: no document, whatever it holds, makes Parse panic, take long or use
// much memory, and what it accepts can be deployed.
func FuzzParse(f *testing.F) {
	f.Add([]byte(chat))
	for _, seed := range []string{
		route("$connect", "authorizationType: CUSTOM, authorizer: a, requestParameters: {route.request.header.a: {required: false}}"),
		http(`requestTemplates: {a: b}, templateSelectionExpression: '${request.body.a}/\$', integrationResponses: {'/4../': {responseTemplates: {a: b}}, $default: {}}`),
		integration("integrationType: HTTP_PROXY, integrationUri: 'wss://u:8443/{a}', requestParameters: {integration.request.path.a: \"'x'\"}, tlsConfig: {insecureSkipVerification: true}"),
		authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', identitySource: [stageVariables.a], authorizerResultTtlInSeconds: 60"),
		head + "x: &x {target: a}\nroutes: {a: *x, b: {<<: *x}}\n",
		`{"protocolType": "WEBSOCKET", "name": "a", "routeSelectionExpression": "a", "routes": {"$default": {}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		result, err := Parse(text, Options{APIID: "fuzz"})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20+2000*uint64(len(text)) {
			t.Errorf("allocated %d bytes for %d", allocated, len(text))
		}
		if err != nil {
			var list *document.Errors
			if !errors.As(err, &list) || len(list.Problems) == 0 || err.Error() == "" {
				t.Errorf("not a list of problems: %v", err)
			}
			return
		}
		if err := Check(result.Body); err != nil {
			t.Errorf("accepted, and cannot be deployed: %v", err)
		}
		wellFormed(t, result.Body)
	})
}

func wellFormed(t *testing.T, b *definition.Body) {
	for _, r := range b.WebSocket.Routes {
		if checkKey(r.Key) != nil || r.ID == "" || r.Target != "" && b.WebSocket.Integration(r.Target) == nil {
			t.Errorf("route %+v", r)
		}
	}
	for _, in := range b.WebSocket.Integrations {
		if in.Type == "" || in.ID == "" || in.TimeoutMillis < minTimeoutMillis || in.Type != definition.IntegrationMock && in.URI == "" {
			t.Errorf("integration %+v", in)
		}
	}
	for _, a := range b.Authorizers {
		if a.Type != definition.AuthorizerRequest || a.URI == "" || a.ResultTTLSeconds == nil {
			t.Errorf("authorizer %+v", a)
		}
	}
}

// FuzzBodies: no body of an operation makes its reader panic, and what it accepts
// is well formed.
func FuzzBodies(f *testing.F) {
	f.Add([]byte(`{"routeKey":"a","target":"integrations/b","requestParameters":{}}`))
	f.Add([]byte(`{"integrationType":"HTTP","integrationMethod":"POST","integrationUri":"http://u","timeoutInMillis":50,"requestParameters":{"integration.request.header.a":""}}`))
	f.Add([]byte(`{"integrationResponseKey":"/a/","responseTemplates":{"a":"b"}}`))
	f.Add([]byte(`{"name":"a","authorizerType":"REQUEST","authorizerUri":"http://u","identitySource":["route.request.header.a"]}`))
	f.Add([]byte(`{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.a","x-tidegate-allowed-origins":["*"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := &definition.Body{WebSocket: &definition.WebSocket{}}
		if r := (definition.Route{ID: "r"}); ReadRoute(body, &r) == nil {
			if r.Target != "" { // which ReadRoute does not look for
				b.WebSocket.Integrations = []*definition.RouteIntegration{{ID: r.Target[len("integrations/"):], Type: definition.IntegrationMock, TimeoutMillis: 50}}
			}
			b.WebSocket.Routes = []*definition.Route{&r}
		}
		if in := (definition.RouteIntegration{ID: "i"}); ReadIntegration(body, 0, &in) == nil {
			b.WebSocket.Integrations = append(b.WebSocket.Integrations, &in)
		}
		if a := (definition.Authorizer{ID: "a"}); ReadAuthorizer(body, &a) == nil {
			b.Authorizers = append(b.Authorizers, &a)
		}
		if a := (API{}); ReadAPI(body, true, &a) == nil && (a.Name == "" || a.RouteSelectionExpression == "") {
			t.Errorf("API %+v", a)
		}
		_ = ReadRouteResponse(body, &definition.RouteResponse{})
		_ = ReadIntegrationResponse(body, &definition.RouteIntegrationResponse{})
		wellFormed(t, b)
	})
}
