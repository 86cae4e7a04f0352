package control

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestDouble(t *testing.T) {
	for v, want := range map[Double]string{0: "0.0", 2: "2.0", 10000: "10000.0", 0.25: "0.25", 1e9: "1000000000.0", 1234.5: "1234.5"} {
		if text, err := json.Marshal(v); err != nil || string(text) != want {
			t.Errorf("%g: %s %v, want %s", float64(v), text, err, want)
		}
	}
	var back Double
	if err := json.Unmarshal([]byte("2.0"), &back); err != nil || back != 2 {
		t.Errorf("read back: %g %v", float64(back), err)
	}
}

// setting is a method setting as AWS prints it.
func setting(burst int, rate float64) string {
	return fmt.Sprintf(`{"throttlingBurstLimit":%d,"throttlingRateLimit":%g,"cacheTtlInSeconds":300,"cachingEnabled":false,"cacheDataEncrypted":false,"dataTraceEnabled":false,
		"metricsEnabled":false,"requireAuthorizationForCacheControl":true,"unauthorizedCacheControlHeaderStrategy":"SUCCEED_WITH_RESPONSE_HEADER"}`, burst, rate)
}

func TestMethodThrottle(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	settings := func(what, want string, ops ...string) {
		t.Helper()
		b.want(200, "PATCH", stage, patchOf(ops...))
		wantJSON(t, what, b.want(200, "GET", stage, "")["methodSettings"].(map[string]any), want)
	}
	settings("a burst", `{"test/GET":`+setting(124, 10000)+`}`, "replace", "/test/GET/throttling/burstLimit", "124")
	if a := b.call("GET", stage, ""); !strings.Contains(a.body, `"throttlingRateLimit":10000.0`) {
		t.Errorf("a rate is not printed as a double: %s", a.body)
	}
	settings("for all methods", `{"test/GET":`+setting(124, 10000)+`,"*/*":`+setting(123, 10)+`}`,
		"replace", "/*/*/throttling/burstLimit", "123", "add", "/*/*/throttling/rateLimit", "10")
	settings("a new one is a copy of the one for all", `{"test/GET":`+setting(124, 10000)+`,"*/*":`+setting(100, 10)+`,"~1pets~1{id}/GET":`+setting(123, 0.5)+`}`,
		"replace", "/~1pets~1{id}/GET/throttling/rateLimit", "0.5", "replace", "/*/*/throttling/burstLimit", "100")
	settings("the first slash may be left out", `{"test/GET":`+setting(7, 10000)+`,"*/*":`+setting(100, 10)+`,"~1pets~1{id}/GET":`+setting(123, 2)+`}`,
		"replace", "/pets~1{id}/GET/throttling/rateLimit", "2", "replace", "/~1test/GET/throttling/burstLimit", "7")
	settings("removed", `{"~1pets~1{id}/GET":`+setting(123, 2)+`,"~1/ANY":`+setting(5000, 0)+`}`,
		"remove", "/*/*", "", "remove", "/~1test/GET", "", "replace", "/~1/ANY/throttling/rateLimit", "0")
	settings("inherited again", `{"~1pets~1{id}/GET":`+setting(5000, 10000)+`,"~1/ANY":`+setting(5000, 0)+`}`,
		"replace", "/pets~1{id}/GET/throttling/rateLimit", "-1.0", "replace", "/pets~1{id}/GET/throttling/burstLimit", "-1")
	b.want(200, "PATCH", "/account", patchOf("replace", "/throttle/rateLimit", "600"))
	settings("the account's limit is another", `{"~1/ANY":`+setting(300, 0)+`}`, "remove", "/pets~1{id}/GET", "")
	settings("none", `{}`, "remove", "/~1/ANY", "")

	for _, tt := range [][2]string{
		{patchOf("remove", "/*/*", ""), "Cannot remove method setting */* because there is no method setting for this method "},
		{patchOf("remove", "/test/GET", ""), "Cannot remove method setting test/GET because there is no method setting for this method "},
		{patchOf("remove", "/test/GET/throttling/rateLimit", ""), "Invalid patch operation specified. Must be one of: [add, replace]"},
		{patchOf("replace", "/test/GET/throttling/rateLimit", "fast"), "Invalid value for /test/GET/throttling/rateLimit: it must be a number of requests per second from 0 to 1000000000"},
		{patchOf("replace", "/test/GET/throttling/rateLimit", "-2"), "Invalid value for /test/GET/throttling/rateLimit: it must be a number of requests per second from 0 to 1000000000"},
		{patchOf("replace", "/test/GET/throttling/burstLimit", "1.5"), "Invalid value for /test/GET/throttling/burstLimit: it must be a whole number of requests from 0 to 1073741824"},
		{patchOf("replace", "/test/GET/throttling/burstLimit", ""), "Invalid value for /test/GET/throttling/burstLimit: it must be a whole number of requests from 0 to 1073741824"},
		{patchOf("replace", "/test/get/throttling/burstLimit", "1"), "Invalid method setting path: /test/get/throttling/burstLimit. Must be one of: [" + stagePaths + "]"},
		{patchOf("replace", "/*/GET/throttling/burstLimit", "1"), "Invalid method setting path: /*/GET/throttling/burstLimit. Must be one of: [" + stagePaths + "]"},
		{patchOf("replace", "/test/GET/throttling/colour", "1"), "Invalid method setting path: /test/GET/throttling/colour. Must be one of: [" + stagePaths + "]"},
		{patchOf("replace", "/test/GET/throttling/rateLimit", "1", "replace", "/test/GET/logging/loglevel", "INFO"), "/test/GET/logging/loglevel of UpdateStage is not supported yet"},
	} {
		b.wantError("PATCH", stage, tt[0], 400, CodeBadRequest, tt[1])
	}
}

func TestOwnStageSettings(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	patched := func(ops ...string) string {
		t.Helper()
		b.want(200, "PATCH", stage, patchOf(ops...))
		return b.call("GET", stage, "").body
	}
	if text := b.call("GET", stage, "").body; strings.Contains(text, "x-tidegate") {
		t.Errorf("a new stage: %s", text)
	}
	text := patched("replace", "/x-tidegate-throttle/rateLimit", "50", "add", "/x-tidegate-throttle/burstLimit", "20",
		"replace", "/x-tidegate-guaranteed-rate", "5", "replace", "/x-tidegate-rate-limit-headers", "false")
	if want := `"x-tidegate-throttle":{"burstLimit":20,"rateLimit":50.0},"x-tidegate-guaranteed-rate":5.0,"x-tidegate-rate-limit-headers":false}`; !strings.HasSuffix(text, want) {
		t.Errorf("%s\nshould end in %s", text, want)
	}
	text = patched("remove", "/x-tidegate-throttle/rateLimit", "", "replace", "/x-tidegate-guaranteed-rate", "0", "replace", "/x-tidegate-rate-limit-headers", "true")
	if want := `"x-tidegate-throttle":{"burstLimit":20},"x-tidegate-guaranteed-rate":0.0}`; !strings.HasSuffix(text, want) {
		t.Errorf("%s\nshould end in %s", text, want)
	}
	b.want(200, "PATCH", stage, patchOf("replace", "/x-tidegate-rate-limit-headers", "false"))
	if text = patched("remove", "/x-tidegate-throttle", "", "remove", "/x-tidegate-guaranteed-rate", "", "remove", "/x-tidegate-rate-limit-headers", ""); strings.Contains(text, "x-tidegate") {
		t.Errorf("after all was removed: %s", text)
	}
	if text = patched("replace", "/x-tidegate-priority", "low"); !strings.HasSuffix(text, `"x-tidegate-priority":"low"}`) {
		t.Errorf("a priority: %s", text)
	}
	if text = patched("remove", "/x-tidegate-priority", ""); strings.Contains(text, "x-tidegate") {
		t.Errorf("a priority that was removed: %s", text)
	}
	if api := b.want(200, "PATCH", "/restapis/"+id, patchOf("replace", "/x-tidegate-priority", "high")); api["x-tidegate-priority"] != "high" {
		t.Errorf("the priority of an API: %v", api)
	}
	const number = ": it must be a number of requests per second from 0 to 1000000000"
	for _, tt := range [][2]string{
		{patchOf("replace", "/x-tidegate-throttle", "5"), "Invalid patch operation specified. Must be one of: [remove]"},
		{patchOf("replace", "/x-tidegate-throttle/rateLimit", "-1"), "Invalid value for /x-tidegate-throttle/rateLimit" + number},
		{patchOf("replace", "/x-tidegate-guaranteed-rate", "some"), "Invalid value for /x-tidegate-guaranteed-rate" + number},
		{patchOf("replace", "/x-tidegate-rate-limit-headers", "some"), "Invalid value for /x-tidegate-rate-limit-headers: it must be true or false"},
		{patchOf("replace", "/x-tidegate-priority", "urgent"), `Invalid value for /x-tidegate-priority: "urgent" is no priority; use low, normal or high`},
		{patchOf("replace", "/x-tidegate-magic", "1"), "Invalid patch path  '/x-tidegate-magic' specified for op 'replace'. Must be one of: [/x-tidegate-throttle, /x-tidegate-throttle/rateLimit, /x-tidegate-throttle/burstLimit, /x-tidegate-guaranteed-rate, /x-tidegate-rate-limit-headers, /x-tidegate-cache-mode, /x-tidegate-max-in-flight, /x-tidegate-priority, /x-tidegate-web-acl]"},
	} {
		b.wantError("PATCH", stage, tt[0], 400, CodeBadRequest, tt[1])
	}
}

func TestAccountThrottle(t *testing.T) {
	b := newBench(t)
	limit := func(want string, ops ...string) {
		t.Helper()
		b.want(200, "PATCH", "/account", patchOf(ops...))
		if text := b.call("GET", "/account", "").body; text != `{"throttleSettings":`+want+`,"features":["UsagePlans"],"apiKeyVersion":"4"}` {
			t.Errorf("%v: %s", ops, text)
		}
	}
	limit(`{"burstLimit":500,"rateLimit":1000.0}`, "replace", "/throttle/rateLimit", "1000")
	if th := b.gateway.Catalog().Account.Throttle; th.BurstLimit != nil {
		t.Errorf("the rate set a burst of %d", *th.BurstLimit)
	}
	limit(`{"burstLimit":20,"rateLimit":1000.0}`, "add", "/throttle/burstLimit", "20")
	limit(`{"burstLimit":20,"rateLimit":10000.0}`, "remove", "/throttle/rateLimit", "")
	limit(`{"burstLimit":5000,"rateLimit":10000.0}`, "remove", "/throttle/burstLimit", "")
	if th := b.gateway.Catalog().Account.Throttle; th != nil {
		t.Errorf("after all was removed: %+v", th)
	}
	for _, tt := range [][2]string{
		{patchOf("replace", "/throttle/rateLimit", "0"), "Invalid value for /throttle/rateLimit: it must be more than 0"},
		{patchOf("replace", "/throttle/burstLimit", "0"), "Invalid value for /throttle/burstLimit: it must be more than 0"},
		{patchOf("replace", "/throttle/rateLimit", "-5"), "Invalid value for /throttle/rateLimit: it must be a number of requests per second from 0 to 1000000000"},
		{patchOf("replace", "/throttle/burstLimit", "x"), "Invalid value for /throttle/burstLimit: it must be a whole number of requests from 0 to 1073741824"},
		{patchOf("copy", "/throttle/burstLimit", "1"), "Invalid patch operation specified. Must be one of: [add, replace, remove]"},
	} {
		b.wantError("PATCH", "/account", tt[0], 400, CodeBadRequest, tt[1])
	}
}

func TestAPIKeySourceAndGuaranteedRate(t *testing.T) {
	b := newBench(t)
	made := b.want(201, "POST", "/restapis", `{"name":"x","apiKeySource":"AUTHORIZER"}`)
	if made["apiKeySource"] != "AUTHORIZER" {
		t.Errorf("made: %v", made)
	}
	id := made["id"].(string)
	body := b.gateway.Catalog().APIs[id].Body
	if body.APIKeySource != "AUTHORIZER" {
		t.Errorf("body: %+v", body)
	}
	patched := b.want(200, "PATCH", "/restapis/"+id, patchOf("replace", "/apiKeySource", "HEADER", "replace", "/x-tidegate-guaranteed-rate", "12.5"))
	if patched["apiKeySource"] != "HEADER" || patched["x-tidegate-guaranteed-rate"] != 12.5 {
		t.Errorf("patched: %v", patched)
	}
	if next := b.gateway.Catalog().APIs[id].Body; next.APIKeySource == "AUTHORIZER" || next.GuaranteedRate != 12.5 || next.Revision == body.Revision {
		t.Errorf("body: %+v", next)
	}
	if patched = b.want(200, "PATCH", "/restapis/"+id, patchOf("remove", "/x-tidegate-guaranteed-rate", "")); patched["x-tidegate-guaranteed-rate"] != nil {
		t.Errorf("patched: %v", patched)
	}
	other := b.want(201, "POST", "/restapis", `{"name":"y"}`)["id"].(string)
	before := b.gateway.Catalog().APIs[other].Body
	b.want(200, "PATCH", "/restapis/"+other, patchOf("replace", "/apiKeySource", "HEADER"))
	if b.gateway.Catalog().APIs[other].Body != before {
		t.Error("saying the usual source made another body")
	}
}

// TestImportOfKeySettings has what a document says about keys and rates.
func TestImportOfKeySettings(t *testing.T) {
	b := newBench(t)
	keyed := strings.Replace(petstore, `"paths": {`, `"x-amazon-apigateway-api-key-source": "AUTHORIZER", "x-tidegate-guaranteed-rate": 7,
		"components": {"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}, "paths": {`, 1)
	keyed = strings.Replace(keyed, `"get": {"responses"`, `"get": {"security": [{"api_key": []}], "responses"`, 1)
	made := b.want(201, "POST", "/restapis?mode=import", keyed)
	if made["apiKeySource"] != "AUTHORIZER" || made["x-tidegate-guaranteed-rate"] != 7.0 {
		t.Errorf("imported: %v", made)
	}
	id := made["id"].(string)
	d := b.deployed(id, "prod")
	if frozen := b.gateway.Catalog().APIs[id].Body; frozen.APIKeySource != "AUTHORIZER" || frozen.GuaranteedRate != 7 {
		t.Errorf("body: %+v", frozen)
	}
	wantJSON(t, "summary", b.want(200, "GET", "/restapis/"+id+"/deployments/"+d+"?embed=apisummary", "")["apiSummary"].(map[string]any),
		`{"/pets":{"GET":{"authorizationType":"NONE","apiKeyRequired":true}},"/pets/{id}":{"GET":{"authorizationType":"NONE","apiKeyRequired":false}}}`)
	list := b.want(200, "GET", "/restapis/"+id+"/resources?embed=methods", "")["item"].([]any)
	if m := list[1].(map[string]any)["resourceMethods"].(map[string]any)["GET"].(map[string]any); m["apiKeyRequired"] != true {
		t.Errorf("method: %v", m)
	}
	if merged := b.want(200, "PUT", "/restapis/"+id+"?mode=merge", petstore); merged["apiKeySource"] != "AUTHORIZER" || merged["x-tidegate-guaranteed-rate"] != 7.0 {
		t.Errorf("merged: %v", merged)
	}
	if over := b.want(200, "PUT", "/restapis/"+id+"?mode=overwrite", petstore); over["apiKeySource"] != "HEADER" || over["x-tidegate-guaranteed-rate"] != nil {
		t.Errorf("overwritten: %v", over)
	}
}
