package control

import (
	"fmt"
	"strings"
	"testing"
)

// TestRefusals has AWS's texts as they were recorded, and Tidegate's own for
// what it does not support yet. API, DEPLOYMENT and STAGE stand for existing ones.
func TestRefusals(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	d := b.deployed(id, "prod")
	empty := b.want(201, "POST", "/restapis", `{"name":"empty"}`)["id"].(string)
	names := strings.NewReplacer("API", id, "DEPLOYMENT", d, "EMPTY", empty)

	patch := func(op string) string { return `{"patchOperations":[` + op + `]}` }
	op := func(verb, path, value string) string {
		return patch(fmt.Sprintf(`{"op":"%s","path":"%s","value":"%s"}`, verb, path, value))
	}
	const stage = "/restapis/API/stages/prod"
	const sizes = "0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118, 237"
	const verbs = "failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]"
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		// Not there.
		{"GET", "/restapis/nope", "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"PATCH", "/restapis/nope", op("replace", "/name", "x"), 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"PUT", "/restapis/nope", petstore, 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"POST", "/restapis/nope/deployments", "{}", 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"POST", "/restapis/nope/stages", `{"stageName":"a","deploymentId":"b"}`, 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"GET", "/restapis/nope/stages", "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:nope"},
		{"GET", "/restapis/API/deployments/nope", "", 404, CodeNotFound, "Invalid Deployment identifier specified"},
		{"DELETE", "/restapis/API/deployments/nope", "", 404, CodeNotFound, "Invalid Deployment identifier specified"},
		{"PATCH", "/restapis/API/deployments/nope", op("replace", "/description", "x"), 404, CodeNotFound, "Invalid Deployment identifier specified"},
		{"GET", "/restapis/API/stages/nope", "", 404, CodeNotFound, "Invalid Stage identifier specified"},
		{"DELETE", "/restapis/API/stages/nope", "", 404, CodeNotFound, "Invalid Stage identifier specified"},
		{"PATCH", "/restapis/API/stages/nope", op("replace", "/description", "x"), 404, CodeNotFound, "Invalid Stage identifier specified"},
		{"GET", "/restapis/API/resources/nope", "", 404, CodeNotFound, "Invalid Resource identifier specified"},
		{"GET", "/restapis/" + "A%50I", "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:A" + "PI"},
		{"GET", "/nothing", "", 404, CodeNotFound, "There is no operation GET /nothing"},
		{"GET", "//restapis", "", 404, CodeNotFound, "There is no operation GET //restapis"},
		{"GET", "/restapis/../account", "", 404, CodeNotFound, "There is no operation GET /restapis/../account"},

		// Operations that are not supported yet.
		{"POST", "/restapis/API/authorizers/x", "{}", 400, CodeBadRequest, "TestInvokeAuthorizer is not supported yet"},
		{"POST", "/restapis/API/resources/x", "{}", 400, CodeBadRequest, "CreateResource is not supported yet"},
		{"PUT", "/restapis/API/resources/x/methods/GET", "{}", 400, CodeBadRequest, "PutMethod is not supported yet"},
		{"GET", "/domainnames", "", 400, CodeBadRequest, "GetDomainNames is not supported yet"},
		{"GET", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fx", "", 400, CodeBadRequest, "GetTags is not supported yet"},
		{"PUT", "/v2/apis", "", 400, CodeBadRequest, "ImportApi is not supported yet"},
		{"GET", "/v2/domainnames", "", 400, CodeBadRequest, "GetDomainNames is not supported yet"},
		{"GET", "/v2/nothing", "", 404, CodeNotFound, "There is no operation GET /v2/nothing"},

		// CreateRestApi.
		{"POST", "/restapis", `{}`, 400, CodeValidation, "1 validation error detected: Value null at 'createRestApiInput.name' failed to satisfy constraint: Member must not be null"},
		{"POST", "/restapis", `{"name":""}`, 400, CodeBadRequest, "Name cannot be an empty string"},
		{"POST", "/restapis", `{"name":"x","description":""}`, 400, CodeBadRequest, "Description cannot be an empty string"},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":[]}}`, 400, CodeBadRequest, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["EDGE","REGIONAL"]}}`, 400, CodeBadRequest, "Cannot create an api with multiple Endpoint Types."},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["wrong"],"ipAddressType":"wrong"}}`, 400, CodeValidation, "2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]"},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["PRIVATE"],"ipAddressType":"ipv4"}}`, 400, CodeBadRequest, "Only dualstack ipAddressType is supported for Private APIs."},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["PRIVATE"],"vpcEndpointIds":["vpce-1"]}}`, 400, CodeBadRequest, "vpcEndpointIds is not supported yet"},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"ipAddressType":"dualstack"}}`, 400, CodeBadRequest, "ipAddressType dualstack is not supported yet"},
		{"POST", "/restapis", `{"name":"x","endpointConfiguration":{"vpcEndpointIds":["v"]}}`, 400, CodeBadRequest, "vpcEndpointIds is not supported yet"},
		{"POST", "/restapis", `{"name":"x","binaryMediaTypes":["image/png"]}`, 400, CodeBadRequest, "binaryMediaTypes of CreateRestApi is not supported yet"},
		{"POST", "/restapis", `{"name":"x","policy":"{"}`, 400, CodeBadRequest, "Invalid policy document. Please check the policy syntax and ensure that Principals are valid. It is not JSON: unexpected end of JSON input"},
		{"POST", "/restapis", `{"name":"x","minimumCompressionSize":0}`, 400, CodeBadRequest, "minimumCompressionSize of CreateRestApi is not supported yet"},
		{"POST", "/restapis", `{"name":"x","apiKeySource":"COOKIE"}`, 400, CodeValidation, "1 validation error detected: Value 'COOKIE' at 'createRestApiInput.apiKeySource' failed to satisfy constraint: Member must satisfy enum value set: [HEADER, AUTHORIZER]"},
		{"POST", "/restapis", `{"name":"x","tags":{"aws:x":"y"}}`, 400, CodeBadRequest, "Invalid tag aws:x: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256"},
		{"POST", "/restapis", `{"name":"x","colour":"red"}`, 400, CodeBadRequest, `Invalid request body: unknown member "colour"`},
		{"POST", "/restapis", `{"name":7}`, 400, CodeBadRequest, "Invalid value for 'name': it is a number and must be a string"},
		{"POST", "/restapis", `{"name":"x"} {}`, 400, CodeBadRequest, "Invalid request body: there is more after the JSON object"},
		{"POST", "/restapis", `{`, 400, CodeBadRequest, "Invalid request body: unexpected EOF"},

		// UpdateRestApi.
		{"PATCH", "/restapis/API", op("replace", "/invalid", "x"), 400, CodeBadRequest, "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/name, /description, /policy, /apiKeySource, /minimumCompressionSize, /disableExecuteApiEndpoint, /binaryMediaTypes/{type}, /endpointConfiguration/types/{type}, /endpointConfiguration/vpcEndpointIds, /endpointConfiguration/ipAddressType, /securityPolicy, /endpointAccessMode]"},
		{"PATCH", "/restapis/API", op("replace", "/name", ""), 400, CodeBadRequest, "Name cannot be an empty string"},
		{"PATCH", "/restapis/API", op("add", "/name", "x"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", "/restapis/API", op("add", "/binaryMediaTypes", "x"), 400, CodeBadRequest, "Invalid patch path /binaryMediaTypes"},
		{"PATCH", "/restapis/API", op("add", "/binaryMediaTypes/image~1png", ""), 400, CodeBadRequest, "/binaryMediaTypes/image~1png of UpdateRestApi is not supported yet"},
		{"PATCH", "/restapis/API", op("replace", "/policy", "x"), 400, CodeBadRequest, "Invalid policy document. Please check the policy syntax and ensure that Principals are valid. It is not JSON: invalid character 'x' looking for beginning of value"},
		{"PATCH", "/restapis/API", op("replace", "/disableExecuteApiEndpoint", "perhaps"), 400, CodeBadRequest, "Invalid value for /disableExecuteApiEndpoint: it must be true or false"},
		{"PATCH", "/restapis/API", op("replace", "/endpointConfiguration/types/EDGE", "wrong"), 400, CodeBadRequest, "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"},
		{"PATCH", "/restapis/API", op("copy", "/endpointConfiguration/types/EDGE", "REGIONAL"), 400, CodeBadRequest, "Invalid patch operation specified. Must be 'add'|'remove'|'replace'"},
		{"PATCH", "/restapis/API", op("replace", "/endpointConfiguration/types/EDGE", "PRIVATE"), 400, CodeBadRequest, "An API cannot be changed from EDGE to PRIVATE: change it to REGIONAL first"},
		{"PATCH", "/restapis/API", op("replace", "/endpointConfiguration/ipAddressType", "wrong"), 400, CodeBadRequest, "ipAddressType must be either ipv4 or dualstack."},
		{"PATCH", "/restapis/API", op("remove", "/endpointConfiguration/ipAddressType", "ipv4"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", "/restapis/API", op("replace", "/apiKeySource", "COOKIE"), 400, CodeBadRequest, "Invalid API Key source: COOKIE. Must be one of: [HEADER, AUTHORIZER]"},
		{"PATCH", "/restapis/API", op("replace", "/x-tidegate-guaranteed-rate", "-1"), 400, CodeBadRequest, "Invalid value for /x-tidegate-guaranteed-rate: it must be a number of requests per second from 0 to 1000000000"},
		{"PATCH", "/restapis/API", patch(`{"op":"replace"}`), 400, CodeBadRequest, "Invalid patch path null"},
		{"PATCH", "/restapis/API", patch(`{"op":"wrong","path":"/a"},{"op":"wrong","path":"/b"}`), 400, CodeValidation, "2 validation errors detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' " + verbs + "; Value 'wrong' at 'updateRestApiInput.patchOperations.2.member.op' " + verbs},
		{"PATCH", "/restapis/API", patch(`{"op":"replace","path":"/name","value":"new"},{"op":"replace","path":"/securityPolicy","value":"x"}`), 400, CodeBadRequest, "/securityPolicy of UpdateRestApi is not supported yet"},

		// Import.
		{"POST", "/restapis?mode=import&basepath=wrong", petstore, 400, CodeBadRequest, "Invalid basepath: wrong. Must be one of: [ignore, prepend, split]"},
		{"POST", "/restapis?mode=import&flavour=sweet", petstore, 400, CodeBadRequest, "import parameter flavour is not supported yet"},
		{"POST", "/restapis?mode=import&endpointConfigurationTypes=INSIDE", petstore, 400, CodeValidation,
			"1 validation error detected: Value '[INSIDE]' at 'importRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]"},
		{"PUT", "/restapis/API?mode=wrong", petstore, 400, CodeValidation, "1 validation error detected: Value 'wrong' at 'putRestApiInput.mode' failed to satisfy constraint: Member must satisfy enum value set: [merge, overwrite]"},

		// CreateDeployment.
		{"POST", "/restapis/EMPTY/deployments", `{"stageName":"s"}`, 400, CodeBadRequest, "The REST API doesn't contain any methods"},
		{"POST", "/restapis/API/deployments", `{"stageName":"a b"}`, 400, CodeBadRequest, "Stage name only allows a-zA-Z0-9_- and at most 128 characters"},
		{"POST", "/restapis/API/deployments", `{"stageName":"` + strings.Repeat("s", 129) + `"}`, 400, CodeBadRequest, "Stage name only allows a-zA-Z0-9_- and at most 128 characters"},
		{"POST", "/restapis/API/deployments", `{"stageName":"s","canarySettings":{"percentTraffic":1}}`, 400, CodeBadRequest, "canarySettings of CreateDeployment is not supported yet"},
		{"POST", "/restapis/API/deployments", `{"stageName":"s","tracingEnabled":true}`, 400, CodeBadRequest, "tracingEnabled of CreateDeployment is not supported yet"},
		{"POST", "/restapis/API/deployments", `{"stageName":"s","cacheClusterSize":"2"}`, 400, CodeValidation, "1 validation error detected: Value '2' at 'createDeploymentInput.cacheClusterSize' failed to satisfy constraint: Member must satisfy enum value set: [" + sizes + "]"},
		{"POST", "/restapis/API/deployments", `{"cacheClusterEnabled":true}`, 400, CodeBadRequest, "cacheClusterEnabled and cacheClusterSize need a stageName"},
		{"POST", "/restapis/API/deployments", `{"variables":{"a":"b"}}`, 400, CodeBadRequest, "stageDescription and variables need a stageName"},
		{"POST", "/restapis/API/deployments", `{"stageName":"s","variables":{"a-b":"c"}}`, 400, CodeBadRequest, "Invalid stage variable name: a-b.  Please use names with only word characters."},
		{"POST", "/restapis/API/deployments", `{"stageName":"s","variables":{"a":""}}`, 400, CodeBadRequest, "Invalid stage variable value: .  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."},
		{"GET", "/restapis/API/deployments/DEPLOYMENT?embed=wrong", "", 400, CodeBadRequest, "Invalid embed: wrong. It must be apisummary"},
		{"PATCH", "/restapis/API/deployments/DEPLOYMENT", op("replace", "/id", "x"), 400, CodeBadRequest, "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description]"},
		{"DELETE", "/restapis/API/deployments/DEPLOYMENT", "", 400, CodeBadRequest, "Active stages pointing to this deployment must be moved or deleted"},

		// CreateStage.
		{"POST", "/restapis/API/stages", `{}`, 400, CodeValidation, "2 validation errors detected: Value null at 'createStageInput.stageName' failed to satisfy constraint: Member must not be null; Value null at 'createStageInput.deploymentId' failed to satisfy constraint: Member must not be null"},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","cacheClusterEnabled":true,"cacheClusterSize":"0.50"}`, 400, CodeValidation, "1 validation error detected: Value '0.50' at 'createStageInput.cacheClusterSize' failed to satisfy constraint: Member must satisfy enum value set: [" + sizes + "]"},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","cacheClusterEnabled":"true"}`, 400, CodeBadRequest, "Invalid value for 'cacheClusterEnabled': it is a string and must be a bool"},
		{"POST", "/restapis/API/stages", `{"stageName":"prod","deploymentId":"DEPLOYMENT"}`, 409, CodeConflict, "Stage already exists"},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"nope"}`, 400, CodeBadRequest, "Deployment id does not exist"},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","documentationVersion":"v1"}`, 400, CodeBadRequest, "documentationVersion of CreateStage is not supported yet"},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","variables":{"v":"` + strings.Repeat("x", 513) + `"}}`, 400, CodeBadRequest, "Invalid stage variable value of v.  Please use values with at most 512 characters."},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","variables":{"` + strings.Repeat("v", 65) + `":"x"}}`, 400, CodeBadRequest, "Invalid stage variable name: " + strings.Repeat("v", 65) + ".  Please use names with at most 64 characters."},
		{"POST", "/restapis/API/stages", `{"stageName":"s","deploymentId":"DEPLOYMENT","variables":` + manyVariables(101) + `}`, 400, CodeBadRequest, "A stage can have at most 100 stage variables"},

		// UpdateStage.
		{"PATCH", stage, op("replace", "/documentation_version", "x"), 400, CodeBadRequest, "Invalid method setting path: /documentation_version. Must be one of: [" + stagePaths + "]"},
		{"PATCH", stage, op("replace", "/tags/tag1", "x"), 400, CodeBadRequest, "Invalid method setting path: /tags/tag1. Must be one of: [" + stagePaths + "]"},
		{"PATCH", stage, op("replace", "/deploymentId", "nope"), 400, CodeBadRequest, "Deployment id does not exist"},
		{"PATCH", stage, op("remove", "/deploymentId", ""), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, replace]"},
		{"PATCH", stage, op("replace", "/variables/a-b", "x"), 400, CodeBadRequest, "Invalid stage variable name: a-b.  Please use names with only word characters."},
		{"PATCH", stage, op("replace", "/variables/a", "$LATEST"), 400, CodeBadRequest, "Invalid stage variable value: $LATEST.  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."},
		{"PATCH", stage, op("remove", "/variables/none", ""), 400, CodeBadRequest, "Cannot remove stage variable none because the stage has no such variable"},
		{"PATCH", stage, op("remove", "/*/*", ""), 400, CodeBadRequest, "Cannot remove method setting */* because there is no method setting for this method "},
		{"PATCH", stage, op("remove", "/accessLogSettings/randomValue", ""), 400, CodeBadRequest, "Cannot remove method setting accessLogSettings/randomValue because there is no method setting for this method "},
		{"PATCH", stage, op("replace", "/accessLogSettings/randomValue", "x"), 400, CodeBadRequest, "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]"},
		{"PATCH", stage, op("replace", "/accessLogSettings/format", "x"), 400, CodeBadRequest, "/accessLogSettings/format of UpdateStage is not supported yet"},
		{"PATCH", stage, op("replace", "/*/*/metrics/enabled", "true"), 400, CodeBadRequest, "/*/*/metrics/enabled of UpdateStage is not supported yet"},
		{"PATCH", stage, op("replace", "/~1pets~1{id}/GET/logging/loglevel", "INFO"), 400, CodeBadRequest, "/~1pets~1{id}/GET/logging/loglevel of UpdateStage is not supported yet"},
		{"PATCH", stage, op("replace", "/*/*/logging/dataTrace", "true"), 400, CodeBadRequest, "/*/*/logging/dataTrace of UpdateStage is not supported yet"},
		{"PATCH", stage, op("replace", "/tracingEnabled", "true"), 400, CodeBadRequest, "/tracingEnabled of UpdateStage is not supported yet"},
		{"PATCH", stage, op("replace", "/canarySettings/percentTraffic", "5"), 400, CodeBadRequest, "/canarySettings/percentTraffic of UpdateStage is not supported yet"},
		{"PATCH", stage, op("move", "/deploymentId", "x"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, remove, replace, copy]"},
		{"PATCH", stage, patch(`{"op":"copy","path":"/deploymentId","from":"/canarySettings/deploymentId"}`), 400, CodeBadRequest, "Promotion not available. Canary does not exist."},
		{"PATCH", stage, patch(`{"op":"copy","path":"/description","from":"/x"}`), 400, CodeBadRequest, "Invalid copy operation with path: /description and from /x. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"},
	} {
		b.wantError(tt.method, names.Replace(tt.target), names.Replace(tt.body), tt.status, tt.code, tt.message)
	}
}

func manyVariables(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"v%d":"x"`, i))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestImportErrors(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	for _, target := range []string{"/restapis?mode=import", "/restapis/" + id} {
		method := map[bool]string{true: "POST", false: "PUT"}[strings.Contains(target, "mode=import")]
		for name, doc := range map[string]string{
			"empty": "", "not yaml": "{ \"", "no document": "[]", "wrong type": strings.Replace(petstore, "http_proxy", "pigeon", 1),
		} {
			a := b.call(method, target, doc)
			if a.status != 400 || a.errType != CodeBadRequest || !strings.Contains(a.body, `{"message":"Invalid OpenAPI input. Errors found during import:`) {
				t.Errorf("%s %s: %d %s", method, name, a.status, a.body)
			}
		}
	}
	warned := strings.Replace(petstore, "9999/pets/{id}", "9999/pets/{nothing}", 1)
	made := b.want(201, "POST", "/restapis?mode=import", warned)
	if warnings, _ := made["warnings"].([]any); len(warnings) != 1 {
		t.Errorf("warnings: %v", made)
	}
	for _, call := range [][2]string{{"POST", "/restapis?mode=import&failonwarnings=true"}, {"PUT", "/restapis/" + id + "?failonwarnings=true"}} {
		a := b.call(call[0], call[1], warned)
		if a.status != 400 || a.errType != CodeBadRequest || !strings.Contains(a.body, `{"message":"Warnings found during import:`) {
			t.Errorf("failonwarnings: %d %s", a.status, a.body)
		}
	}
	b.want(200, "PUT", "/restapis/"+id+"?failonwarnings=true", petstore)
	if n := len(b.gateway.Catalog().APIs); n != 2 {
		t.Errorf("%d APIs", n)
	}
}
