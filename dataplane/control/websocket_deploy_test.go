package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// deployments returns the ids of an API's deployments, oldest first.
func (b *bench) deployments(api string) (ids []string) {
	b.Helper()
	for _, d := range b.want(200, "GET", api+"/deployments", "")["items"].([]any) {
		ids = append(ids, d.(map[string]any)["deploymentId"].(string))
	}
	return ids
}

func TestAutoDeploy(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	made := b.want(201, "POST", api+"/stages", `{"stageName":"dev","autoDeploy":true}`) // there are no routes yet
	d1 := made["deploymentId"].(string)
	b.want(201, "POST", api+"/stages", `{"stageName":"test","autoDeploy":true}`)
	if ids := b.deployments(api); len(ids) != 2 {
		t.Errorf("deployments %v", ids)
	}
	in := b.made(api+"/integrations", proxyIntegration, "integrationId")
	stage := func() (deployment, message string) {
		t.Helper()
		st := b.want(200, "GET", api+"/stages/dev", "")
		return st["deploymentId"].(string), st["lastDeploymentStatusMessage"].(string)
	}
	if d, message := stage(); d != d1 || message != "Deployment attempt failed: At least one route is required before deploying the Api." {
		t.Errorf("without routes: %s %s", d, message)
	}

	route := b.made(api+"/routes", `{"routeKey":"a","target":"integrations/`+in+`"}`, "routeId")
	d2, message := stage()
	if d2 == d1 || message != "Successfully deployed stage with deployment ID '"+d2+"'" {
		t.Errorf("with a route: %s %s", d2, message)
	}
	if ids := b.deployments(api); len(ids) != 1 || ids[0] != d2 {
		t.Errorf("what was superseded is still there: %v", ids)
	}
	if d := b.want(200, "GET", api+"/deployments/"+d2, ""); d["autoDeployed"] != true || d["description"] != "Automatic deployment triggered by changes to the Api configuration" || d["number"] != 3.0 {
		t.Errorf("deployment %v", d)
	}
	b.want(200, "PATCH", api, `{"description":"x"}`) // changes nothing that is served
	b.want(200, "PATCH", api+"/routes/"+route, `{"operationName":"o"}`)
	d3, _ := stage()
	if d3 == d2 {
		t.Error("a changed route is not deployed")
	}
	b.want(200, "PATCH", api+"/routes/"+route, `{"routeResponseSelectionExpression":"$default"}`)
	if d, message := stage(); d != d3 || message != "Deployment attempt failed: routes.a.routeResponseSelectionExpression: the route has no route response $default" {
		t.Errorf("what does not fit together: %s %s", d, message)
	}
	b.want(200, "PATCH", api+"/stages/test", `{"autoDeploy":false}`)
	b.made(api+"/routes/"+route+"/routeresponses", `{"routeResponseKey":"$default"}`, "routeResponseId")
	if ids := b.deployments(api); len(ids) != 2 || ids[0] != d3 { // which test serves
		t.Errorf("deployments %v", ids)
	}
	d4, _ := stage()
	b.wantError("PATCH", api+"/stages/dev", `{"deploymentId":"`+d3+`"}`, 400, CodeBadRequest, "The deployment of a stage with autoDeploy is made by itself: set autoDeploy to false to choose one")
	b.want(200, "PATCH", api+"/stages/test", `{"autoDeploy":true}`)
	if st := b.want(200, "GET", api+"/stages/test", ""); st["deploymentId"] == d3 {
		t.Error("switched on, and yet not deployed")
	}
	b.want(204, "DELETE", api+"/stages/dev", "")
	if ids := b.deployments(api); strings.Contains(strings.Join(ids, " "), d4) {
		t.Errorf("the deployment of the stage is still there: %v", ids)
	}
}

func TestAutoDeployOfWhatCannotBeServed(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	b.made(api+"/routes", `{"routeKey":"a"}`, "routeId")
	d1 := b.want(201, "POST", api+"/stages", `{"stageName":"dev","autoDeploy":true}`)["deploymentId"].(string)
	b.gateway.refuseDeployments = &definition.InvalidError{Err: errors.New(`stage "dev": variable "x" is not set`)}
	b.made(api+"/integrations", proxyIntegration, "integrationId")
	st := b.want(200, "GET", api+"/stages/dev", "")
	if st["deploymentId"] != d1 || st["lastDeploymentStatusMessage"] != `Deployment attempt failed: stage "dev": variable "x" is not set` {
		t.Errorf("stage %v", st)
	}
	if list := b.want(200, "GET", api+"/integrations", "")["items"].([]any); len(list) != 1 {
		t.Errorf("the change is lost: %v", list)
	}
	b.wantError("POST", api+"/deployments", `{"stageName":"dev"}`, 400, CodeBadRequest, `stage "dev": variable "x" is not set`)
	b.gateway.refuseDeployments = nil
	b.want(200, "PATCH", api, `{"routeSelectionExpression":"$request.body.b"}`)
	if st := b.want(200, "GET", api+"/stages/dev", ""); st["deploymentId"] == d1 {
		t.Errorf("stage %v", st)
	}
}

func TestWebSocketImportAndPut(t *testing.T) {
	b := newBench(t)
	made := b.want(201, "POST", "/tidegate/websocketapis", chat)
	id := made["apiId"].(string)
	wantJSON(t, "import", made, `{"apiId":"`+id+`","name":"chat","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action","apiKeySelectionExpression":"$request.header.x-api-key",
		"apiEndpoint":"ws://`+id+`.execute-api.localhost:8080","createdDate":"2026-11-22T12:00:00Z","disableExecuteApiEndpoint":false,"disableSchemaValidation":false,"ipAddressType":"ipv4",
		"tags":{"team":"talk"},"x-tidegate-allowed-origins":["https://chat.example.com"]}`)
	before := b.gateway.Catalog().APIs[id]
	routes := func() (keys []string) {
		for _, r := range b.want(200, "GET", "/v2/apis/"+id+"/routes", "")["items"].([]any) {
			keys = append(keys, r.(map[string]any)["routeKey"].(string))
		}
		return keys
	}
	if keys := routes(); len(keys) != 2 {
		t.Errorf("routes %v", keys)
	}
	b.want(200, "PUT", "/tidegate/websocketapis/"+id+"?mode=overwrite&failonwarnings=true", chat)
	if b.gateway.Catalog().APIs[id].Body != before.Body {
		t.Error("the same document became another body")
	}
	b.made("/v2/apis/"+id+"/routes", `{"routeKey":"other"}`, "routeId")
	put := b.want(200, "PUT", "/tidegate/websocketapis/"+id, strings.NewReplacer("name: chat", "name: talk", "tags: {team: talk}\n", "", "x-tidegate-allowed-origins: [https://chat.example.com]\n", "").Replace(chat))
	if put["name"] != "talk" || put["tags"].(map[string]any)["team"] != "talk" || put["x-tidegate-allowed-origins"] != nil || len(routes()) != 2 {
		t.Errorf("put %v, routes %v", put, routes())
	}
	b.want(201, "POST", "/v2/apis/"+id+"/deployments", `{"stageName":"prod"}`)
	b.want(200, "PATCH", "/v2/apis/"+id+"/stages/prod", `{"autoDeploy":true}`)
	b.want(200, "PUT", "/tidegate/websocketapis/"+id, chat)
	if st := b.want(200, "GET", "/v2/apis/"+id+"/stages/prod", ""); b.gateway.Catalog().Deployments[definition.DeploymentKey{APIID: id, ID: st["deploymentId"].(string)}].Body != b.gateway.Catalog().APIs[id].Body {
		t.Error("a document is not deployed by itself")
	}

	b.wantError("POST", "/tidegate/websocketapis", strings.Replace(chat, "backend, rout", "bakend, rout", 1), 400, CodeBadRequest,
		"Invalid WebSocket API input. Errors found during import:\n\tline 12: routes.sendmessage.target: there is no \"bakend\" among the integrations; did you mean \"backend\"?")
	unused := strings.Replace(chat, "integrations:\n", "integrations:\n  idle: {integrationType: MOCK}\n", 1)
	b.wantError("POST", "/tidegate/websocketapis?failonwarnings=true", unused, 400, CodeBadRequest, "Warnings found during import:\n\tline 7: integrations.idle: no route points at it")
	if made := b.want(201, "POST", "/tidegate/websocketapis", unused); made["warnings"].([]any)[0] != "line 7: integrations.idle: no route points at it" {
		t.Errorf("warnings %v", made)
	}
	b.wantError("PUT", "/tidegate/websocketapis/"+id+"?mode=merge", chat, 400, CodeBadRequest, "Invalid mode: merge. Must be one of: [overwrite]")
	b.wantError("POST", "/tidegate/websocketapis?basepath=split", chat, 400, CodeBadRequest, "import parameter basepath is not supported yet")
	b.wantError("POST", "/tidegate/websocketapis?failonwarnings=yes", chat, 400, CodeBadRequest, "Invalid failonwarnings: yes. Must be one of: [true, false]")
}

func TestValidateWebSocket(t *testing.T) {
	var checked *definition.Body
	b := newBench(t, func(o *Options) {
		o.Check = func(body *definition.Body) error { checked = body; return nil }
	})
	wantJSON(t, "valid", b.want(200, "POST", "/tidegate/validate", chat), `{"valid":true,"name":"chat","protocolType":"WEBSOCKET","resources":0,"methods":0,"routes":2}`)
	if checked == nil || checked.WebSocket == nil {
		t.Error("not compiled")
	}
	bad := b.want(200, "POST", "/tidegate/validate", strings.Replace(chat, "HTTP_PROXY", "PIGEON", 1))
	if problem := bad["problems"].([]any)[0].(map[string]any); bad["valid"] != false || problem["line"] != 7.0 || problem["location"] != "integrations.backend.integrationType" {
		t.Errorf("invalid %v", bad)
	}
	if len(b.gateway.Catalog().APIs) != 0 {
		t.Error("validate made an API")
	}
}

func TestWebSocketRefusals(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	for _, c := range []struct{ method, target, body, message string }{
		{"POST", "/v2/apis", `{"name":"a","protocolType":"HTTP"}`, `Invalid request input: protocolType: protocol "HTTP" is not supported; WEBSOCKET is, and REST APIs have OpenAPI documents; routeSelectionExpression: missing; say what chooses the route of a message, such as $request.body.action`},
		{"POST", "/v2/apis", `{`, "Invalid request input: not valid JSON: unexpected EOF"},
		{"POST", "/v2/apis", `{"name":"a","protocolType":"WEBSOCKET","routeSelectionExpression":"a","tags":{"aws:x":"y"}}`, "Invalid tag aws:x: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256"},
		{"PATCH", api, `{"corsConfiguration":{"allowOrigins":["*"]}}`, "Invalid request input: corsConfiguration: corsConfiguration is not supported: it belongs to HTTP APIs; see x-tidegate-allowed-origins"},
		{"POST", api + "/integrations", `{"integrationType":"HTTP_PROXY","integrationUri":"http://u","integrationMethod":"GET","connectionType":"VPC_LINK"}`, "Invalid request input: connectionType: connectionType is not supported: it names a VPC link; give the backend's own address as integrationUri"},
		{"POST", api + "/routes", `{"routeKey":"a","requestModels":{"a":"b"}}`, "Invalid request input: requestModels: requestModels is not supported: messages are not validated; do that in the backend"},
		{"PUT", "/v2/apis", "{}", "ImportApi is not supported yet"},
		{"PUT", api, "{}", "ReimportApi is not supported yet"},
		{"GET", api + "/models", "", "GetModels is not supported yet"},
		{"GET", api + "/exports/OAS30", "", "ExportApi is not supported yet"},
		{"DELETE", api + "/cors", "", "DeleteCorsConfiguration is not supported yet"},
		{"DELETE", api + "/stages/a/accesslogsettings", "", "DeleteAccessLogSettings is not supported yet"},
		{"POST", "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fx", "{}", "TagResource is not supported yet"},
		{"GET", "/v2/vpclinks", "", "GetVpcLinks is not supported yet"},
		{"GET", "/v2/apis?maxResults=x", "", "Invalid maxResults: x. It must be a number from 1 to 500"},
		{"GET", "/v2/apis?nextToken=*", "", "Invalid nextToken: *"},
	} {
		b.wantError(c.method, c.target, c.body, 400, CodeBadRequest, c.message)
	}
}

func TestUsagePlanOfWebSocketStage(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	id := strings.TrimPrefix(api, "/v2/apis/")
	b.made(api+"/routes", `{"routeKey":"a"}`, "routeId")
	b.made(api+"/deployments", `{"stageName":"prod"}`, "deploymentId")
	plan := b.want(201, "POST", "/usageplans", `{"name":"gold","apiStages":[{"apiId":"`+id+`","stage":"prod"}]}`)["id"].(string)
	const message = " is of a WebSocket API, which has no methods to throttle: set limits of its routes with UpdateStage, routeSettings"
	b.wantError("PATCH", "/usageplans/"+plan, `{"patchOperations":[{"op":"replace","path":"/apiStages/`+id+`:prod/throttle/~1a/GET/rateLimit","value":"1"}]}`, 400, CodeBadRequest, "API Stage "+id+":prod"+message)
	b.wantError("POST", "/usageplans", `{"name":"x","apiStages":[{"apiId":"`+id+`","stage":"prod","throttle":{"/a/GET":{"rateLimit":1}}}]}`, 400, CodeBadRequest, "API Stage "+id+":prod"+message)
	b.want(204, "DELETE", api+"/stages/prod", "")
	if p := b.want(200, "GET", "/usageplans/"+plan, ""); len(p["apiStages"].([]any)) != 0 {
		t.Errorf("the plan still has the stage: %v", p)
	}
}

func TestWebSocketPaging(t *testing.T) {
	b := newBench(t)
	api := b.webSocket()
	for i := range 130 {
		b.made(api+"/routes", fmt.Sprintf(`{"routeKey":"r%d"}`, i), "routeId")
	}
	for limit, sizes := range map[string][]int{"": {100, 30}, "maxResults=90&": {90, 40}, "maxResults=999&": {130}} {
		seen, token := map[string]bool{}, ""
		for i, size := range sizes {
			page := b.want(200, "GET", api+"/routes?"+limit+"nextToken="+token, "")
			list := page["items"].([]any)
			if len(list) != size {
				t.Errorf("%q page %d has %d routes, want %d", limit, i, len(list), size)
			}
			for _, r := range list {
				seen[r.(map[string]any)["routeId"].(string)] = true
			}
			token, _ = page["nextToken"].(string)
		}
		if len(seen) != 130 || token != "" {
			t.Errorf("%q: %d different routes, token %q", limit, len(seen), token)
		}
	}
	for i := 130; i < 300; i++ {
		b.made(api+"/routes", fmt.Sprintf(`{"routeKey":"r%d"}`, i), "routeId")
	}
	b.wantError("POST", api+"/routes", `{"routeKey":"one more"}`, 429, CodeLimitExceeded, "Maximum number of Routes for this API has been reached: 300")
}
