package control

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// plan makes a usage plan with the given members and returns its id.
func (b *bench) plan(members string) string {
	b.Helper()
	if !strings.Contains(members, `"name"`) {
		members = `"name":"plan",` + members
	}
	return b.want(201, "POST", "/usageplans", "{"+members+"}")["id"].(string)
}

func TestUsagePlanLifecycle(t *testing.T) {
	b := newBench(t)
	api := b.imported()
	b.deployed(api, "prod")
	b.deployed(api, "dev")
	names := strings.NewReplacer("API", api)
	made := b.want(201, "POST", "/usageplans", names.Replace(`{"name":"gold","description":"d","tags":{"k":"v"},"throttle":{"burstLimit":1,"rateLimit":2},
		"quota":{"limit":10,"period":"DAY"},"apiStages":[{"apiId":"API","stage":"prod","throttle":{"/pets/GET":{"rateLimit":5},"//GET":{"burstLimit":0}}}]}`))
	wantJSON(t, "create", made, names.Replace(`{"id":"*","name":"gold","description":"d","apiStages":[{"apiId":"API","stage":"prod","throttle":{"/pets/GET":{"rateLimit":5},"//GET":{"burstLimit":0}}}],
		"throttle":{"burstLimit":1,"rateLimit":2},"quota":{"limit":10,"offset":0,"period":"DAY"},"tags":{"k":"v"}}`))
	id := made["id"].(string)
	if len(id) != 6 {
		t.Errorf("id %q", id)
	}
	if a := b.call("GET", "/usageplans/"+id, ""); !strings.Contains(a.body, `"throttle":{"burstLimit":1,"rateLimit":2.0}`) || !strings.Contains(a.body, `"/pets/GET":{"rateLimit":5.0}`) {
		t.Errorf("a rate is not printed as a double: %s", a.body)
	}
	bare := b.want(201, "POST", "/usageplans", `{"name":"bare","throttle":{},"quota":{}}`)
	wantJSON(t, "bare", bare, `{"id":"*","name":"bare","apiStages":[]}`)
	bareID := bare["id"].(string)
	wantJSON(t, "bare, get", b.want(200, "GET", "/usageplans/"+bareID, ""), `{"id":"`+bareID+`","name":"bare","apiStages":[],"tags":{}}`)

	// Build all of it by patches.
	built := b.want(200, "PATCH", "/usageplans/"+bareID, names.Replace(patchOf(
		"replace", "/name", "built", "add", "/description", "e", "replace", "/productCode", "p",
		"replace", "/throttle/rateLimit", "200", "replace", "/throttle/burstLimit", "100",
		"replace", "/quota/limit", "5000", "replace", "/quota/period", "MONTH", "replace", "/quota/offset", "7",
		"add", "/apiStages", "API:prod", "add", "/apiStages", "API:dev",
		"replace", "/apiStages/API:prod/throttle/~1pets~1{id}/GET/rateLimit", "0.5",
		"add", "/apiStages/API:prod/throttle/~1pets~1{id}/GET/burstLimit", "3",
		"replace", "/apiStages/API:prod/throttle/~1/ANY/burstLimit", "4",
		"replace", "/apiStages/API:prod/throttle//pets/GET/rateLimit", "6", // as Terraform writes it
	)))
	wantJSON(t, "built", built, names.Replace(`{"id":"`+bareID+`","name":"built","description":"e","productCode":"p","throttle":{"burstLimit":100,"rateLimit":200},
		"quota":{"limit":5000,"offset":7,"period":"MONTH"},"tags":{},"apiStages":[{"apiId":"API","stage":"prod","throttle":
		{"/pets/{id}/GET":{"rateLimit":0.5,"burstLimit":3},"//ANY":{"burstLimit":4},"/pets/GET":{"rateLimit":6}}},{"apiId":"API","stage":"dev"}]}`))

	list := b.want(200, "GET", "/usageplans", "")["item"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["tags"] == nil == (list[1].(map[string]any)["tags"] == nil) {
		t.Errorf("list: %v", list)
	}

	// And take it apart.
	wantJSON(t, "taken apart", b.want(200, "PATCH", "/usageplans/"+bareID, names.Replace(patchOf(
		"remove", "/apiStages/API:prod/throttle/~1pets~1{id}/GET/rateLimit", "", "remove", "/apiStages/API:prod/throttle/~1pets~1{id}/GET/burstLimit", "",
		"remove", "/apiStages/API:prod/throttle/~1/ANY", "", "remove", "/apiStages", "API:dev",
		"remove", "/throttle/rateLimit", "", "remove", "/quota/offset", "", "remove", "/description", "",
	))), names.Replace(`{"id":"`+bareID+`","name":"built","productCode":"p","throttle":{"burstLimit":100},"quota":{"limit":5000,"offset":0,"period":"MONTH"},"tags":{},
		"apiStages":[{"apiId":"API","stage":"prod","throttle":{"/pets/GET":{"rateLimit":6}}}]}`))
	wantJSON(t, "emptied", b.want(200, "PATCH", "/usageplans/"+bareID, names.Replace(patchOf(
		"remove", "/apiStages/API:prod/throttle", "", "remove", "/throttle", "", "remove", "/quota", "", "remove", "/productCode", "",
	))), names.Replace(`{"id":"`+bareID+`","name":"built","tags":{},"apiStages":[{"apiId":"API","stage":"prod"}]}`))

	b.wantError("DELETE", "/usageplans/"+bareID, "", 400, CodeBadRequest, "Cannot delete Usage Plan "+bareID+" because there are API Stages associated with it: "+api+":prod")
	b.want(200, "PATCH", "/usageplans/"+bareID, patchOf("remove", "/apiStages", api+":prod"))
	b.want(202, "DELETE", "/usageplans/"+bareID, "")
	b.wantError("GET", "/usageplans/"+bareID, "", 404, CodeNotFound, "Invalid Usage Plan ID specified")
}

func TestUsagePlanRefusals(t *testing.T) {
	b := newBench(t)
	api := b.imported()
	b.deployed(api, "prod")
	id := b.plan(`"apiStages":[{"apiId":"` + api + `","stage":"prod"}]`)
	names := strings.NewReplacer("API Stage", "API Stage", "API Key", "API Key", "API", api, "PLAN", id)
	create := func(members string) string { return `{"name":"x",` + members + `}` }
	const plan = "/usageplans/PLAN"
	const rate = "it must be a number of requests per second from 0 to 1000000000"
	const burst = "it must be a whole number of requests from 0 to 1073741824"
	const quota = "it must be a whole number of requests from 0 to 2147483647"
	const paths = "Must be one of: [/name, /description, /productCode, /throttle, /throttle/rateLimit, /throttle/burstLimit, /quota, /quota/limit, /quota/offset, /quota/period, /apiStages, /apiStages/{apiId}:{stage}/throttle, /apiStages/{apiId}:{stage}/throttle/{resourcePath}/{httpMethod}/rateLimit, /apiStages/{apiId}:{stage}/throttle/{resourcePath}/{httpMethod}/burstLimit]"
	methods := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"/p%d/GET":{"rateLimit":1}`, i))
		}
		return `"apiStages":[{"apiId":"API","stage":"prod","throttle":{` + strings.Join(all, ",") + `}}]`
	}
	b.want(201, "POST", "/usageplans", names.Replace(create(methods(20))))
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		{"POST", "/usageplans", `{}`, 400, CodeValidation, "1 validation error detected: Value null at 'createUsagePlanInput.name' failed to satisfy constraint: Member must not be null"},
		{"POST", "/usageplans", `{"name":""}`, 400, CodeBadRequest, "Usage Plan name cannot be an empty string"},
		{"POST", "/usageplans", create(`"productCode":"p"`), 400, CodeBadRequest, `Invalid request body: unknown member "productCode"`},
		{"POST", "/usageplans", create(`"tags":{"":"x"}`), 400, CodeBadRequest, "Invalid tag : a key has 1 to 128 characters and does not begin with aws:, a value has at most 256"},
		{"POST", "/usageplans", create(`"throttle":{"rateLimit":-1}`), 400, CodeBadRequest, "Invalid value for throttle.rateLimit: " + rate},
		{"POST", "/usageplans", create(`"throttle":{"burstLimit":-1}`), 400, CodeBadRequest, "Invalid value for throttle.burstLimit: " + burst},
		{"POST", "/usageplans", create(`"throttle":{"burstLimit":1.5}`), 400, CodeBadRequest, "Invalid value for 'throttle.burstLimit': it is a number 1.5 and must be a int"},
		{"POST", "/usageplans", create(`"quota":{"limit":0,"period":"DAY"}`), 400, CodeBadRequest, "Invalid quota limit: it must be a whole number of requests from 1 to 2147483647"},
		{"POST", "/usageplans", create(`"quota":{"limit":9}`), 400, CodeBadRequest, "Invalid quota period: it must be DAY, WEEK or MONTH"},
		{"POST", "/usageplans", create(`"quota":{"limit":9,"period":"YEAR"}`), 400, CodeValidation, "1 validation error detected: Value 'YEAR' at 'createUsagePlanInput.quota.period' failed to satisfy constraint: Member must satisfy enum value set: [DAY, WEEK, MONTH]"},
		{"POST", "/usageplans", create(`"quota":{"limit":9,"offset":9,"period":"DAY"}`), 400, CodeBadRequest, "Invalid quota offset: it must be 0 or more and less than the limit"},
		{"POST", "/usageplans", create(`"quota":{"limit":9,"offset":-1,"period":"DAY"}`), 400, CodeBadRequest, "Invalid quota offset: it must be 0 or more and less than the limit"},
		{"POST", "/usageplans", create(`"apiStages":[{"apiId":"API"}]`), 400, CodeBadRequest, "Invalid API Stage specified"},
		{"POST", "/usageplans", create(`"apiStages":[{"apiId":"API","stage":"prod"},{"apiId":"API","stage":"prod"}]`), 409, CodeConflict, "API Stage {api: API, stage: prod} is there twice"},
		{"POST", "/usageplans", create(`"apiStages":[{"apiId":"API","stage":"prod","throttle":{"/GET":{"rateLimit":1}}}]`), 400, CodeBadRequest, "Invalid method /GET: it must be a resource path and a verb, such as /pets/GET, or //GET for the root"},
		{"POST", "/usageplans", create(`"apiStages":[{"apiId":"API","stage":"prod","throttle":{"/pets/GET":{"rateLimit":-2}}}]`), 400, CodeBadRequest, "Invalid value for the throttle of /pets/GET.rateLimit: " + rate},
		{"POST", "/usageplans", create(methods(21)), 429, CodeLimitExceeded, "A usage plan can throttle at most 20 methods of API Stage API:prod"},

		{"GET", "/usageplans/nope", "", 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"GET", "/usageplans?keyId=nope", "", 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"GET", "/usageplans?limit=x", "", 400, CodeBadRequest, "Invalid limit: x. It must be a number from 1 to 500"},
		{"DELETE", "/usageplans/nope", "", 404, CodeNotFound, "Invalid Usage Plan ID specified"},

		{"PATCH", "/usageplans/nope", patchOf("replace", "/name", "x"), 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"PATCH", plan, `{"patchOperations":[{"op":"add","path":"/apiStages"}]}`, 400, CodeBadRequest, "Invalid API Stage specified"},
		{"PATCH", plan, patchOf("add", "/apiStages", "prod"), 400, CodeBadRequest, "Invalid API Stage specified"},
		{"PATCH", plan, patchOf("add", "/apiStages", "nope:prod"), 404, CodeNotFound, "Invalid API Stage {api: nope, stage: prod} specified for usageplan PLAN"},
		{"PATCH", plan, patchOf("add", "/apiStages", "API:nope"), 404, CodeNotFound, "Invalid API Stage {api: API, stage: nope} specified for usageplan PLAN"},
		{"PATCH", plan, patchOf("remove", "/apiStages", "API:dev"), 404, CodeNotFound, "Invalid API Stage {api: API, stage: dev} specified for usageplan PLAN"},
		{"PATCH", plan, patchOf("add", "/apiStages", "API:prod"), 409, CodeConflict, "API Stage {api: API, stage: prod} is in usageplan PLAN already"},
		{"PATCH", plan, patchOf("replace", "/apiStages", "API:prod"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, remove]"},
		{"PATCH", plan, patchOf("replace", "/name", ""), 400, CodeBadRequest, "Usage Plan name cannot be an empty string"},
		{"PATCH", plan, patchOf("remove", "/name", ""), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", plan, patchOf("replace", "/throttle", "x"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [remove]"},
		{"PATCH", plan, patchOf("replace", "/quota", "x"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [remove]"},
		{"PATCH", plan, patchOf("replace", "/throttle/rateLimit", "many"), 400, CodeBadRequest, "Invalid value for /throttle/rateLimit: " + rate},
		{"PATCH", plan, patchOf("replace", "/throttle/rateLimit", "NaN"), 400, CodeBadRequest, "Invalid value for /throttle/rateLimit: " + rate},
		{"PATCH", plan, patchOf("replace", "/throttle/rateLimit", "+Inf"), 400, CodeBadRequest, "Invalid value for /throttle/rateLimit: " + rate},
		{"PATCH", plan, patchOf("replace", "/throttle/burstLimit", "1.5"), 400, CodeBadRequest, "Invalid value for /throttle/burstLimit: " + burst},
		{"PATCH", plan, patchOf("copy", "/throttle/burstLimit", "1"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, replace, remove]"},
		{"PATCH", plan, patchOf("replace", "/quota/limit", "5"), 400, CodeBadRequest, "Invalid quota period: it must be DAY, WEEK or MONTH"},
		{"PATCH", plan, patchOf("replace", "/quota/limit", "5", "replace", "/quota/period", "YEAR"), 400, CodeBadRequest, "Invalid quota period: it must be DAY, WEEK or MONTH"},
		{"PATCH", plan, patchOf("replace", "/quota/limit", "5000000000"), 400, CodeBadRequest, "Invalid value for /quota/limit: " + quota},
		{"PATCH", plan, patchOf("replace", "/quota/limit", "5", "replace", "/quota/period", "DAY", "replace", "/quota/offset", "5"), 400, CodeBadRequest, "Invalid quota offset: it must be 0 or more and less than the limit"},
		{"PATCH", plan, patchOf("remove", "/quota/limit", ""), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, replace]"},
		{"PATCH", plan, patchOf("replace", "/tags", "x"), 400, CodeBadRequest, "Invalid patch path  '/tags' specified for op 'replace'. " + paths},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:prod/colour", "x"), 400, CodeBadRequest, "Invalid patch path  '/apiStages/API:prod/colour' specified for op 'replace'. " + paths},
		{"PATCH", plan, patchOf("replace", "/apiStages/prod/throttle/~1/GET/rateLimit", "1"), 400, CodeBadRequest, "Invalid API Stage specified"},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:dev/throttle/~1/GET/rateLimit", "1"), 404, CodeNotFound, "Invalid API Stage {api: API, stage: dev} specified for usageplan PLAN"},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:prod/throttle", "1"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [remove]"},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:prod/throttle/~1/GET", "1"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [remove]"},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:prod/throttle/pets/get/rateLimit", "1"), 400, CodeBadRequest, "Invalid method pets/get: it must be a resource path and a verb, such as /pets/GET, or //GET for the root"},
		{"PATCH", plan, patchOf("replace", "/apiStages/API:prod/throttle/~1/GET/rateLimit", "-1"), 400, CodeBadRequest, "Invalid value for /apiStages/API:prod/throttle/~1/GET/rateLimit: " + rate},
	} {
		b.wantError(tt.method, names.Replace(tt.target), names.Replace(tt.body), tt.status, tt.code, names.Replace(tt.message))
	}
	a := b.call("POST", "/usageplans", create(`"apiStages":[{"apiId":"`+api+`","stage":"nope"}]`))
	if a.status != 404 || !strings.HasPrefix(a.body, `{"message":"Invalid API Stage {api: `+api+`, stage: nope} specified for usageplan `) {
		t.Errorf("create with a stage that is not there: %d %s", a.status, a.body)
	}
}

// TestQuotaSince has when a quota begins anew: with its period or offset, not
// with its limit.
func TestQuotaSince(t *testing.T) {
	now := noon
	b := newBench(t, func(o *Options) { o.Now = func() time.Time { return now } })
	id := b.plan(`"quota":{"limit":10,"offset":2,"period":"DAY"}`)
	since := func() time.Time { return b.gateway.Catalog().Plans[id].Quota.Since }
	if !since().Equal(noon) {
		t.Errorf("created: %v", since())
	}
	for i, tt := range []struct {
		ops   []string
		again bool
	}{
		{[]string{"replace", "/quota/limit", "20"}, false},
		{[]string{"replace", "/name", "x"}, false},
		{[]string{"replace", "/quota/period", "DAY"}, false},
		{[]string{"replace", "/quota/offset", "3"}, true},
		{[]string{"replace", "/quota/period", "WEEK"}, true},
		{[]string{"remove", "/quota", "", "replace", "/quota/limit", "20", "replace", "/quota/offset", "3", "replace", "/quota/period", "WEEK"}, true},
	} {
		before := since()
		now = now.Add(time.Hour)
		b.want(200, "PATCH", "/usageplans/"+id, patchOf(tt.ops...))
		want := before
		if tt.again {
			want = now
		}
		if !since().Equal(want) {
			t.Errorf("%d: since %v, want %v", i, since(), want)
		}
	}
}

func TestStagesThatGoLeaveTheirPlans(t *testing.T) {
	b := newBench(t)
	one, two := b.imported(), b.imported()
	for _, api := range []string{one, two} {
		b.deployed(api, "prod")
		b.deployed(api, "dev")
	}
	id := b.plan(fmt.Sprintf(`"apiStages":[{"apiId":"%[1]s","stage":"prod"},{"apiId":"%[1]s","stage":"dev"},{"apiId":"%[2]s","stage":"prod"},{"apiId":"%[2]s","stage":"dev"}]`, one, two))
	other := b.plan(fmt.Sprintf(`"apiStages":[{"apiId":"%s","stage":"dev"}]`, two))
	before := b.gateway.Catalog().Plans[id]
	stages := func() string { return stageNames(b.gateway.Catalog().Plans[id]) }
	b.want(202, "DELETE", "/restapis/"+one+"/stages/prod", "")
	if want := one + ":dev, " + two + ":prod, " + two + ":dev"; stages() != want {
		t.Errorf("after the stage: %s", stages())
	}
	b.want(202, "DELETE", "/restapis/"+one, "")
	if want := two + ":prod, " + two + ":dev"; stages() != want {
		t.Errorf("after the API: %s", stages())
	}
	if len(before.APIStages) != 4 || len(b.gateway.Catalog().Plans[other].APIStages) != 1 {
		t.Error("a plan changed that is none of it")
	}
}

func TestUsagePlanKeys(t *testing.T) {
	b := newBench(t)
	api := b.imported()
	b.deployed(api, "prod")
	b.deployed(api, "dev")
	stage := func(name string) string { return `"apiStages":[{"apiId":"` + api + `","stage":"` + name + `"}]` }
	gold, silver, dev := b.plan(stage("prod")), b.plan(stage("prod")), b.plan(stage("dev"))
	alice, bob := b.key("alice", value1), b.key("bob", value2)
	join := func(id string) string { return `{"keyId":"` + id + `","keyType":"API_KEY"}` }

	wantJSON(t, "create", b.want(201, "POST", "/usageplans/"+gold+"/keys", join(alice)), `{"id":"`+alice+`","name":"alice","type":"API_KEY","value":"`+value1+`"}`)
	wantJSON(t, "get", b.want(200, "GET", "/usageplans/"+gold+"/keys/"+alice, ""), `{"id":"`+alice+`","name":"alice","type":"API_KEY","value":"`+value1+`"}`)
	b.want(201, "POST", "/usageplans/"+dev+"/keys", join(alice))
	b.want(201, "POST", "/usageplans/"+gold+"/keys", join(bob))
	if list := b.want(200, "GET", "/usageplans?keyId="+alice, "")["item"].([]any); len(list) != 2 {
		t.Errorf("plans of a key: %v", list)
	}
	for query, want := range map[string]int{"": 2, "?name=al": 1, "?name=x": 0} {
		if list := b.want(200, "GET", "/usageplans/"+gold+"/keys"+query, "")["item"].([]any); len(list) != want {
			t.Errorf("keys of the plan %s: %v", query, list)
		}
	}
	first := b.want(200, "GET", "/usageplans/"+gold+"/keys?limit=1", "")
	second := b.want(200, "GET", "/usageplans/"+gold+"/keys?limit=1&position="+first["position"].(string), "")
	if second["position"] != nil || second["item"].([]any)[0].(map[string]any)["id"] == first["item"].([]any)[0].(map[string]any)["id"] {
		t.Errorf("pages: %v %v", first, second)
	}

	inGold := "API Key " + alice + " is in Usage Plan " + gold + " already, which has the API Stage {api: " + api + ", stage: prod} too"
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		{"POST", "/usageplans/nope/keys", join(alice), 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"POST", "/usageplans/" + gold + "/keys", join("nope"), 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"POST", "/usageplans/" + gold + "/keys", `{}`, 400, CodeValidation, "2 validation errors detected: Value null at 'createUsagePlanKeyInput.keyId' failed to satisfy constraint: Member must not be null; Value null at 'createUsagePlanKeyInput.keyType' failed to satisfy constraint: Member must not be null"},
		{"POST", "/usageplans/" + gold + "/keys", `{"keyId":"` + alice + `","keyType":"CARD"}`, 400, CodeBadRequest, "Invalid key type: CARD. It must be API_KEY"},
		{"POST", "/usageplans/" + gold + "/keys", join(alice), 409, CodeConflict, "Usage Plan Key already exists"},
		{"POST", "/usageplans/" + silver + "/keys", join(alice), 409, CodeConflict, inGold},
		{"PATCH", "/usageplans/" + dev, patchOf("add", "/apiStages", api+":prod"), 409, CodeConflict, inGold},
		{"GET", "/usageplans/nope/keys", "", 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"GET", "/usageplans/" + gold + "/keys?limit=x", "", 400, CodeBadRequest, "Invalid limit: x. It must be a number from 1 to 500"},
		{"GET", "/usageplans/" + gold + "/keys/nope", "", 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"GET", "/usageplans/" + silver + "/keys/" + alice, "", 404, CodeNotFound, "API Key " + alice + " is not in Usage Plan " + silver},
		{"DELETE", "/usageplans/" + silver + "/keys/" + alice, "", 404, CodeNotFound, "API Key " + alice + " is not in Usage Plan " + silver},
		{"DELETE", "/usageplans/nope/keys/" + alice, "", 404, CodeNotFound, "Invalid Usage Plan ID specified"},
	} {
		b.wantError(tt.method, tt.target, tt.body, tt.status, tt.code, tt.message)
	}
	// One patch may swap the stage in; a plan without such keys may have it.
	b.want(200, "PATCH", "/usageplans/"+dev, patchOf("remove", "/apiStages", api+":dev", "add", "/apiStages", api+":dev"))
	b.want(202, "DELETE", "/usageplans/"+gold+"/keys/"+alice, "")
	b.want(200, "PATCH", "/usageplans/"+dev, patchOf("add", "/apiStages", api+":prod"))
	b.want(202, "DELETE", "/apikeys/"+alice, "")
	if list := b.want(200, "GET", "/usageplans/"+dev+"/keys", "")["item"].([]any); len(list) != 0 {
		t.Errorf("a deleted key is in a plan: %v", list)
	}

	for range maxPlansOfKey - 1 { // and gold
		b.want(201, "POST", "/usageplans/"+b.plan(`"name":"p"`)+"/keys", join(bob))
	}
	b.wantError("POST", "/usageplans/"+b.plan(`"name":"p"`)+"/keys", join(bob), 429, CodeLimitExceeded, "API Key "+bob+" is in 10 usage plans, which is the most there can be")
}

// TestAddStageLooksAtEveryKey has the one key in both plans on the last page.
func TestAddStageLooksAtEveryKey(t *testing.T) {
	b := newBench(t)
	api := b.imported()
	b.deployed(api, "prod")
	gold, silver := b.plan(`"apiStages":[{"apiId":"`+api+`","stage":"prod"}]`), b.plan(`"name":"silver"`)
	var ch definition.Change
	for i := range maxLimit + 2 {
		id := fmt.Sprintf("key%07d", i)
		ch.PutKeys = append(ch.PutKeys, &definition.APIKey{ID: id, Value: "value " + id})
		ch.PutPlanKeys = append(ch.PutPlanKeys, definition.PlanKey{PlanID: silver, KeyID: id})
	}
	last := ch.PutKeys[maxLimit+1].ID
	ch.PutPlanKeys = append(ch.PutPlanKeys, definition.PlanKey{PlanID: gold, KeyID: last})
	b.gateway.keys.apply(ch)
	b.wantError("PATCH", "/usageplans/"+silver, patchOf("add", "/apiStages", api+":prod"), 409, CodeConflict,
		"API Key "+last+" is in Usage Plan "+gold+" already, which has the API Stage {api: "+api+", stage: prod} too")
	b.want(202, "DELETE", "/usageplans/"+gold+"/keys/"+last, "")
	b.want(200, "PATCH", "/usageplans/"+silver, patchOf("add", "/apiStages", api+":prod"))
}
