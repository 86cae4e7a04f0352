package websocketapi

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

const chat = `protocolType: WEBSOCKET
name: chat
description: rooms
version: "1.0"
tags: {team: talk}
routeSelectionExpression: $request.body.action
apiKeySelectionExpression: $request.header.x-api-key
x-tidegate-allowed-origins: [https://chat.example.com, "https://*.example.com:8443", "null"]
x-tidegate-subprotocols: [chat.v1]
x-tidegate-guaranteed-rate: 5
x-tidegate-priority: high
integrations:
  backend:
    integrationType: HTTP_PROXY
    integrationMethod: POST
    integrationUri: http://127.0.0.1:8090/${stageVariables.path}
    requestParameters: {integration.request.header.connectionId: context.connectionId}
  echo:
    integrationType: mock
    requestTemplates: {$default: '{"statusCode": 200}'}
    integrationResponses:
      $default: {responseTemplates: {$default: '{"pong": true}'}, templateSelectionExpression: \$default}
      /5\d\d/: {responseTemplates: {$default: 'no'}}
  function:
    integrationType: AWS_PROXY
    integrationUri: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:talk/invocations
authorizers:
  token:
    authorizerType: REQUEST
    authorizerUri: http://127.0.0.1:8091/
    identitySource: [route.request.querystring.token, context.identity.sourceIp]
routes:
  $connect:
    target: integrations/backend
    authorizationType: CUSTOM
    authorizer: token
    requestParameters: {route.request.querystring.token: {required: true}}
  $disconnect: {target: integrations/backend}
  sendmessage: {target: integrations/backend, routeResponseSelectionExpression: $default, apiKeyRequired: true}
  ping: {target: integrations/echo, routeResponseSelectionExpression: \$default, routeResponses: {$default: {}}}
  $default: {target: integrations/function, operationName: rest}
`

func parse(t *testing.T, text string) *Result {
	t.Helper()
	result, err := Parse([]byte(text), Options{APIID: "abc123", Region: "eu-west-1"})
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return result
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %#v\nwant %#v", what, got, want)
	}
}

func TestParse(t *testing.T) {
	result := parse(t, chat)
	equal(t, "warnings", result.Warnings, []string(nil))
	equal(t, "API", result.API, API{
		Name: "chat", Description: "rooms", Version: "1.0", Tags: map[string]string{"team": "talk"},
		RouteSelectionExpression: "$request.body.action", APIKeySource: definition.KeySourceHeader,
		AllowedOrigins: []string{"https://chat.example.com", "https://*.example.com:8443", "null"},
		Subprotocols:   []string{"chat.v1"}, GuaranteedRate: 5, Priority: "high",
	})
	body := result.Body
	ws := body.WebSocket
	if body.EndpointType != definition.EndpointRegional || body.GuaranteedRate != 5 || body.Priority != "high" || len(body.Resources) != 1 || ws.RouteSelectionExpression != "$request.body.action" || ws.Subprotocols[0] != "chat.v1" {
		t.Errorf("body %+v", body)
	}
	backend, token := definition.RouteIntegrationID("backend"), definition.AuthorizerID("abc123", "token")
	equal(t, "$connect", ws.Route("$connect"), &definition.Route{
		ID: definition.RouteID("$connect"), Key: "$connect", Target: "integrations/" + backend,
		AuthorizationType: "CUSTOM", AuthorizerID: token,
		RequestParameters: map[string]bool{"route.request.querystring.token": true},
	})
	equal(t, "sendmessage", ws.Route("sendmessage"), &definition.Route{
		ID: definition.RouteID("sendmessage"), Key: "sendmessage", Target: "integrations/" + backend, APIKeyRequired: true,
		ResponseSelectionExpression: "$default",
		Responses:                   []*definition.RouteResponse{{ID: definition.RouteResponseID(definition.RouteID("sendmessage"), "$default"), Key: "$default"}},
	})
	equal(t, "ping answers", len(ws.Route("ping").Responses), 1)
	equal(t, "backend", ws.Integration("integrations/"+backend), &definition.RouteIntegration{
		ID: backend, Type: "HTTP_PROXY", HTTPMethod: "POST", URI: "http://127.0.0.1:8090/${stageVariables.path}", TimeoutMillis: 29000,
		RequestParameters: map[string]string{"integration.request.header.connectionId": "context.connectionId"},
	})
	echo := ws.Integration(ws.Route("ping").Target)
	equal(t, "responses", []string{echo.Responses[0].Key, echo.Responses[1].Key, echo.Responses[1].ResponseTemplates["$default"]}, []string{"$default", `/5\d\d/`, "no"})
	function := ws.Integration(ws.Route("$default").Target)
	if function.HTTPMethod != "POST" || !strings.HasPrefix(function.URI, "arn:aws:apigateway:eu-west-1:lambda:") {
		t.Errorf("function %+v", function)
	}
	equal(t, "authorizer", result.Authorizers, []*definition.Authorizer{{
		ID: token, Name: "token", Type: "REQUEST", URI: "http://127.0.0.1:8091/",
		IdentitySource: "method.request.querystring.token,context.identity.sourceIp", ResultTTLSeconds: new(int),
	}})
	equal(t, "as it was written", IdentitySource(result.Authorizers[0]), []string{"route.request.querystring.token", "context.identity.sourceIp"})
}

func TestTheSameDocumentMakesTheSame(t *testing.T) {
	one := parse(t, chat).Body
	equal(t, "again", parse(t, chat).Body, one)
	lines := strings.SplitAfter(chat, "\n")
	i := slices.Index(lines, "  $disconnect: {target: integrations/backend}\n")
	moved := strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "") + lines[i]
	equal(t, "in another order", parse(t, moved).Body.Revision, one.Revision)
	if parse(t, strings.Replace(chat, "8090", "8092", 1)).Body.Revision == one.Revision {
		t.Error("a change must change the revision")
	}
}

func TestParseJSON(t *testing.T) {
	result := parse(t, `{"protocolType": "WEBSOCKET", "name": "j\u00e9\ud83d\ude00", "routeSelectionExpression": "${request.body.a}/${request.body.b}",
		"routes": {"$default": {}, "a/b": {"requestParameters": null}}}`)
	equal(t, "name", result.Name, "jé😀")
	equal(t, "routes", len(result.Body.WebSocket.Routes), 2)
}

func TestTargets(t *testing.T) {
	ws := parse(t, head+"integrations: {i: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://u', "+
		"x-tidegate-targets: ['a:1', '${stageVariables.pool}'], x-tidegate-health-check: {path: /up}}}\nroutes: {$default: {target: integrations/i}}\n").Body.WebSocket
	equal(t, "targets", strings.Join(ws.Integrations[0].Targets, " "), "a:1 ${stageVariables.pool}")
	equal(t, "health check", *ws.Integrations[0].HealthCheck, definition.HealthCheck{
		Path: "/up", Interval: definition.Duration(5 * time.Second), Timeout: definition.Duration(2 * time.Second), Healthy: 2, Unhealthy: 3,
	})
}

func TestPassThrough(t *testing.T) {
	ws := parse(t, head+"integrations: {server: {integrationType: HTTP_PROXY, integrationUri: 'WSS://u/${stageVariables.x}', tlsConfig: {insecureSkipVerification: true}}}\nroutes: {$connect: {target: integrations/server}}\n").Body.WebSocket
	if in := ws.Integrations[0]; !IsPassThrough(in) || !in.InsecureSkipVerification {
		t.Errorf("%+v", in)
	}
}

func TestRecognizes(t *testing.T) {
	for text, want := range map[string]bool{
		chat:                                       true,
		`{"protocolType": "WEBSOCKET"}`:            true,
		`{"name": 1, 'protocolType' : 2}`:          true,
		"# protocolType: no\nregion: a\n":          false,
		"a:\n  protocolType: WEBSOCKET\n":          false,
		"{openapi: 3.0.1, x-a: {protocolType: b}}": false,
		"region: eu-west-1\n":                      false,
		"":                                         false,
	} {
		if Recognizes([]byte(text)) != want {
			t.Errorf("%.40q is one: %v", text, !want)
		}
	}
}

func TestWarned(t *testing.T) {
	result := parse(t, head+"integrations: {a: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://u'}}\n"+
		"authorizers: {b: {authorizerType: REQUEST, authorizerUri: 'http://u'}}\nroutes: {$default: {}}\n")
	equal(t, "warnings", result.Warnings, []string{"line 4: integrations.a: no route points at it", "line 5: authorizers.b: no route uses it"})
}

// contains checks that err is a *document.Errors with the text.
func contains(t *testing.T, err error, want string) {
	t.Helper()
	var list *document.Errors
	if !errors.As(err, &list) || !strings.Contains(err.Error(), want) {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}
