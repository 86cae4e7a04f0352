package control

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// cached is a method setting as AWS prints it, with the account's limits and the
// members of change in place of the defaults.
func cached(t *testing.T, change string) string {
	t.Helper()
	all := map[string]any{}
	for _, text := range []string{setting(5000, 10000), "{" + change + "}"} {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// TestCacheCluster has a stage's cache switched on and off in each way there is.
func TestCacheCluster(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	d := b.deployed(id, "prod")
	api := "/restapis/" + id
	cache := func(what, stage, enabled, size, status string) {
		t.Helper()
		st := b.want(200, "GET", api+"/stages/"+stage, "")
		got := map[string]any{}
		for k, v := range st {
			if strings.HasPrefix(k, "cache") {
				got[k] = v
			}
		}
		want := `{"cacheClusterEnabled":` + enabled + `,"cacheClusterStatus":"` + status + `"`
		if size != "" {
			want += `,"cacheClusterSize":"` + size + `"`
		}
		wantJSON(t, what, got, want+"}")
	}
	cache("a new stage", "prod", "false", "", "NOT_AVAILABLE")
	b.want(200, "PATCH", api+"/stages/prod", patchOf("replace", "/cacheClusterEnabled", "true"))
	cache("enabled without a size", "prod", "true", "0.5", "AVAILABLE")
	b.want(200, "PATCH", api+"/stages/prod", patchOf("replace", "/cacheClusterSize", "237"))
	cache("another size", "prod", "true", "237", "AVAILABLE")
	b.want(200, "PATCH", api+"/stages/prod", patchOf("replace", "/cacheClusterEnabled", "False"))
	cache("disabled", "prod", "false", "", "NOT_AVAILABLE")
	b.want(200, "PATCH", api+"/stages/prod", patchOf("add", "/cacheClusterEnabled", "True"))
	cache("enabled again", "prod", "true", "237", "AVAILABLE")
	b.deployed(id, "prod")
	cache("deployed again", "prod", "true", "237", "AVAILABLE")
	b.want(201, "POST", api+"/deployments", `{"stageName":"prod","cacheClusterEnabled":true,"cacheClusterSize":"118"}`)
	cache("deployed with a size", "prod", "true", "118", "AVAILABLE")
	b.want(201, "POST", api+"/deployments", `{"stageName":"prod","cacheClusterEnabled":false}`)
	cache("deployed without", "prod", "false", "", "NOT_AVAILABLE")
	b.want(201, "POST", api+"/deployments", `{"stageName":"test","cacheClusterEnabled":true}`)
	cache("a stage of a deployment", "test", "true", "0.5", "AVAILABLE")
	b.want(201, "POST", api+"/deployments", `{"cacheClusterEnabled":false}`)
	for _, size := range definition.CacheSizes {
		made := b.want(201, "POST", api+"/stages", `{"stageName":"s","deploymentId":"`+d+`","cacheClusterEnabled":true,"cacheClusterSize":"`+size+`"}`)
		if made["cacheClusterSize"] != size || made["cacheClusterStatus"] != "AVAILABLE" {
			t.Errorf("made with %s: %v", size, made)
		}
		b.want(202, "DELETE", api+"/stages/s", "")
	}
	b.want(201, "POST", api+"/stages", `{"stageName":"s","deploymentId":"`+d+`","cacheClusterSize":"1.6"}`)
	cache("a size alone", "s", "false", "", "NOT_AVAILABLE")

	for _, tt := range [][2]string{
		{patchOf("replace", "/cacheClusterSize", "1"), "Invalid cache cluster size: 1. Must be one of: [0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118, 237]"},
		{patchOf("replace", "/cacheClusterSize", ""), "Invalid cache cluster size: . Must be one of: [0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118, 237]"},
		{patchOf("remove", "/cacheClusterSize", ""), "Invalid patch operation specified. Must be one of: [add, replace]"},
		{patchOf("replace", "/cacheClusterEnabled", "on"), "Invalid value for /cacheClusterEnabled: it must be true or false"},
	} {
		b.wantError("PATCH", api+"/stages/prod", tt[0], 400, CodeBadRequest, tt[1])
	}
}

// TestCachingOfMethods has the caching leaves of method settings. In AWS's
// recordings too caching is off until it is asked for, and a setting that comes
// later is a full copy of the one for all methods.
func TestCachingOfMethods(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	settings := func(what, want string, ops ...string) {
		t.Helper()
		b.want(200, "PATCH", stage, patchOf(ops...))
		wantJSON(t, what, b.want(200, "GET", stage, "")["methodSettings"].(map[string]any), want)
	}
	const on = `"cachingEnabled":true`
	settings("throttling caches nothing", `{"*/*":`+cached(t, `"throttlingBurstLimit":123`)+`}`, "replace", "/*/*/throttling/burstLimit", "123")
	settings("as it was recorded", `{"*/*":`+cached(t, `"throttlingBurstLimit":123,`+on)+`,"test/GET":`+cached(t, `"throttlingBurstLimit":124,`+on)+`}`,
		"replace", "/*/*/caching/enabled", "true", "replace", "/test/GET/throttling/burstLimit", "124")
	settings("the one for all methods changes no other", `{"*/*":`+cached(t, `"cacheTtlInSeconds":5,"cacheDataEncrypted":true`)+`,"test/GET":`+cached(t, `"throttlingBurstLimit":124,`+on)+`}`,
		"replace", "/*/*/caching/enabled", "false", "replace", "/*/*/caching/ttlInSeconds", "5", "add", "/*/*/caching/dataEncrypted", "TRUE", "replace", "/*/*/throttling/burstLimit", "-1")
	settings("removed", `{}`, "remove", "/*/*", "", "remove", "/test/GET", "")
	settings("the rest of the leaves", `{"~1pets~1{id}/GET":`+cached(t, `"cacheTtlInSeconds":3600,"requireAuthorizationForCacheControl":false,"unauthorizedCacheControlHeaderStrategy":"FAIL_WITH_403"`)+`}`,
		"replace", "/~1pets~1{id}/GET/caching/ttlInSeconds", "3600",
		"replace", "/pets~1{id}/GET/caching/requireAuthorizationForCacheControl", "false",
		"replace", "/~1pets~1{id}/GET/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403")
	settings("and back", `{"~1pets~1{id}/GET":`+cached(t, `"cacheTtlInSeconds":0,"unauthorizedCacheControlHeaderStrategy":"SUCCEED_WITHOUT_RESPONSE_HEADER"`)+`}`,
		"replace", "/~1pets~1{id}/GET/caching/ttlInSeconds", "0",
		"replace", "/~1pets~1{id}/GET/caching/requireAuthorizationForCacheControl", "true",
		"replace", "/~1pets~1{id}/GET/caching/unauthorizedCacheControlHeaderStrategy", "SUCCEED_WITHOUT_RESPONSE_HEADER")

	const at = "/*/*/caching/"
	for _, tt := range [][2]string{
		{patchOf("replace", at+"ttlInSeconds", "3601"), "Invalid value for /*/*/caching/ttlInSeconds: it must be a whole number of seconds from 0 to 3600"},
		{patchOf("replace", at+"ttlInSeconds", "-1"), "Invalid value for /*/*/caching/ttlInSeconds: it must be a whole number of seconds from 0 to 3600"},
		{patchOf("replace", at+"ttlInSeconds", "1.5"), "Invalid value for /*/*/caching/ttlInSeconds: it must be a whole number of seconds from 0 to 3600"},
		{patchOf("replace", at+"enabled", "yes"), "Invalid value for /*/*/caching/enabled: it must be true or false"},
		{patchOf("replace", at+"dataEncrypted", ""), "Invalid value for /*/*/caching/dataEncrypted: it must be true or false"},
		{patchOf("replace", at+"requireAuthorizationForCacheControl", "2"), "Invalid value for /*/*/caching/requireAuthorizationForCacheControl: it must be true or false"},
		{patchOf("replace", at+"unauthorizedCacheControlHeaderStrategy", "FAIL"), "Invalid value for /*/*/caching/unauthorizedCacheControlHeaderStrategy: it must be one of FAIL_WITH_403, SUCCEED_WITH_RESPONSE_HEADER, SUCCEED_WITHOUT_RESPONSE_HEADER"},
		{patchOf("remove", at+"enabled", ""), "Invalid patch operation specified. Must be one of: [add, replace]"},
		{patchOf("replace", "/pets/get/caching/enabled", "true"), "Invalid method setting path: /pets/get/caching/enabled. Must be one of: [" + stagePaths + "]"},
		{patchOf("replace", at+"colour", "true"), "Invalid method setting path: /*/*/caching/colour. Must be one of: [" + stagePaths + "]"},
		{patchOf("replace", at+"enabled", "true", "replace", "/*/*/metrics/enabled", "true"), "/*/*/metrics/enabled of UpdateStage is not supported yet"},
	} {
		b.wantError("PATCH", stage, tt[0], 400, CodeBadRequest, tt[1])
	}
}

// TestOnlyGETInheritsCaching: a limit on POST must not have POST cached because
// the stage caches by default.
func TestOnlyGETInheritsCaching(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	const on = `"cachingEnabled":true,"cacheTtlInSeconds":60`
	b.want(200, "PATCH", stage, patchOf("replace", "/*/*/caching/enabled", "true", "replace", "/*/*/caching/ttlInSeconds", "60"))
	answer := b.want(200, "PATCH", stage, patchOf("replace", "/pets/GET/throttling/burstLimit", "5", "replace", "/pets/POST/throttling/burstLimit", "5",
		"replace", "/pets/ANY/throttling/burstLimit", "5", "replace", "/pets/HEAD/throttling/burstLimit", "5", "replace", "/pets/PUT/caching/enabled", "true"))
	off := cached(t, `"cacheTtlInSeconds":60,"throttlingBurstLimit":5`)
	wantJSON(t, "copies", answer["methodSettings"].(map[string]any), `{"*/*":`+cached(t, on)+`,"pets/GET":`+cached(t, on+`,"throttlingBurstLimit":5`)+
		`,"pets/POST":`+off+`,"pets/ANY":`+off+`,"pets/HEAD":`+off+`,"pets/PUT":`+cached(t, on)+`}`)

	// By RFC 9111 a response says itself whether it may be stored.
	answer = b.want(200, "PATCH", stage, patchOf("remove", "/pets/POST", "", "replace", "/x-tidegate-cache-mode", "standard", "replace", "/pets/POST/throttling/burstLimit", "5"))
	wantJSON(t, "a copy in mode standard", answer["methodSettings"].(map[string]any)["pets/POST"].(map[string]any), cached(t, on+`,"throttlingBurstLimit":5`))
}

// TestPatchesChangeNoCatalog: readers hold the catalog of before.
func TestPatchesChangeNoCatalog(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	b.want(200, "PATCH", stage, patchOf("replace", "/*/*/caching/enabled", "true"))
	before := b.gateway.Catalog().Stages[definition.StageKey{APIID: id, Stage: "prod"}].MethodSettings[definition.AllMethods]
	b.want(200, "PATCH", stage, patchOf("replace", "/*/*/caching/ttlInSeconds", "7", "replace", "/pets/GET/caching/enabled", "false"))
	if want := (definition.CacheSetting{Enabled: true, TTLSeconds: 300}); *before.Caching != want {
		t.Errorf("the setting of before is %+v", *before.Caching)
	}
}

func TestCacheMode(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	for _, tt := range []struct {
		op, value string
		want      any
	}{{"replace", "standard", "standard"}, {"replace", "aws", nil}, {"add", "standard", "standard"}, {"remove", "", nil}} {
		if st := b.want(200, "PATCH", stage, patchOf(tt.op, "/x-tidegate-cache-mode", tt.value)); st["x-tidegate-cache-mode"] != tt.want {
			t.Errorf("%s %s: %v", tt.op, tt.value, st)
		}
	}
	b.wantError("PATCH", stage, patchOf("replace", "/x-tidegate-cache-mode", "fast"), 400, CodeBadRequest, "Invalid value for /x-tidegate-cache-mode: it must be aws or standard")
	b.wantError("PATCH", stage, patchOf("copy", "/x-tidegate-cache-mode", ""), 400, CodeBadRequest,
		"Invalid copy operation with path: /x-tidegate-cache-mode and from . Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]")
}

func TestMaxInFlight(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	stage := "/restapis/" + id + "/stages/prod"
	for _, tt := range []struct {
		op, value string
		want      any
	}{{"replace", "200", 200.0}, {"add", "1", 1.0}, {"remove", "", nil}} {
		if st := b.want(200, "PATCH", stage, patchOf(tt.op, "/x-tidegate-max-in-flight", tt.value)); st["x-tidegate-max-in-flight"] != tt.want {
			t.Errorf("%s %s: %v", tt.op, tt.value, st)
		}
	}
	for _, value := range []string{"0", "-1", "many", "1.5", "1048577"} {
		b.wantError("PATCH", stage, patchOf("replace", "/x-tidegate-max-in-flight", value), 400, CodeBadRequest,
			"Invalid value for x-tidegate-max-in-flight: it must be a number of requests from 1 to 1048576")
	}
}

func TestFlushStageCache(t *testing.T) {
	b := newBench(t)
	id := b.imported()
	b.deployed(id, "prod")
	data := "/restapis/" + id + "/stages/prod/cache/data"
	if a := b.call("DELETE", data, ""); a.status != 202 || a.body != "" {
		t.Errorf("flush: %+v", a)
	}
	if want := []string{id + ":prod"}; !slices.Equal(b.gateway.flushed, want) {
		t.Errorf("flushed %v, want %v", b.gateway.flushed, want)
	}
	if log := b.log.String(); !strings.Contains(log, "operation=FlushStageCache") || !strings.Contains(log, "stage=prod") {
		t.Errorf("log: %s", log)
	}
	b.wantError("DELETE", "/restapis/"+id+"/stages/none/cache/data", "", 404, CodeNotFound, "Invalid Stage identifier specified")
	b.wantError("DELETE", "/restapis/none/stages/prod/cache/data", "", 404, CodeNotFound, "Invalid API identifier specified 000000000000:none")
	b.gateway.refuse = errors.New("disk on fire")
	b.wantError("DELETE", data, "", 500, CodeInternalError, "The operation failed and nothing was changed: disk on fire")
}

func TestStatusOfCaches(t *testing.T) {
	b := newBench(t)
	if text := b.call("GET", "/tidegate/status", "").body; strings.Contains(text, "caches") {
		t.Errorf("without caches: %s", text)
	}
	b.gateway.caches = []CacheStatus{{APIID: "a", APIName: "pets", Stage: "prod", Mode: "aws", Size: "0.5", Hits: 3, Misses: 1, Stale: 2, HitRatio: 0.75,
		Entries: 4, Bytes: 5, MaxBytes: 6, EvictedBytes: 7}, {APIID: "b", APIName: "birds", Stage: "test"}, {APIID: "b", APIName: "birds", Stage: "prod"}}
	text := b.call("GET", "/tidegate/status", "").body
	const want = `{"apiId":"a","apiName":"pets","stage":"prod","mode":"aws","size":"0.5","hits":3,"misses":1,"stale":2,"hitRatio":0.75,"entries":4,"bytes":5,"maxBytes":6,"evictedBytes":7}]`
	if !strings.Contains(text, want) {
		t.Errorf("status %s\nlacks %s", text, want)
	}
	c := Dial(b.socket)
	defer c.Close()
	list, err := c.Caches(t.Context())
	if err != nil || len(list) != 3 || list[0].Stage != "prod" || list[1].Stage != "test" || list[2] != b.gateway.caches[0] {
		t.Errorf("caches: %+v %v", list, err)
	}
}

// TestIntegrationShowsCacheKey: what a document says, or the resource's id.
func TestIntegrationShowsCacheKey(t *testing.T) {
	b := newBench(t)
	keyed := strings.Replace(petstore, `"uri": "http://127.0.0.1:9999/pets/{id}",`, `"uri": "http://127.0.0.1:9999/pets/{id}",
		"cacheNamespace": "pets", "cacheKeyParameters": ["method.request.path.id", "integration.request.path.id"],`, 1)
	id := b.want(201, "POST", "/restapis?mode=import", keyed)["id"].(string)
	list := b.want(200, "GET", "/restapis/"+id+"/resources?embed=methods", "")["item"].([]any)
	integration := func(i int) map[string]any {
		return list[i].(map[string]any)["resourceMethods"].(map[string]any)["GET"].(map[string]any)["methodIntegration"].(map[string]any)
	}
	if in := integration(1); in["cacheNamespace"] != list[1].(map[string]any)["id"] || len(in["cacheKeyParameters"].([]any)) != 0 {
		t.Errorf("without a key: %v", in)
	}
	if in := integration(2); in["cacheNamespace"] != "pets" || !reflect.DeepEqual(in["cacheKeyParameters"], []any{"method.request.path.id", "integration.request.path.id"}) {
		t.Errorf("with a key: %v", in)
	}
}
