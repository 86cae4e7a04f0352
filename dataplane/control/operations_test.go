package control

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// wantJSON compares an answer with the JSON of want; "*" stands for any value.
func wantJSON(t *testing.T, what string, got map[string]any, want string) {
	t.Helper()
	var w map[string]any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !equalish(got, w) {
		text, _ := json.Marshal(got)
		t.Errorf("%s:\n got %s\nwant %s", what, text, want)
	}
}

func equalish(got, want any) bool {
	if want == "*" {
		return got != nil
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if !equalish(g[k], w[k]) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !equalish(g[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(got, want)
	}
}

func TestRestAPILifecycle(t *testing.T) {
	b := newBench(t)
	created := b.want(201, "POST", "/restapis", `{"name":"one","description":"d","version":"v1","endpointConfiguration":{"types":["REGIONAL"]},"tags":{"k":"v"}}`)
	wantJSON(t, "create", created, `{"id":"*","name":"one","description":"d","version":"v1","createdDate":1795348800,"apiKeySource":"HEADER",
		"endpointConfiguration":{"types":["REGIONAL"],"ipAddressType":"ipv4"},"tags":{"k":"v"},"disableExecuteApiEndpoint":false,"rootResourceId":"*"}`)
	id := created["id"].(string)
	if len(id) != 10 {
		t.Errorf("id %q", id)
	}
	wantJSON(t, "resources", b.want(200, "GET", "/restapis/"+id+"/resources", ""), `{"item":[{"id":"`+created["rootResourceId"].(string)+`","path":"/"}]}`)
	wantJSON(t, "create, name only", b.want(201, "POST", "/restapis", `{"name":"two"}`), `{"id":"*","name":"two","createdDate":1795348800,"apiKeySource":"HEADER",
		"endpointConfiguration":{"types":["EDGE"],"ipAddressType":"ipv4"},"disableExecuteApiEndpoint":false,"rootResourceId":"*"}`)
	wantJSON(t, "update", b.want(200, "PATCH", "/restapis/"+id, `{"patchOperations":[
		{"op":"replace","path":"/name","value":"uno"},{"op":"remove","path":"/description"},{"op":"replace","path":"/disableExecuteApiEndpoint","value":"True"},
		{"op":"replace","path":"/endpointConfiguration/types/REGIONAL","value":"EDGE"},{"op":"replace","path":"/apiKeySource","value":"HEADER"}]}`),
		`{"id":"`+id+`","name":"uno","version":"v1","createdDate":1795348800,"apiKeySource":"HEADER",
		"endpointConfiguration":{"types":["EDGE"],"ipAddressType":"ipv4"},"tags":{"k":"v"},"disableExecuteApiEndpoint":true,"rootResourceId":"*"}`)
	if body := b.gateway.Catalog().APIs[id].Body; !body.DisableExecuteAPIEndpoint || body.EndpointType != "EDGE" {
		t.Errorf("the body to deploy does not have the update: %+v", body)
	}
	if list := b.want(200, "GET", "/restapis", "")["item"].([]any); len(list) != 2 {
		t.Errorf("list: %v", list)
	}
	b.want(202, "DELETE", "/restapis/"+id, "")
	b.wantError("GET", "/restapis/"+id, "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:"+id)
}

func TestDeploymentAndStageLifecycle(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	api := "/restapis/" + id
	first := b.want(201, "POST", api+"/deployments", `{"stageName":"prod","description":"first","stageDescription":"live","variables":{"a":"1"}}`)
	wantJSON(t, "deployment", first, `{"id":"*","description":"first","createdDate":1795348800,"number":1}`)
	d1 := first["id"].(string)
	wantJSON(t, "stage", b.want(200, "GET", api+"/stages/prod", ""), `{"stageName":"prod","deploymentId":"`+d1+`","description":"live","cacheClusterEnabled":false,
		"cacheClusterStatus":"NOT_AVAILABLE","methodSettings":{},"variables":{"a":"1"},"tracingEnabled":false,"createdDate":1795348800,"lastUpdatedDate":1795348800}`)
	wantJSON(t, "embedded summary", b.want(200, "GET", api+"/deployments/"+d1+"?embed=apisummary", ""), `{"id":"`+d1+`","description":"first","createdDate":1795348800,"number":1,
		"apiSummary":{"/pets":{"GET":{"authorizationType":"NONE","apiKeyRequired":false}},"/pets/{id}":{"GET":{"authorizationType":"NONE","apiKeyRequired":false}}}}`)

	d2 := b.deployed(id, "prod") // keeps description and variables
	if st := b.want(200, "GET", api+"/stages/prod", ""); st["deploymentId"] != d2 || st["description"] != "live" || st["variables"].(map[string]any)["a"] != "1" {
		t.Errorf("redeployed stage: %v", st)
	}
	b.wantError("DELETE", api+"/deployments/"+d2, "", 400, CodeBadRequest, "Active stages pointing to this deployment must be moved or deleted")
	b.want(201, "POST", api+"/stages", `{"stageName":"dev","deploymentId":"`+d1+`","description":"d","tags":{"x":"y"},"tracingEnabled":false,"cacheClusterEnabled":false}`)
	if list := b.want(200, "GET", api+"/stages", "")["item"].([]any); len(list) != 2 || list[0].(map[string]any)["stageName"] != "dev" {
		t.Errorf("stages: %v", list)
	}
	if list := b.want(200, "GET", api+"/stages?deploymentId="+d2, "")["item"].([]any); len(list) != 1 || list[0].(map[string]any)["stageName"] != "prod" {
		t.Errorf("stages of one deployment: %v", list)
	}
	// Roll back, and patch what a stage has.
	wantJSON(t, "update stage", b.want(200, "PATCH", api+"/stages/prod", `{"patchOperations":[{"op":"replace","path":"/deploymentId","value":"`+d1+`"},
		{"op":"replace","path":"/variables/b_2","value":"http://x:1/y?z=1&q#f"},{"op":"add","path":"/variables/c","value":"3"},{"op":"remove","path":"/variables/a"},
		{"op":"replace","path":"/description","value":"old"},{"op":"replace","path":"/tracingEnabled","value":"false"}]}`),
		`{"stageName":"prod","deploymentId":"`+d1+`","description":"old","cacheClusterEnabled":false,"cacheClusterStatus":"NOT_AVAILABLE","methodSettings":{},
		"variables":{"b_2":"http://x:1/y?z=1&q#f","c":"3"},"tracingEnabled":false,"createdDate":1795348800,"lastUpdatedDate":1795348800}`)
	b.want(202, "DELETE", api+"/deployments/"+d2, "")
	wantJSON(t, "update deployment", b.want(200, "PATCH", api+"/deployments/"+d1, `{"patchOperations":[{"op":"replace","path":"/description","value":"new"}]}`),
		`{"id":"`+d1+`","description":"new","createdDate":1795348800,"number":1}`)
	if third := b.want(201, "POST", api+"/deployments", ``); third["number"] != 3.0 {
		t.Errorf("the number of a deleted deployment came again: %v", third)
	}
	b.want(202, "DELETE", api+"/stages/dev", "")
	b.wantError("GET", api+"/stages/dev", "", 404, CodeNotFound, "Invalid Stage identifier specified")
}

func TestAccount(t *testing.T) {
	b := newBench(t)
	const limit = `"throttleSettings":{"burstLimit":5000,"rateLimit":10000},"features":["UsagePlans"],"apiKeyVersion":"4"`
	wantJSON(t, "get", b.want(200, "GET", "/account", ""), `{`+limit+`}`)
	wantJSON(t, "update", b.want(200, "PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::1:role/r"}]}`),
		`{"cloudwatchRoleArn":"arn:aws:iam::1:role/r",`+limit+`}`)
	b.want(200, "PATCH", "/account", `{"patchOperations":[{"op":"remove","path":"/cloudwatchRoleArn"}]}`)
	wantJSON(t, "removed", b.want(200, "GET", "/account", ""), `{`+limit+`}`)
	b.wantError("PATCH", "/account", `{"patchOperations":[{"op":"replace","path":"/x","value":""}]}`, 400, CodeBadRequest,
		"Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn, /features]")
	b.wantError("PATCH", "/account", `{"patchOperations":[{"op":"add","path":"/features","value":"UsagePlans"}]}`, 400, CodeBadRequest, "/features of UpdateAccount is not supported yet")
}

func TestPaging(t *testing.T) {
	b := newBench(t)
	for i := range 60 {
		b.want(201, "POST", "/restapis", fmt.Sprintf(`{"name":"api %d"}`, i))
	}
	for limit, sizes := range map[string][]int{"": {25, 25, 10}, "limit=60&": {60}, "limit=40&": {40, 20}, "limit=9999&": {60}} {
		seen, position := map[string]bool{}, ""
		for i, size := range sizes {
			page := b.want(200, "GET", "/restapis?"+limit+"position="+position, "")
			items := page["item"].([]any)
			if len(items) != size {
				t.Errorf("limit %q page %d has %d items, want %d", limit, i, len(items), size)
			}
			for _, it := range items {
				seen[it.(map[string]any)["id"].(string)] = true
			}
			position, _ = page["position"].(string)
			if (position == "") != (i == len(sizes)-1) {
				t.Errorf("limit %q page %d: position %q", limit, i, position)
			}
		}
		if len(seen) != 60 {
			t.Errorf("limit %q: %d different APIs", limit, len(seen))
		}
	}
	b.wantError("GET", "/restapis?limit=0", "", 400, CodeBadRequest, "Invalid limit: 0. It must be a number from 1 to 500")
	b.wantError("GET", "/restapis?position=*", "", 400, CodeBadRequest, "Invalid position: *")
}

func TestImportAndPut(t *testing.T) {
	b := newBench(t)
	made := b.want(201, "POST", "/restapis?mode=import&endpointConfigurationTypes=REGIONAL&ignore=documentation", petstore)
	wantJSON(t, "import", made, `{"id":"*","name":"petstore","description":"pets","version":"1.0","createdDate":1795348800,"apiKeySource":"HEADER",
		"endpointConfiguration":{"types":["REGIONAL"],"ipAddressType":"ipv4"},"disableExecuteApiEndpoint":false,"rootResourceId":"*"}`)
	id := made["id"].(string)
	before := b.gateway.Catalog().APIs[id]

	other := `{"openapi":"3.0.1","info":{"title":"second","version":"2"},"paths":{
		"/pets":{"post":{"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\"statusCode\":200}"},"responses":{"default":{"statusCode":"200"}}}}},
		"/toys/{toy}":{"get":{"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"GET","uri":"http://127.0.0.1:9999/"}}}}}`
	put := b.want(200, "PUT", "/restapis/"+id+"?mode=merge", other)
	if put["name"] != "second" || put["version"] != "2" || put["rootResourceId"] != made["rootResourceId"] || put["description"] != "pets" {
		t.Errorf("merged API: %v", put)
	}
	merged := b.gateway.Catalog().APIs[id].Body
	if got := shape(merged); got != "/ /pets[GET POST] /pets/{id}[GET] /toys /toys/{toy}[GET]" {
		t.Errorf("merged: %s", got)
	}
	checkTree(t, merged)
	if merged.Revision == before.Body.Revision || merged.EndpointType != "REGIONAL" {
		t.Errorf("revision or endpoint type: %+v", merged)
	}
	if shape(before.Body) != "/ /pets[GET] /pets/{id}[GET]" {
		t.Errorf("the body from before changed: %s", shape(before.Body))
	}

	put = b.want(200, "PUT", "/restapis/"+id+"?mode=overwrite", other)
	over := b.gateway.Catalog().APIs[id].Body
	if got := shape(over); got != "/ /pets[POST] /toys /toys/{toy}[GET]" || put["rootResourceId"] != made["rootResourceId"] {
		t.Errorf("overwritten: %s", got)
	}
	checkTree(t, over)
	b.want(200, "PUT", "/restapis/"+id, other) // merge is the default, and changes nothing here
	if b.gateway.Catalog().APIs[id].Body != over {
		t.Error("the same content became another body")
	}
}

func shape(b *definition.Body) string {
	var parts []string
	for _, r := range b.Resources {
		var verbs []string
		for _, v := range definition.Verbs {
			if r.Methods[v] != nil {
				verbs = append(verbs, v)
			}
		}
		part := r.Path
		if len(verbs) > 0 {
			part += "[" + strings.Join(verbs, " ") + "]"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// checkTree looks whether every resource hangs where its path says.
func checkTree(t *testing.T, b *definition.Body) {
	t.Helper()
	paths := map[string]string{}
	for _, r := range b.Resources {
		if r.ID == "" || paths[r.ID] != "" {
			t.Errorf("id %q of %s", r.ID, r.Path)
		}
		paths[r.ID] = r.Path
	}
	for _, r := range b.Resources {
		if r.Path == "/" {
			continue
		}
		if want := strings.TrimSuffix(paths[r.ParentID], "/") + "/" + r.PathPart; want != r.Path {
			t.Errorf("%s hangs at %s", r.Path, want)
		}
	}
}

func TestResourcesWithMethods(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	list := b.want(200, "GET", "/restapis/"+id+"/resources?embed=methods", "")["item"].([]any)
	if len(list) != 3 {
		t.Fatalf("resources: %v", list)
	}
	one := list[2].(map[string]any)
	wantJSON(t, "resource", one, `{"id":"*","parentId":"*","pathPart":"{id}","path":"/pets/{id}","resourceMethods":{"GET":{"httpMethod":"GET","authorizationType":"NONE","apiKeyRequired":false,
		"requestParameters":{"method.request.path.id":true},"methodResponses":{"200":{"statusCode":"200"}},
		"methodIntegration":{"type":"HTTP_PROXY","httpMethod":"GET","uri":"http://127.0.0.1:9999/pets/{id}","connectionType":"INTERNET","requestParameters":{"integration.request.path.id":"method.request.path.id"},
		"passthroughBehavior":"WHEN_NO_MATCH","timeoutInMillis":29000,"cacheNamespace":"`+one["id"].(string)+`","cacheKeyParameters":[]}}}}`)
	wantJSON(t, "one, bare", b.want(200, "GET", "/restapis/"+id+"/resources/"+one["id"].(string), ""),
		`{"id":"*","parentId":"*","pathPart":"{id}","path":"/pets/{id}","resourceMethods":{"GET":{}}}`)
}

func TestOwnOperations(t *testing.T) {
	b := newBench(t)
	if st := b.want(200, "GET", "/tidegate/status", ""); st["state"] != "ready" || st["version"] != "test" {
		t.Errorf("status: %v", st)
	}
	wantJSON(t, "version", b.want(200, "GET", "/tidegate/version", ""), `{"version":"test"}`)
	wantJSON(t, "validate", b.want(200, "POST", "/tidegate/validate", petstore), `{"valid":true,"name":"petstore","resources":3,"methods":2}`)
	bad := b.want(200, "POST", "/tidegate/validate", strings.Replace(petstore, "http_proxy", "carrier_pigeon", 1))
	if bad["valid"] != false || len(bad["problems"].([]any)) == 0 || !strings.Contains(fmt.Sprint(bad["problems"]), "/pets") {
		t.Errorf("validate: %v", bad)
	}
	if len(b.gateway.Catalog().APIs) != 0 {
		t.Error("validate made an API")
	}
	wantJSON(t, "drain", b.want(202, "POST", "/tidegate/drain", ""), `{"state":"draining"}`)
	<-b.gateway.drained
}

func TestUpdatesAreAudited(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.want(202, "DELETE", "/restapis/"+id, "")
	b.wantError("DELETE", "/restapis/"+id, "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:"+id)
	b.want(200, "GET", "/restapis", "")
	log := b.log.String()
	for _, want := range []string{"operation=ImportRestApi", "made=" + id, "operation=DeleteRestApi api=" + id + " status=202 result=ok", "uid=", "status=404 result=\"NotFoundException"} {
		if !strings.Contains(log, want) {
			t.Errorf("log has no %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "GetRestApis") {
		t.Errorf("reads are logged:\n%s", log)
	}
}

func TestCompilationErrorIsTheCallers(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.gateway.refuse = errCompile
	b.wantError("POST", "/restapis/"+id+"/deployments", `{"stageName":"prod"}`, 400, CodeBadRequest, errCompile.Error())
	b.gateway.refuse = fmt.Errorf("write state file: disk full")
	b.wantError("POST", "/restapis/"+id+"/deployments", `{"stageName":"prod"}`, 500, CodeInternalError, "The operation failed and nothing was changed: write state file: disk full")
}
