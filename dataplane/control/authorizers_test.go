package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestAuthorizers(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	at := "/restapis/" + id + "/authorizers"
	made := b.want(201, "POST", at, `{"name":"tokens","type":"TOKEN","authorizerUri":"http://127.0.0.1:9/","identitySource":"method.request.header.Authorization"}`)
	if made["authorizerResultTtlInSeconds"] != 300.0 || len(made["id"].(string)) != 6 {
		t.Errorf("made %v", made)
	}
	one := at + "/" + made["id"].(string)
	if got := b.want(200, "GET", one, ""); got["name"] != "tokens" || got["type"] != "TOKEN" {
		t.Errorf("get %v", got)
	}
	patched := b.want(200, "PATCH", one, `{"patchOperations":[{"op":"replace","path":"/authorizerResultTtlInSeconds","value":"0"},
		{"op":"replace","path":"/name","value":"users"},{"op":"replace","path":"/type","value":"COGNITO_USER_POOLS"},
		{"op":"add","path":"/providerARNs","value":"arn:a"},{"op":"add","path":"/providerARNs","value":"arn:b"},
		{"op":"remove","path":"/providerARNs","value":"arn:a"},{"op":"remove","path":"/authorizerUri"}]}`)
	if fmt.Sprint(patched["providerARNs"]) != "[arn:b]" || patched["authorizerResultTtlInSeconds"] != 0.0 || patched["name"] != "users" || patched["authorizerUri"] != nil {
		t.Errorf("patched %v", patched)
	}
	list := b.want(200, "GET", at, "")["item"].([]any)
	if len(list) != 1 {
		t.Errorf("list %v", list)
	}
	b.want(202, "DELETE", one, "")
	if len(b.want(200, "GET", at, "")["item"].([]any)) != 0 {
		t.Error("still there")
	}
}

func TestAuthorizerRefusals(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	at := "/restapis/" + id + "/authorizers"
	made := b.want(201, "POST", at, `{"name":"a","type":"REQUEST"}`)["id"].(string)
	b.server.options.CheckAuthorizer = func(a *definition.Authorizer) error {
		if a.URI == "" {
			return errors.New("authorizerUri is empty")
		}
		return nil
	}
	patch := func(op, path, value string) string {
		return fmt.Sprintf(`{"patchOperations":[{"op":%q,"path":%q,"value":%q}]}`, op, path, value)
	}
	for _, tt := range []struct {
		method, target, body string
		status               int
		message              string
	}{
		{"POST", at, `{}`, 400, "2 validation errors detected: Value null at 'createAuthorizerInput.name'"},
		{"POST", at, `{"name":"a","type":"JWT"}`, 400, "Value 'JWT' at 'createAuthorizerInput.type'"},
		{"POST", at, `{"name":"","type":"TOKEN","authorizerUri":"u"}`, 400, "Authorizer name cannot be empty"},
		{"POST", at, `{"name":"a","type":"TOKEN"}`, 400, "Invalid authorizer: authorizerUri is empty"},
		{"POST", "/restapis/nope/authorizers", `{"name":"a","type":"TOKEN"}`, 404, "Invalid API identifier specified"},
		{"GET", "/restapis/nope/authorizers", "", 404, "Invalid API identifier specified"},
		{"GET", at + "/nope", "", 404, "Invalid Authorizer identifier specified"},
		{"DELETE", at + "/nope", "", 404, "Invalid Authorizer identifier specified"},
		{"PATCH", at + "/nope", patch("replace", "/name", "b"), 404, "Invalid Authorizer identifier specified"},
		{"PATCH", at + "/" + made, patch("replace", "/colour", "red"), 400, "Invalid patch path  '/colour' specified for op 'replace'. Must be one of: [/name, /type"},
		{"PATCH", at + "/" + made, patch("remove", "/name", ""), 400, "Must be one of: [replace]"},
		{"PATCH", at + "/" + made, patch("replace", "/type", "JWT"), 400, "Invalid authorizer type: JWT"},
		{"PATCH", at + "/" + made, patch("replace", "/authorizerResultTtlInSeconds", "long"), 400, "it must be a number of seconds from 0 to 3600"},
		{"PATCH", at + "/" + made, patch("remove", "/providerARNs", "arn:x"), 404, "Invalid provider ARN specified: arn:x"},
		{"PATCH", at + "/" + made, patch("replace", "/name", "b"), 400, "Invalid authorizer: authorizerUri is empty"},
		{"DELETE", "/restapis/" + id + "/stages/nope/cache/authorizers", "", 404, "Invalid Stage identifier specified"},
	} {
		got := b.want(tt.status, tt.method, tt.target, tt.body)
		if !strings.Contains(got["message"].(string), tt.message) {
			t.Errorf("%s %s %s: %q, want %q", tt.method, tt.target, tt.body, got["message"], tt.message)
		}
	}
	for i := range maxAuthorizers {
		status := 201
		if i == maxAuthorizers-1 {
			status = 429
		}
		b.want(status, "POST", at, `{"name":"more","type":"TOKEN","authorizerUri":"u"}`)
	}
}

// An authorizer of an import is there, is in use, and is merged by its id.
func TestImportedAuthorizers(t *testing.T) {
	b := newBench(t)
	document := `{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"security":[{"k":["s"]}],"x-amazon-apigateway-integration":{"type":"mock"}}}},
		"components":{"securitySchemes":{"k":{"type":"apiKey","in":"header","name":"Authorization","x-amazon-apigateway-authorizer":{"type":"cognito_user_pools","providerARNs":["arn:p"]}}}}}`
	id := b.want(201, "POST", "/restapis?mode=import", document)["id"].(string)
	at := "/restapis/" + id + "/authorizers"
	have := b.want(200, "GET", at, "")["item"].([]any)[0].(map[string]any)
	if have["name"] != "k" || have["identitySource"] != "method.request.header.Authorization" {
		t.Errorf("imported %v", have)
	}
	for _, res := range b.want(200, "GET", "/restapis/"+id+"/resources?embed=methods", "")["item"].([]any) {
		methods, _ := res.(map[string]any)["resourceMethods"].(map[string]any)
		if get, ok := methods["GET"].(map[string]any); ok {
			if get["authorizationType"] != "COGNITO_USER_POOLS" || get["authorizerId"] != have["id"] || fmt.Sprint(get["authorizationScopes"]) != "[s]" {
				t.Errorf("method %v", get)
			}
		}
	}
	if got := b.want(409, "DELETE", at+"/"+have["id"].(string), ""); !strings.Contains(got["message"].(string), "is used by GET /a") {
		t.Errorf("deleted: %v", got)
	}
	other := b.want(201, "POST", at, `{"name":"other","type":"TOKEN"}`)["id"].(string)
	b.want(200, "PUT", "/restapis/"+id+"?mode=merge", document)
	if n := len(b.want(200, "GET", at, "")["item"].([]any)); n != 2 {
		t.Errorf("%d authorizers after a merge", n)
	}
	b.want(200, "PUT", "/restapis/"+id+"?mode=overwrite", document)
	b.want(404, "GET", at+"/"+other, "")

	d := b.deployed(id, "prod")
	summary := b.want(200, "GET", "/restapis/"+id+"/deployments/"+d+"?embed=apisummary", "")["apiSummary"]
	if !strings.Contains(fmt.Sprint(summary), "authorizationType:COGNITO_USER_POOLS") {
		t.Errorf("summary %v", summary)
	}
	b.want(202, "DELETE", "/restapis/"+id+"/stages/prod/cache/authorizers", "")
	if fmt.Sprint(b.gateway.flushed) != "[authorizers of "+id+":prod]" {
		t.Errorf("flushed %v", b.gateway.flushed)
	}
}

func TestResourcePolicy(t *testing.T) {
	b := newBench(t)
	const document = `{"Version":"2012-10-17","Statement":[]}`
	escaped := strings.ReplaceAll(document, `"`, `\"`)
	inJSON := strings.ReplaceAll(document, `"`, `\"`)
	twice := strings.ReplaceAll(document, `"`, `\\\"`)
	id := b.want(201, "POST", "/restapis", `{"name":"x","policy":"`+inJSON+`"}`)["id"].(string)
	api := "/restapis/" + id
	if got := b.want(200, "GET", api, ""); got["policy"] != escaped {
		t.Errorf("policy %q, want %q", got["policy"], escaped)
	}
	b.want(200, "PATCH", api, `{"patchOperations":[{"op":"remove","path":"/policy"}]}`)
	if got := b.want(200, "GET", api, ""); got["policy"] != nil {
		t.Errorf("policy %q after it was removed", got["policy"])
	}
	// As AWS prints it, it can be sent again.
	if got := b.want(200, "PATCH", api, `{"patchOperations":[{"op":"replace","path":"/policy","value":"`+twice+`"}]}`); got["policy"] != escaped {
		t.Errorf("policy %q", got["policy"])
	}
	b.server.options.CheckPolicy = func(apiID, policy string) error {
		return fmt.Errorf("Statement of %s is empty in %d bytes", apiID, len(policy))
	}
	got := b.want(400, "PATCH", api, `{"patchOperations":[{"op":"replace","path":"/policy","value":"`+inJSON+`"}]}`)
	if want := fmt.Sprintf("Invalid policy document. Please check the policy syntax and ensure that Principals are valid. Statement of %s is empty in %d bytes", id, len(document)); got["message"] != want {
		t.Errorf("message %q", got["message"])
	}
	b.want(400, "POST", "/restapis?mode=import", `{"openapi":"3.0.1","info":{"title":"t"},"paths":{},"x-amazon-apigateway-policy":`+document+`}`)
}
