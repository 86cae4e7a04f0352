package control

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const value1, value2, value3 = "first-value-of-20-chars", "second-value-of-20-chars", "third-value-of-20-chars"

// key makes an API key and returns its id.
func (b *bench) key(name, value string) string {
	b.Helper()
	return b.want(201, "POST", "/apikeys", fmt.Sprintf(`{"name":"%s","value":"%s","enabled":true}`, name, value))["id"].(string)
}

func patchOf(ops ...string) string {
	var all []string
	for i := 0; i+2 < len(ops); i += 3 {
		all = append(all, fmt.Sprintf(`{"op":"%s","path":"%s","value":"%s"}`, ops[i], ops[i+1], ops[i+2]))
	}
	return `{"patchOperations":[` + strings.Join(all, ",") + `]}`
}

func TestAPIKeyLifecycle(t *testing.T) {
	b := newBench(t)
	made := b.want(201, "POST", "/apikeys", `{"name":"alice","description":"d","enabled":true,"generateDistinctId":true,"customerId":"c1","stageKeys":[],"value":"`+value1+`"}`)
	wantJSON(t, "create", made, `{"id":"*","value":"`+value1+`","name":"alice","description":"d","customerId":"c1","enabled":true,"createdDate":1795348800,"lastUpdatedDate":1795348800,"stageKeys":[]}`)
	id := made["id"].(string)
	if !regexp.MustCompile(`^[a-z0-9]{10}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
	wantJSON(t, "get", b.want(200, "GET", "/apikeys/"+id, ""),
		`{"id":"`+id+`","name":"alice","description":"d","customerId":"c1","enabled":true,"createdDate":1795348800,"lastUpdatedDate":1795348800,"stageKeys":[],"tags":{}}`)
	if k := b.want(200, "GET", "/apikeys/"+id+"?includeValue=true", ""); k["value"] != value1 {
		t.Errorf("with value: %v", k)
	}
	wantJSON(t, "update", b.want(200, "PATCH", "/apikeys/"+id, patchOf("replace", "/enabled", "false", "replace", "/name", "bob", "replace", "/description", "", "replace", "/customerId", "c2")),
		`{"id":"`+id+`","name":"bob","customerId":"c2","enabled":false,"createdDate":1795348800,"lastUpdatedDate":1795348800,"stageKeys":[],"tags":{}}`)
	if k := b.gateway.keys.keys[id]; k.Value != value1 {
		t.Error("the update changed the value")
	}

	generated := b.want(201, "POST", "/apikeys", `{"tags":{"k":"v"},"generateDistinctId":false}`)
	if v := generated["value"].(string); !regexp.MustCompile(`^[A-Za-z0-9]{40}$`).MatchString(v) || v == generated["id"] {
		t.Errorf("generated value %q", v)
	}
	if generated["enabled"] != false || generated["tags"].(map[string]any)["k"] != "v" {
		t.Errorf("bare key: %v", generated)
	}
	if other := b.want(201, "POST", "/apikeys", ``); other["value"] == generated["value"] {
		t.Error("the same value was generated twice")
	}

	b.want(202, "DELETE", "/apikeys/"+id, "")
	b.wantError("GET", "/apikeys/"+id, "", 404, CodeNotFound, "Invalid API Key identifier specified")
	b.key("again", value1)
}

func TestAPIKeyList(t *testing.T) {
	b := newBench(t)
	for i := range 30 {
		b.want(201, "POST", "/apikeys", fmt.Sprintf(`{"name":"key-%02d","customerId":"c%d","value":"the-value-of-key-number-%02d"}`, i, i%2, i))
	}
	for query, want := range map[string]int{"": 30, "&name=key-1": 10, "&name=KEY": 0, "&customerId=c1": 15, "&name=key-2&customerId=c0": 5} {
		seen, after := map[string]bool{}, ""
		for {
			page := b.want(200, "GET", "/apikeys?limit=4"+query+"&position="+after, "")
			for _, item := range page["item"].([]any) {
				k := item.(map[string]any)
				if k["value"] != nil || k["tags"] != nil {
					t.Errorf("listed with value or tags: %v", k)
				}
				seen[k["id"].(string)] = true
			}
			var more bool
			if after, more = page["position"].(string); !more {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("%q: %d keys, want %d", query, len(seen), want)
		}
	}
	if items := b.want(200, "GET", "/apikeys", "")["item"].([]any); len(items) != 25 {
		t.Errorf("a page has %d keys", len(items))
	}
	for _, item := range b.want(200, "GET", "/apikeys?includeValues=true&limit=500", "")["item"].([]any) {
		if v, _ := item.(map[string]any)["value"].(string); !strings.HasPrefix(v, "the-value") {
			t.Errorf("listed without value: %v", item)
		}
	}
}

func TestAPIKeyRefusals(t *testing.T) {
	b := newBench(t)
	id := b.key("alice", value1)
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		{"POST", "/apikeys", `{"value":"` + long(19) + `"}`, 400, CodeBadRequest, "API Key value should be at least 20 characters"},
		{"POST", "/apikeys", `{"value":"` + long(129) + `"}`, 400, CodeBadRequest, "API Key value exceeds maximum size of 128 characters"},
		{"POST", "/apikeys", `{"value":"` + long(20) + `\n"}`, 400, CodeBadRequest, "API Key value can have printable ASCII characters only, and no space at its beginning or end"},
		{"POST", "/apikeys", `{"value":" ` + long(20) + `"}`, 400, CodeBadRequest, "API Key value can have printable ASCII characters only, and no space at its beginning or end"},
		{"POST", "/apikeys", `{"value":"` + strings.Repeat("é", 20) + `"}`, 400, CodeBadRequest, "API Key value can have printable ASCII characters only, and no space at its beginning or end"},
		{"POST", "/apikeys", `{"name":"` + long(1025) + `"}`, 400, CodeBadRequest, "Invalid API Key name, can be at most 1024 characters."},
		{"POST", "/apikeys", `{"value":"` + value1 + `"}`, 409, CodeConflict, "API Key already exists"},
		{"POST", "/apikeys", `{"stageKeys":[{"restApiId":"a","stageName":"b"}]}`, 400, CodeBadRequest, "stageKeys of CreateApiKey is not supported yet"},
		{"POST", "/apikeys", `{"tags":{"aws:x":"y"}}`, 400, CodeBadRequest, "Invalid tag aws:x: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256"},
		{"POST", "/apikeys", `{"colour":"red"}`, 400, CodeBadRequest, `Invalid request body: unknown member "colour"`},
		{"POST", "/apikeys", `{"enabled":"true"}`, 400, CodeBadRequest, "Invalid value for 'enabled': it is a string and must be a bool"},
		{"GET", "/apikeys/nope", "", 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"GET", "/apikeys/ID?includeValue=perhaps", "", 400, CodeBadRequest, "Invalid includeValue: perhaps. Must be one of: [true, false]"},
		{"GET", "/apikeys?includeValues=perhaps", "", 400, CodeBadRequest, "Invalid includeValues: perhaps. Must be one of: [true, false]"},
		{"GET", "/apikeys?limit=0", "", 400, CodeBadRequest, "Invalid limit: 0. It must be a number from 1 to 500"},
		{"GET", "/apikeys?position=*", "", 400, CodeBadRequest, "Invalid position: *"},
		{"PATCH", "/apikeys/nope", patchOf("replace", "/name", "x"), 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"PATCH", "/apikeys/ID", patchOf("replace", "/name", long(1025)), 400, CodeBadRequest, "Invalid API Key name, can be at most 1024 characters."},
		{"PATCH", "/apikeys/ID", patchOf("remove", "/name", ""), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", "/apikeys/ID", patchOf("replace", "/enabled", "perhaps"), 400, CodeBadRequest, "Invalid value for /enabled: it must be true or false"},
		{"PATCH", "/apikeys/ID", patchOf("add", "/labels", "x"), 400, CodeBadRequest, "/labels of UpdateApiKey is not supported yet"},
		{"PATCH", "/apikeys/ID", patchOf("add", "/stages", "a/b"), 400, CodeBadRequest, "/stages of UpdateApiKey is not supported yet"},
		{"PATCH", "/apikeys/ID", patchOf("replace", "/value", long(30)), 400, CodeBadRequest, "Invalid patch path  '/value' specified for op 'replace'. Must be one of: [/name, /description, /enabled, /customerId, /labels, /stages]"},
		{"DELETE", "/apikeys/nope", "", 404, CodeNotFound, "Invalid API Key identifier specified"},
	} {
		b.wantError(tt.method, strings.Replace(tt.target, "ID", id, 1), tt.body, tt.status, tt.code, tt.message)
	}
	if n := len(b.gateway.keys.keys); n != 1 {
		t.Errorf("%d keys after all refusals", n)
	}
}

func TestImportAPIKeys(t *testing.T) {
	b := newBench(t)
	apiID := b.imported()
	b.deployed(apiID, "prod")
	gold := b.plan(`"apiStages":[{"apiId":"` + apiID + `","stage":"prod"}]`)
	silver := b.plan(`"apiStages":[{"apiId":"` + apiID + `","stage":"prod"}]`)
	bronze := b.plan(`"name":"bronze"`)
	const target = "/apikeys?mode=import&format=csv"

	file := "\ufeffKEY, enabled ,Colour,Name,UsagePlanIds\r\n" +
		value1 + ",,red,alice,\"" + gold + "," + bronze + "\"\r\n" +
		"\r\n" +
		" " + value2 + " , FALSE ,, bob , '" + gold + "'\r\n"
	answer := b.want(201, "POST", target, file)
	ids := answer["ids"].([]any)
	if len(ids) != 2 || len(answer["warnings"].([]any)) != 0 {
		t.Fatalf("import: %v", answer)
	}
	alice, bob := ids[0].(string), ids[1].(string)
	wantJSON(t, "alice", b.want(200, "GET", "/apikeys/"+alice+"?includeValue=true", ""),
		`{"id":"`+alice+`","value":"`+value1+`","name":"alice","enabled":true,"createdDate":1795348800,"lastUpdatedDate":1795348800,"stageKeys":[],"tags":{}}`)
	if k := b.want(200, "GET", "/apikeys/"+bob+"?includeValue=true", ""); k["value"] != value2 || k["enabled"] != false || k["name"] != "bob" {
		t.Errorf("bob: %v", k)
	}
	if n := len(b.want(200, "GET", "/usageplans/"+gold+"/keys", "")["item"].([]any)); n != 2 {
		t.Errorf("%d keys in the plan", n)
	}

	// Again: other fields are overwritten, what the file does not have stays,
	// and what cannot be is a warning.
	again := "Name,Key,Description,UsagePlanIds\nrobert," + value2 + ",new,nope\n" +
		"carol," + value3 + ",,'" + gold + "," + silver + "'\ncaroline," + value3 + ",,\n"
	answer = b.want(201, "POST", target, again)
	wantJSON(t, "again", answer, `{"ids":["`+bob+`","*"],"warnings":["line 2: usage plan nope: Invalid Usage Plan ID specified","*","line 4: the key of line 3 is there again: this line counts"]}`)
	carol := answer["ids"].([]any)[1].(string)
	if want := "line 3: usage plan " + silver + ": API Key " + carol + " is in Usage Plan " + gold + " already, which has the API Stage {api: " + apiID + ", stage: prod} too"; answer["warnings"].([]any)[1] != want {
		t.Errorf("warning %q, want %q", answer["warnings"].([]any)[1], want)
	}
	if k := b.gateway.keys.keys[bob]; k.Name != "robert" || k.Description != "new" || k.Enabled {
		t.Errorf("bob again: %+v", k)
	}
	if k := b.gateway.keys.keys[carol]; k.Name != "caroline" || !k.Enabled {
		t.Errorf("carol: %+v", k)
	}

	// Warnings can refuse all of it.
	a := b.call("POST", target+"&failonwarnings=true", "Name,Key,UsagePlanIds\ndave,"+strings.Repeat("d", 20)+",\nerin,"+strings.Repeat("e", 20)+",nope\n")
	if a.status != 400 || a.body != `{"message":"Warnings found during import:\n\tline 3: usage plan nope: Invalid Usage Plan ID specified"}` || len(b.gateway.keys.keys) != 3 {
		t.Errorf("failonwarnings: %d %s, %d keys", a.status, a.body, len(b.gateway.keys.keys))
	}
	b.want(201, "POST", target+"&failonwarnings=true", "Key,Name\n"+strings.Repeat("d", 20)+",dave")

	for _, tt := range [][2]string{
		{"/apikeys?mode=import", "1 validation error detected: Value null at 'importApiKeysInput.format' failed to satisfy constraint: Member must not be null"},
		{"/apikeys?mode=import&format=xml", "1 validation error detected: Value 'xml' at 'importApiKeysInput.format' failed to satisfy constraint: Member must satisfy enum value set: [csv]"},
	} {
		b.wantError("POST", tt[0], file, 400, CodeValidation, tt[1])
	}
	b.wantError("POST", target+"&failonwarnings=perhaps", file, 400, CodeBadRequest, "Invalid failonwarnings: perhaps. Must be one of: [true, false]")
	b.wantError("POST", target+"&colour=red", file, 400, CodeBadRequest, "import parameter colour is not supported yet")
	b.wantError("POST", target, "Name,Key\nx,short", 400, CodeBadRequest, "Invalid API Key file: line 2: API Key value should be at least 20 characters")
}

func TestLogTellsNoKeyValue(t *testing.T) {
	b := newBench(t)
	id := b.key("alice", value1)
	b.call("POST", "/apikeys", `{"value":"`+value1+`"}`)
	b.call("POST", "/apikeys?mode=import&format=csv", "Name,Key\nbob,"+value2+"\n")
	b.call("POST", "/apikeys?mode=import&format=csv", "bob,"+value2+"\n")
	b.call("POST", "/apikeys?mode=import&format=csv", "Name,Key\nbob,"+value2+"\x01\n")
	plan := b.plan(`"name":"p"`)
	b.call("POST", "/usageplans/"+plan+"/keys", `{"keyId":"`+value1+`","keyType":"API_KEY"}`)
	b.call("POST", "/usageplans/"+plan+"/keys", `{"keyId":"`+id+`","keyType":"API_KEY"}`)
	b.call("DELETE", "/apikeys/"+value1, "") // not its id
	log := b.log.String()
	for _, v := range []string{value1, value2} {
		if strings.Contains(log, v) {
			t.Errorf("the log tells %s:\n%s", v, log)
		}
	}
	for _, want := range []string{"operation=CreateApiKey", "made=" + id, `made="1 keys"`, "operation=CreateUsagePlanKey", "plan=" + plan} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}

// TestKeysThatCannotBeRead asks everything that reads keys when the store fails.
func TestKeysThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	id, plan := b.key("alice", value1), b.plan(`"quota":{"limit":5,"period":"DAY"}`)
	b.want(201, "POST", "/usageplans/"+plan+"/keys", `{"keyId":"`+id+`","keyType":"API_KEY"}`)
	b.gateway.keys.broken = errors.New("read state file: bad page")
	for _, call := range [][3]string{
		{"POST", "/apikeys", `{}`}, {"GET", "/apikeys", ""}, {"GET", "/apikeys/" + id, ""}, {"PATCH", "/apikeys/" + id, "{}"}, {"DELETE", "/apikeys/" + id, ""},
		{"POST", "/apikeys?mode=import&format=csv", "Name,Key\nbob," + value2}, {"GET", "/usageplans?keyId=" + id, ""},
		{"POST", "/usageplans/" + plan + "/keys", `{"keyId":"` + id + `","keyType":"API_KEY"}`}, {"GET", "/usageplans/" + plan + "/keys", ""},
		{"GET", "/usageplans/" + plan + "/keys/" + id, ""}, {"DELETE", "/usageplans/" + plan + "/keys/" + id, ""},
		{"GET", "/usageplans/" + plan + "/usage?startDate=2026-11-01&endDate=2026-11-02", ""}, {"PATCH", "/usageplans/" + plan + "/keys/" + id + "/usage", "{}"},
	} {
		b.wantError(call[0], call[1], call[2], 500, CodeInternalError, "The operation failed and nothing was changed: read state file: bad page")
	}
}

// Who may look but not change does not see the values of keys.
func TestReadersSeeNoValues(t *testing.T) {
	b := newBench(t)
	id := b.key("alice", value1)
	plan := b.want(201, "POST", "/usageplans", `{"name":"gold"}`)["id"].(string)
	b.want(201, "POST", "/usageplans/"+plan+"/keys", `{"keyId":"`+id+`","keyType":"API_KEY"}`)
	reader := func(query string) *request {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		return &request{peer: Peer{UID: 12345, GID: 12345}, query: q, params: map[string]string{"key": id, "plan": plan}}
	}
	for flag, serve := range map[string]func(*Server, *request) (int, any, error){
		"includeValue": (*Server).getAPIKey, "includeValues": (*Server).getAPIKeys,
	} {
		if _, _, err := serve(b.server, reader(flag+"=true")); err == nil || asError(err).Status != 403 {
			t.Errorf("%s: error %v, want 403", flag, err)
		}
		if _, _, err := serve(b.server, reader("")); err != nil {
			t.Errorf("without %s: %v", flag, err)
		}
	}
	for name, serve := range map[string]func(*Server, *request) (int, any, error){
		"GetUsagePlanKey": (*Server).getUsagePlanKey, "GetUsagePlanKeys": (*Server).getUsagePlanKeys,
	} {
		if _, answer, err := serve(b.server, reader("")); err != nil || strings.Contains(fmt.Sprintf("%+v", answer), value1) {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
}
