package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const chat = `protocolType: WEBSOCKET
name: chat
routeSelectionExpression: $request.body.action
x-tidegate-allowed-origins: [https://chat.example.com]
tags: {team: talk}
integrations:
  backend: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: "http://127.0.0.1:9999/"}
authorizers:
  token: {authorizerType: REQUEST, authorizerUri: "http://127.0.0.1:9998/", identitySource: [route.request.querystring.token]}
routes:
  $connect: {target: integrations/backend, authorizationType: CUSTOM, authorizer: token}
  sendmessage: {target: integrations/backend, routeResponseSelectionExpression: $default}
`

// webSocket makes a WebSocket API and returns the path of it.
func (b *bench) webSocket() string {
	b.Helper()
	return "/v2/apis/" + b.want(201, "POST", "/v2/apis", `{"name":"ws","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`)["apiId"].(string)
}

// made makes a part of an API and returns its id.
func (b *bench) made(target, body, id string) string {
	b.Helper()
	return b.want(201, "POST", target, body)[id].(string)
}

const proxyIntegration = `{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"http://127.0.0.1:9999/"}`

func TestWebSocketAPILifecycle(t *testing.T) {
	b := newBench(t)
	created := b.want(201, "POST", "/v2/apis", `{"name":"ws","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action","description":"d","version":"v1","tags":{"k":"v"},
		"apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","disableExecuteApiEndpoint":true,"x-tidegate-subprotocols":["a"],"x-tidegate-guaranteed-rate":5}`)
	id := created["apiId"].(string)
	whole := `{"apiId":"` + id + `","name":"ws","protocolType":"WEBSOCKET","description":"%s","version":"v1","routeSelectionExpression":"$request.body.action",
		"apiKeySelectionExpression":"%s","apiEndpoint":"ws://` + id + `.execute-api.localhost:8080","createdDate":"2026-11-22T12:00:00Z",
		"disableExecuteApiEndpoint":true,"disableSchemaValidation":false,"ipAddressType":"ipv4","tags":{"k":"v"},"x-tidegate-subprotocols":["a"],"x-tidegate-guaranteed-rate":5}`
	wantJSON(t, "create", created, fmt.Sprintf(whole, "d", "$context.authorizer.usageIdentifierKey"))
	wantJSON(t, "get", b.want(200, "GET", "/v2/apis/"+id, ""), fmt.Sprintf(whole, "d", "$context.authorizer.usageIdentifierKey"))
	wantJSON(t, "update", b.want(200, "PATCH", "/v2/apis/"+id, `{"description":"e","apiKeySelectionExpression":"$request.header.x-api-key"}`), fmt.Sprintf(whole, "e", "$request.header.x-api-key"))
	if a := b.gateway.Catalog().APIs[id]; a.Body.EndpointType != "REGIONAL" || a.Body.GuaranteedRate != 5 || !a.Body.DisableExecuteAPIEndpoint || a.Body.WebSocket.Subprotocols[0] != "a" {
		t.Errorf("body %+v", a.Body)
	}
	if list := b.want(200, "GET", "/v2/apis", "")["items"].([]any); len(list) != 1 {
		t.Errorf("list %v", list)
	}
	b.want(204, "DELETE", "/v2/apis/"+id, "")
	b.wantMissing("GET", "/v2/apis/"+id, "", "Api", "Invalid API identifier specified 000000000000:"+id)
}

// wantMissing expects a NotFoundException of the operations on WebSocket APIs.
func (b *bench) wantMissing(method, target, body, resourceType, message string) {
	b.Helper()
	a := b.call(method, target, body)
	if want := `{"message":"` + message + `","resourceType":"` + resourceType + `"}`; a.status != 404 || a.errType != CodeNotFound || a.body != want {
		b.Errorf("%s %s: %d %s %s, want 404 %s", method, target, a.status, a.errType, a.body, want)
	}
}

// TestProtocolsDoNotSeeEachOther: the operations on REST APIs know no WebSocket
// APIs, and the reverse.
func TestProtocolsDoNotSeeEachOther(t *testing.T) {
	b := newBench(t)
	rest := b.imported()
	b.deployed(rest, "prod")
	ws := strings.TrimPrefix(b.webSocket(), "/v2/apis/")
	b.made("/v2/apis/"+ws+"/routes", `{"routeKey":"a"}`, "routeId")
	d := b.made("/v2/apis/"+ws+"/deployments", `{"stageName":"prod"}`, "deploymentId")
	for _, c := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"PATCH", "", `{"patchOperations":[]}`}, {"PUT", "", petstore}, {"DELETE", "", ""},
		{"GET", "/resources", ""}, {"GET", "/authorizers", ""}, {"GET", "/deployments", ""}, {"GET", "/deployments/" + d, ""}, {"POST", "/deployments", "{}"},
		{"GET", "/stages", ""}, {"GET", "/stages/prod", ""}, {"PATCH", "/stages/prod", `{"patchOperations":[]}`}, {"DELETE", "/stages/prod", ""},
		{"DELETE", "/stages/prod/cache/data", ""}, {"POST", "/stages", `{"stageName":"x","deploymentId":"` + d + `"}`},
	} {
		b.wantError(c.method, "/restapis/"+ws+c.path, c.body, 404, CodeNotFound, "Invalid API identifier specified 000000000000:"+ws)
	}
	for _, c := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"PATCH", "", "{}"}, {"DELETE", "", ""}, {"GET", "/routes", ""}, {"POST", "/routes", `{"routeKey":"a"}`}, {"GET", "/integrations", ""},
		{"POST", "/integrations", proxyIntegration}, {"GET", "/authorizers", ""}, {"GET", "/deployments", ""}, {"POST", "/deployments", "{}"},
		{"GET", "/stages", ""}, {"GET", "/stages/prod", ""}, {"PATCH", "/stages/prod", "{}"}, {"DELETE", "/stages/prod", ""}, {"POST", "/stages", `{"stageName":"x"}`},
		{"DELETE", "/stages/prod/routesettings/a", ""}, {"DELETE", "/stages/prod/cache/authorizers", ""},
	} {
		b.wantMissing(c.method, "/v2/apis/"+rest+c.path, c.body, "Api", "Invalid API identifier specified 000000000000:"+rest)
	}
	b.wantMissing("PUT", "/tidegate/websocketapis/"+rest, chat, "Api", "Invalid API identifier specified 000000000000:"+rest)
	if list := b.want(200, "GET", "/restapis", "")["item"].([]any); len(list) != 1 || list[0].(map[string]any)["id"] != rest {
		t.Errorf("REST APIs: %v", list)
	}
	if list := b.want(200, "GET", "/v2/apis", "")["items"].([]any); len(list) != 1 || list[0].(map[string]any)["apiId"] != ws {
		t.Errorf("WebSocket APIs: %v", list)
	}
}

func TestRoutesAndIntegrations(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	in := b.made(api+"/integrations", proxyIntegration, "integrationId")
	wantJSON(t, "integration", b.want(200, "GET", api+"/integrations/"+in, ""), `{"integrationId":"`+in+`","integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"http://127.0.0.1:9999/",
		"connectionType":"INTERNET","passthroughBehavior":"WHEN_NO_MATCH","payloadFormatVersion":"1.0","timeoutInMillis":29000}`)
	b.want(200, "PATCH", api+"/integrations/"+in, `{"timeoutInMillis":500,"description":"x","tlsConfig":{"insecureSkipVerification":true},"requestParameters":{"integration.request.header.a":"context.connectionId"}}`)
	wantJSON(t, "updated", b.want(200, "PATCH", api+"/integrations/"+in, `{"requestParameters":{"integration.request.header.a":"","integration.request.header.b":"'c'"}}`), `{"integrationId":"`+in+`","integrationType":"HTTP_PROXY","integrationMethod":"POST",
		"integrationUri":"http://127.0.0.1:9999/","description":"x","connectionType":"INTERNET","passthroughBehavior":"WHEN_NO_MATCH","payloadFormatVersion":"1.0","timeoutInMillis":500,
		"tlsConfig":{"insecureSkipVerification":true},"requestParameters":{"integration.request.header.b":"'c'"}}`)

	connect := b.made(api+"/routes", `{"routeKey":"$connect","target":"integrations/`+in+`","authorizationType":"AWS_IAM","requestParameters":{"route.request.querystring.a":{"required":true},"route.request.header.b":{}}}`, "routeId")
	wantJSON(t, "route", b.want(200, "GET", api+"/routes/"+connect, ""), `{"routeId":"`+connect+`","routeKey":"$connect","target":"integrations/`+in+`","authorizationType":"AWS_IAM","apiKeyRequired":false,
		"requestParameters":{"route.request.querystring.a":{"required":true},"route.request.header.b":{"required":false}}}`)
	b.want(204, "DELETE", api+"/routes/"+connect+"/requestparameters/route.request.querystring.a", "")
	b.wantMissing("DELETE", api+"/routes/"+connect+"/requestparameters/route.request.querystring.a", "", "RequestParameter", "Invalid request parameter specified: the route has no route.request.querystring.a")
	wantJSON(t, "updated route", b.want(200, "PATCH", api+"/routes/"+connect, `{"authorizationType":"NONE","operationName":"o","apiKeyRequired":true}`), `{"routeId":"`+connect+`","routeKey":"$connect","target":"integrations/`+in+`",
		"authorizationType":"NONE","apiKeyRequired":true,"operationName":"o","requestParameters":{"route.request.header.b":{"required":false}}}`)

	b.wantError("DELETE", api+"/integrations/"+in, "", 409, CodeConflict, "Cannot delete Integration because it is referenced by the following Routes with Ids: ["+connect+"]")
	b.wantError("POST", api+"/routes", `{"routeKey":"$connect"}`, 409, CodeConflict, "Route with key $connect already exists for this API")
	b.wantMissing("POST", api+"/routes", `{"routeKey":"a","target":"integrations/nope"}`, "Integration", "Invalid Integration identifier specified: there is no integrations/nope")
	b.wantMissing("POST", api+"/routes", `{"routeKey":"$default","target":"integrations/x"}`, "Integration", "Invalid Integration identifier specified: there is no integrations/x")
	b.want(204, "DELETE", api+"/routes/"+connect, "")
	b.want(204, "DELETE", api+"/integrations/"+in, "")
	b.wantMissing("GET", api+"/routes/"+connect, "", "Route", "Invalid Route identifier specified")
	b.wantMissing("PATCH", api+"/integrations/"+in, "{}", "Integration", "Invalid Integration identifier specified")
}

func TestResponses(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	in := b.made(api+"/integrations", `{"integrationType":"MOCK","requestTemplates":{"$default":"{\"statusCode\":200}"},"templateSelectionExpression":"\\$default"}`, "integrationId")
	route := b.made(api+"/routes", `{"routeKey":"ping","target":"integrations/`+in+`","routeResponseSelectionExpression":"$default"}`, "routeId")
	b.wantError("POST", api+"/deployments", `{}`, 400, CodeBadRequest, "routes.ping.routeResponseSelectionExpression: the route has no route response $default; routes.ping.routeResponseSelectionExpression: the integration has no integration response $default to answer with")

	answer := b.made(api+"/routes/"+route+"/routeresponses", `{"routeResponseKey":"$default"}`, "routeResponseId")
	b.wantError("POST", api+"/routes/"+route+"/routeresponses", `{"routeResponseKey":"$default"}`, 409, CodeConflict, "Route Response with key $default already exists for this Route")
	wantJSON(t, "route responses", b.want(200, "GET", api+"/routes/"+route+"/routeresponses", ""), `{"items":[{"routeResponseId":"`+answer+`","routeResponseKey":"$default"}]}`)
	wantJSON(t, "route response", b.want(200, "PATCH", api+"/routes/"+route+"/routeresponses/"+answer, `{"routeResponseKey":"$default"}`), `{"routeResponseId":"`+answer+`","routeResponseKey":"$default"}`)

	of := api + "/integrations/" + in + "/integrationresponses"
	first := b.made(of, `{"integrationResponseKey":"/5\\d\\d/","responseTemplates":{"$default":"no"}}`, "integrationResponseId")
	second := b.made(of, `{"integrationResponseKey":"$default","responseTemplates":{"200":"pong"},"templateSelectionExpression":"${integration.response.statuscode}","contentHandlingStrategy":"CONVERT_TO_TEXT"}`, "integrationResponseId")
	b.wantError("POST", of, `{"integrationResponseKey":"$default"}`, 409, CodeConflict, "Integration Response with key $default already exists for this Integration")
	b.wantError("PATCH", of+"/"+first, `{"integrationResponseKey":"$default"}`, 409, CodeConflict, "Integration Response with key $default already exists for this Integration")
	wantJSON(t, "integration response", b.want(200, "GET", of+"/"+second, ""), `{"integrationResponseId":"`+second+`","integrationResponseKey":"$default","responseTemplates":{"200":"pong"},
		"templateSelectionExpression":"${integration.response.statuscode}","contentHandlingStrategy":"CONVERT_TO_TEXT"}`)
	wantJSON(t, "updated", b.want(200, "PATCH", of+"/"+first, `{"integrationResponseKey":"/4../"}`), `{"integrationResponseId":"`+first+`","integrationResponseKey":"/4../","responseTemplates":{"$default":"no"}}`)
	if list := b.want(200, "GET", of, "")["items"].([]any); len(list) != 2 {
		t.Errorf("integration responses %v", list)
	}
	b.want(201, "POST", api+"/deployments", `{}`)
	b.wantError("PATCH", api+"/integrations/"+in, `{"integrationType":"HTTP_PROXY","integrationMethod":"POST","integrationUri":"http://u","requestTemplates":{},"templateSelectionExpression":""}`, 400, CodeBadRequest,
		"Invalid request input: integrationResponses: the answers of HTTP_PROXY pass as they are; use HTTP, or remove them")
	b.want(204, "DELETE", of+"/"+first, "")
	b.want(204, "DELETE", of+"/"+second, "")
	b.want(204, "DELETE", api+"/routes/"+route+"/routeresponses/"+answer, "")
	b.wantMissing("GET", of+"/"+first, "", "IntegrationResponse", "Invalid Integration Response identifier specified")
	b.wantMissing("DELETE", api+"/routes/"+route+"/routeresponses/"+answer, "", "RouteResponse", "Invalid Route Response identifier specified")
	proxy := b.made(api+"/integrations", proxyIntegration, "integrationId")
	b.wantError("POST", api+"/integrations/"+proxy+"/integrationresponses", `{"integrationResponseKey":"$default"}`, 400, CodeBadRequest, "Integration responses are not supported for integrations of type HTTP_PROXY, whose answers pass as they are")
	gone := b.made(api+"/routes", `{"routeKey":"$disconnect"}`, "routeId")
	b.wantError("POST", api+"/routes/"+gone+"/routeresponses", `{"routeResponseKey":"$default"}`, 400, CodeBadRequest, "$disconnect cannot answer: nobody is there any more")
}

func TestConnectAuthorizers(t *testing.T) {
	refused := errors.New("identitySource: no")
	b := newBench(t, func(o *Options) {
		o.CheckAuthorizer = func(a *definition.Authorizer) error {
			if strings.HasSuffix(a.URI, "/no") {
				return refused
			}
			return nil
		}
	})
	api := b.webSocket()
	const one = `{"name":"a","authorizerType":"REQUEST","authorizerUri":"http://u/","identitySource":["route.request.header.Auth","context.stage"]}`
	id := b.made(api+"/authorizers", one, "authorizerId")
	wantJSON(t, "authorizer", b.want(200, "GET", api+"/authorizers/"+id, ""), `{"authorizerId":"`+id+`","name":"a","authorizerType":"REQUEST","authorizerUri":"http://u/","identitySource":["route.request.header.Auth","context.stage"],"authorizerResultTtlInSeconds":0}`)
	wantJSON(t, "updated", b.want(200, "PATCH", api+"/authorizers/"+id, `{"authorizerResultTtlInSeconds":60,"identitySource":["route.request.querystring.t"]}`), `{"authorizerId":"`+id+`","name":"a","authorizerType":"REQUEST","authorizerUri":"http://u/","identitySource":["route.request.querystring.t"],"authorizerResultTtlInSeconds":60}`)
	if a := b.gateway.Catalog().APIs[strings.TrimPrefix(api, "/v2/apis/")].Authorizers[0]; a.IdentitySource != "method.request.querystring.t" {
		t.Errorf("stored %+v", a)
	}
	b.wantError("POST", api+"/authorizers", one, 409, CodeConflict, "Authorizer with name a already exists for this API")
	b.wantError("PATCH", api+"/authorizers/"+id, `{"authorizerUri":"http://u/no"}`, 400, CodeBadRequest, "Invalid authorizer: identitySource: no")
	route := b.made(api+"/routes", `{"routeKey":"$connect","authorizationType":"CUSTOM","authorizerId":"`+id+`"}`, "routeId")
	b.wantError("DELETE", api+"/authorizers/"+id, "", 409, CodeConflict, "Cannot delete Authorizer because it is referenced by the following Routes with Ids: ["+route+"]")
	b.wantMissing("PATCH", api+"/routes/"+route, `{"authorizerId":"nope"}`, "Authorizer", "Invalid Authorizer identifier specified")
	b.want(200, "PATCH", api+"/routes/"+route, `{"authorizationType":"NONE"}`)
	b.want(204, "DELETE", api+"/authorizers/"+id, "")
	b.wantMissing("GET", api+"/authorizers/"+id, "", "Authorizer", "Invalid Authorizer identifier specified")
	for i := range 10 {
		b.made(api+"/authorizers", strings.Replace(one, `"a"`, fmt.Sprintf(`"a%d"`, i), 1), "authorizerId")
	}
	b.wantError("POST", api+"/authorizers", one, 429, CodeLimitExceeded, "Maximum number of Authorizers for this API has been reached: 10")
	if list := b.want(200, "GET", api+"/authorizers?maxResults=7", ""); len(list["items"].([]any)) != 7 || list["nextToken"] == nil {
		t.Errorf("authorizers %v", list)
	}
}

func TestWebSocketStages(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	b.wantError("POST", api+"/deployments", `{}`, 400, CodeBadRequest, "At least one route is required before deploying the Api.")
	b.made(api+"/routes", `{"routeKey":"a"}`, "routeId")
	first := b.want(201, "POST", api+"/deployments", `{"description":"first"}`)
	d1 := first["deploymentId"].(string)
	wantJSON(t, "deployment", first, `{"deploymentId":"`+d1+`","description":"first","autoDeployed":false,"deploymentStatus":"DEPLOYED","createdDate":"2026-11-22T12:00:00Z","number":1}`)
	wantJSON(t, "renamed", b.want(200, "PATCH", api+"/deployments/"+d1, `{"description":""}`), `{"deploymentId":"`+d1+`","autoDeployed":false,"deploymentStatus":"DEPLOYED","createdDate":"2026-11-22T12:00:00Z","number":1}`)

	wantJSON(t, "stage", b.want(201, "POST", api+"/stages", `{"stageName":"prod","deploymentId":"`+d1+`","description":"live","stageVariables":{"a":"1"},"tags":{"k":"v"},
		"defaultRouteSettings":{"throttlingRateLimit":5,"loggingLevel":"OFF","dataTraceEnabled":false},"routeSettings":{"a":{"throttlingBurstLimit":0,"detailedMetricsEnabled":true}}}`),
		`{"stageName":"prod","deploymentId":"`+d1+`","description":"live","autoDeploy":false,"stageVariables":{"a":"1"},"tags":{"k":"v"},
		"defaultRouteSettings":{"throttlingRateLimit":5,"loggingLevel":"OFF","dataTraceEnabled":false,"detailedMetricsEnabled":false},
		"routeSettings":{"a":{"throttlingBurstLimit":0,"loggingLevel":"OFF","dataTraceEnabled":false,"detailedMetricsEnabled":true}},
		"createdDate":"2026-11-22T12:00:00Z","lastUpdatedDate":"2026-11-22T12:00:00Z"}`)
	b.want(201, "POST", api+"/deployments", `{"stageName":"test","x-tidegate-stage-variables":{"x":"y"}}`)
	d2 := b.made(api+"/deployments", `{"stageName":"prod"}`, "deploymentId") // keeps the rest
	st := b.want(200, "PATCH", api+"/stages/prod", `{"stageVariables":{"a":"","b":"2"},"description":"","defaultRouteSettings":{"throttlingBurstLimit":7},"routeSettings":{"a":{"throttlingRateLimit":1.5}}}`)
	wantJSON(t, "updated stage", st, `{"stageName":"prod","deploymentId":"`+d2+`","autoDeploy":false,"stageVariables":{"b":"2"},"tags":{"k":"v"},"lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+d2+`'",
		"defaultRouteSettings":{"throttlingRateLimit":5,"throttlingBurstLimit":7,"loggingLevel":"OFF","dataTraceEnabled":false,"detailedMetricsEnabled":false},
		"routeSettings":{"a":{"throttlingBurstLimit":0,"throttlingRateLimit":1.5,"loggingLevel":"OFF","dataTraceEnabled":false,"detailedMetricsEnabled":true}},
		"createdDate":"2026-11-22T12:00:00Z","lastUpdatedDate":"2026-11-22T12:00:00Z"}`)
	if st := b.want(200, "PATCH", api+"/stages/prod", `{"x-tidegate-max-in-flight":7}`); st["x-tidegate-max-in-flight"] != 7.0 {
		t.Errorf("%v", st)
	}
	b.wantError("PATCH", api+"/stages/prod", `{"x-tidegate-max-in-flight":-1}`, 400, CodeBadRequest, "Invalid value for x-tidegate-max-in-flight: it must be a number of requests from 1 to 1048576")
	if st := b.want(200, "PATCH", api+"/stages/prod", `{"x-tidegate-max-in-flight":0}`); st["x-tidegate-max-in-flight"] != nil {
		t.Errorf("%v", st)
	}
	b.want(200, "PATCH", api+"/stages/prod", `{"deploymentId":"`+d1+`"}`) // roll back
	b.wantError("DELETE", api+"/deployments/"+d1, "", 400, CodeBadRequest, "Active stages pointing to this deployment must be moved or deleted")
	b.want(204, "DELETE", api+"/deployments/"+d2, "")
	b.want(204, "DELETE", api+"/stages/prod/routesettings/a", "")
	b.wantMissing("DELETE", api+"/stages/prod/routesettings/a", "", "RouteSettings", "Unable to find Route by key a within the provided RouteSettings")
	b.want(204, "DELETE", api+"/stages/prod/cache/authorizers", "")
	if want := "authorizers of " + strings.TrimPrefix(api, "/v2/apis/") + ":prod"; b.gateway.flushed[0] != want {
		t.Errorf("flushed %q", b.gateway.flushed)
	}
	if list := b.want(200, "GET", api+"/stages", "")["items"].([]any); len(list) != 2 || list[1].(map[string]any)["stageVariables"].(map[string]any)["x"] != "y" {
		t.Errorf("stages %v", list)
	}
	if list := b.want(200, "GET", api+"/deployments", "")["items"].([]any); len(list) != 2 || list[1].(map[string]any)["number"] != 2.0 {
		t.Errorf("deployments %v", list)
	}
	for _, c := range []struct {
		method, path, body, message string
	}{
		{"POST", "/stages", `{"deploymentId":"` + d1 + `"}`, "Invalid request input: stageName: missing"},
		{"POST", "/stages", `{"stageName":"$default","deploymentId":"` + d1 + `"}`, "Stage name only allows a-zA-Z0-9_- and at most 128 characters"},
		{"POST", "/stages", `{"stageName":"x"}`, "deploymentId is missing: a stage serves a deployment, or has autoDeploy"},
		{"POST", "/stages", `{"stageName":"x","accessLogSettings":{"format":"a"}}`, "accessLogSettings of a stage is not supported yet"},
		{"POST", "/stages", `{"stageName":"x","clientCertificateId":"a"}`, "clientCertificateId of a stage is not supported yet"},
		{"POST", "/stages", `{"stageName":"x","variables":{}}`, `Invalid request body: unknown member "variables"`},
		{"PATCH", "/stages/prod", `{"defaultRouteSettings":{"loggingLevel":"INFO"}}`, "loggingLevel INFO of defaultRouteSettings is not supported yet"},
		{"PATCH", "/stages/prod", `{"defaultRouteSettings":{"dataTraceEnabled":true}}`, "dataTraceEnabled of defaultRouteSettings is not supported yet"},
		{"PATCH", "/stages/prod", `{"defaultRouteSettings":{"throttlingRateLimit":-1}}`, "Invalid value for defaultRouteSettings.rateLimit: it must be a number of requests per second from 0 to 1000000000"},
		{"PATCH", "/stages/prod", `{"stageName":"x"}`, "Invalid request input: stageName and tags cannot be updated"},
		{"PATCH", "/stages/prod", `{"stageVariables":{"a b":"c"}}`, "Invalid stage variable name: a b.  Please use names with only word characters."},
		{"POST", "/deployments", `{"x-tidegate-stage-variables":{"a":"b"}}`, "x-tidegate-stage-variables need a stageName"},
	} {
		b.wantError(c.method, api+c.path, c.body, 400, CodeBadRequest, c.message)
	}
	b.wantError("POST", api+"/stages", `{"stageName":"prod","deploymentId":"`+d1+`"}`, 409, CodeConflict, "Stage already exists")
	b.wantMissing("POST", api+"/stages", `{"stageName":"x","deploymentId":"nope"}`, "Deployment", "Invalid Deployment identifier specified")
	b.wantMissing("PATCH", api+"/stages/prod", `{"routeSettings":{"b":{}}}`, "Route", "Unable to find Route by key b within the provided RouteSettings")
	b.wantMissing("GET", api+"/stages/none", "", "Stage", "Invalid stage identifier specified")
	b.want(204, "DELETE", api+"/stages/prod", "")
}
