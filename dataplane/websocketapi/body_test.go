package websocketapi

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestBodies(t *testing.T) {
	a := API{}
	if err := ReadAPI([]byte(`{"protocolType":"WEBSOCKET","name":"chat","routeSelectionExpression":"$request.body.action","tags":{"a":""}}`), true, &a); err != nil {
		t.Fatal(err)
	}
	if err := ReadAPI([]byte(`{"description":"d","apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","name":null}`), false, &a); err != nil {
		t.Fatal(err)
	}
	equal(t, "API", a, API{Name: "chat", Description: "d", RouteSelectionExpression: "$request.body.action", APIKeySource: definition.KeySourceAuthorizer, Tags: map[string]string{"a": ""}})
	equal(t, "selection", KeySelection(a.APIKeySource), "$context.authorizer.usageIdentifierKey")

	in := definition.RouteIntegration{}
	if err := ReadIntegration([]byte(`{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"http://u","requestParameters":{"integration.request.header.a":"'1'","integration.request.header.b":"'2'"}}`), 0, &in); err != nil {
		t.Fatal(err)
	}
	before := in
	if err := ReadIntegration([]byte(`{"requestParameters":{"integration.request.header.a":"","integration.request.header.c":"context.stage"},"description":"x"}`), 0, &in); err != nil {
		t.Fatal(err)
	}
	equal(t, "merged parameters", in.RequestParameters, map[string]string{"integration.request.header.b": "'2'", "integration.request.header.c": "context.stage"})
	equal(t, "parameters from before", len(before.RequestParameters), 2)
	equal(t, "what was not mentioned", in.URI, "http://u")

	route := definition.Route{Key: "$connect", AuthorizationType: "CUSTOM", AuthorizerID: "abc"}
	if err := ReadRoute([]byte(`{"authorizationType":"NONE","requestParameters":{"route.request.header.a":{"required":true}}}`), &route); err != nil {
		t.Fatal(err)
	}
	equal(t, "route", route, definition.Route{Key: "$connect", RequestParameters: map[string]bool{"route.request.header.a": true}})

	ttl := 60
	auth := definition.Authorizer{Name: "a", Type: "REQUEST", URI: "http://u", IdentitySource: "context.a", ResultTTLSeconds: &ttl}
	if err := ReadAuthorizer([]byte(`{"identitySource":["route.request.header.b"]}`), &auth); err != nil || auth.IdentitySource != "method.request.header.b" || *auth.ResultTTLSeconds != 60 {
		t.Errorf("authorizer %+v %v", auth, err)
	}
	answer := definition.RouteResponse{}
	if err := ReadRouteResponse([]byte(`{"routeResponseKey":"$default"}`), &answer); err != nil || answer.Key != "$default" {
		t.Errorf("route response %+v %v", answer, err)
	}
	made := definition.RouteIntegrationResponse{}
	if err := ReadIntegrationResponse([]byte(`{"integrationResponseKey":"/4\\d\\d/","responseTemplates":{"$default":"no"},"responseParameters":{"route.response.header.A":"integration.response.header.B"}}`), &made); err != nil || made.Key != `/4\d\d/` {
		t.Errorf("integration response %+v %v", made, err)
	}
}

func TestRefusedBodies(t *testing.T) {
	for body, want := range map[string]string{
		``:      "routeKey: missing",
		`[]`:    "not valid JSON: it must be an object",
		`{`:     "not valid JSON",
		`{} {}`: "there is more after the JSON value",
		"{\n\"routeKey\": \"a\", \"routeKey\": \"b\"}": `line 2: the name "routeKey" stands twice`,
		`{"routeKey":"a","traget":"b"}`:                `line 1: traget: unknown field; did you mean "target"?`,
		`{"routeKey":"a","target":["b"]}`:              "target: must be a text",
		`{"routeKey":"a","authorizer":"b"}`:            "authorizer: unknown field",
		`{"routeKey":"a","routeResponses":{}}`:         "routeResponses: unknown field",
		`{"routeKey":"$connect","authorizerId":"a"}`:   "an authorizer is for authorizationType CUSTOM",
	} {
		contains(t, ReadRoute([]byte(body), &definition.Route{}), want)
	}
	contains(t, ReadAPI([]byte(`{"name":"a"}`), true, &API{}), "protocolType: missing")
	contains(t, ReadAPI([]byte(`{"tags":{}}`), false, &API{Name: "a", RouteSelectionExpression: "b"}), "tags: unknown field")
	contains(t, ReadAuthorizer([]byte(`{"name":"a","authorizerType":"REQUEST","authorizerUri":"http://u"}`), &definition.Authorizer{}), "identitySource: missing")
	contains(t, ReadRouteResponse([]byte(`{}`), &definition.RouteResponse{}), "routeResponseKey: missing")
	contains(t, ReadIntegrationResponse([]byte(`{}`), &definition.RouteIntegrationResponse{}), "integrationResponseKey: missing")
}

func TestCheck(t *testing.T) {
	body := func(ws definition.WebSocket) *definition.Body {
		return definition.NewWebSocketBody("a", ws, definition.Settings{EndpointType: definition.EndpointRegional})
	}
	if err := Check(body(definition.WebSocket{Routes: []*definition.Route{{Key: "a"}}})); err != nil {
		t.Error(err)
	}
	contains(t, Check(body(definition.WebSocket{})), "routes: At least one route is required before deploying the Api.")
	contains(t, Check(body(definition.WebSocket{Routes: []*definition.Route{{Key: "a", Target: "integrations/i"}}})), `routes.a.target: there is no integration "i"`)
	contains(t, Check(body(definition.WebSocket{Routes: []*definition.Route{{Key: "$connect", AuthorizationType: "CUSTOM", AuthorizerID: "x"}}})), `routes.$connect.authorizerId: there is no authorizer "x"`)
	contains(t, Check(body(definition.WebSocket{
		Routes:       []*definition.Route{{Key: "a", Target: "integrations/i", ResponseSelectionExpression: "$default"}},
		Integrations: []*definition.RouteIntegration{{ID: "i", Type: definition.IntegrationHTTPProxy}},
	})), "routes.a.routeResponseSelectionExpression: the route has no route response $default")
}
