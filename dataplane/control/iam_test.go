package control

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

const method = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets"

// policyOf is the body of a put of a policy, whose statements are written with
// single quotes.
func policyOf(statements ...string) string {
	document := `{'Version':'2012-10-17','Statement':[` + strings.Join(statements, ",") + `]}`
	text, _ := json.Marshal(map[string]string{"policyDocument": strings.ReplaceAll(document, "'", `"`)})
	return string(text)
}

const allowAll = `{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'*'}`

// user makes a user with an access key, and returns the key's id and secret.
func (b *bench) user(name string) (id, secret string) {
	b.Helper()
	b.want(201, "POST", "/tidegate/iam/users", `{"userName":"`+name+`"}`)
	key := b.want(201, "POST", "/tidegate/iam/users/"+name+"/accesskeys", "")
	return key["accessKeyId"].(string), key["secretAccessKey"].(string)
}

// names are the values of a member of every item of a list.
func (b *bench) names(target, member string) string {
	b.Helper()
	var all []string
	for _, item := range b.want(200, "GET", target, "")["item"].([]any) {
		all = append(all, fmt.Sprint(item.(map[string]any)[member]))
	}
	return strings.Join(all, " ")
}

func TestUserLifecycle(t *testing.T) {
	b := newBench(t)
	const users = "/tidegate/iam/users"
	made := b.want(201, "POST", users, `{"userName":"ann","path":"/shops/","tags":{"Team":"blue"}}`)
	id := made["userId"].(string)
	if !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
	ann := `{"userName":"ann","userId":"` + id + `","path":"/shops/","arn":"arn:aws:iam::000000000000:user/shops/ann","createDate":"2026-11-22T12:00:00Z",` +
		`"tags":TAGS,"policyNames":[],"attachedPolicies":[]}`
	wantJSON(t, "create", made, strings.Replace(ann, "TAGS", `{"Team":"blue"}`, 1))
	wantJSON(t, "get", b.want(200, "GET", users+"/ann", ""), strings.Replace(ann, "TAGS", `{"Team":"blue"}`, 1))
	wantJSON(t, "update", b.want(200, "PATCH", users+"/ann", patchOf("remove", "/tags/Team", "", "add", "/tags/cost~1center", "7", "replace", "/tags/x", "")),
		strings.Replace(ann, "TAGS", `{"cost/center":"7","x":""}`, 1))
	b.want(201, "POST", users, `{"userName":"a.b+c=d,e@f-g_h"}`)
	b.want(201, "POST", users, `{"userName":"Zoe","path":"/"}`)
	if got := b.names(users, "userName"); got != "Zoe a.b+c=d,e@f-g_h ann" {
		t.Errorf("users: %s", got)
	}
	if got := b.names(users+"?limit=1", "userName"); got != "Zoe" {
		t.Errorf("a page: %s", got)
	}
	b.want(202, "DELETE", users+"/a.b+c=d,e@f-g_h", "")
	b.want(202, "DELETE", users+"/ann?force=false", "")
	b.wantError("GET", users+"/ann", "", 404, CodeNotFound, "The user with name ann cannot be found.")
	if again := b.want(201, "POST", users, `{"userName":"ann"}`); again["userId"] == id {
		t.Error("an id came again")
	}
}

func TestAccessKeyLifecycle(t *testing.T) {
	b := newBench(t)
	const users, keys = "/tidegate/iam/users", "/tidegate/iam/accesskeys"
	b.want(201, "POST", users, `{"userName":"ann"}`)
	made := b.want(201, "POST", users+"/ann/accesskeys", "{}")
	first, secret := made["accessKeyId"].(string), made["secretAccessKey"].(string)
	wantJSON(t, "create", made, `{"userName":"ann","accessKeyId":"*","secretAccessKey":"*","status":"Active","createDate":"2026-11-22T12:00:00Z"}`)
	if !accessKeyRegexp.MatchString(first) || !regexp.MustCompile(`^[A-Za-z0-9]{40}$`).MatchString(secret) {
		t.Errorf("key %s %s", first, secret)
	}
	known := func(id string) bool { return b.gateway.iam.Lookup([]byte(id)) != nil }
	if c := b.gateway.iam.Lookup([]byte(first)); c == nil || c.Secret != secret {
		t.Fatal("the new key does not sign")
	}

	// Two keys while one replaces the other.
	second := b.want(201, "POST", users+"/ann/accesskeys", "")["accessKeyId"].(string)
	b.wantError("POST", users+"/ann/accesskeys", "", 429, CodeLimitExceeded, "Cannot exceed quota for AccessKeysPerUser: 2")
	wantJSON(t, "switch off", b.want(200, "PATCH", keys+"/"+first, patchOf("replace", "/status", "Inactive")),
		`{"userName":"ann","accessKeyId":"`+first+`","status":"Inactive","createDate":"2026-11-22T12:00:00Z"}`)
	if known(first) || !known(second) {
		t.Error("the first key is switched off, the second is not")
	}
	b.want(200, "PATCH", keys+"/"+first, patchOf("replace", "/status", "Active"))
	if c := b.gateway.iam.Lookup([]byte(first)); c == nil || c.Secret != secret {
		t.Error("the first key is on again")
	}
	b.want(202, "DELETE", keys+"/"+first, "")
	if known(first) {
		t.Error("the first key is deleted")
	}

	b.user("bob")
	if got := b.names(keys, "userName"); got != "ann bob" {
		t.Errorf("keys of %s", got)
	}
	if got := b.names(keys+"?userName=ann", "accessKeyId"); got != second {
		t.Errorf("keys of ann: %s", got)
	}
	for _, target := range []string{keys, keys + "?userName=ann", users, users + "/ann"} {
		for _, k := range b.gateway.Catalog().AccessKeys {
			if text := b.call("GET", target, "").body; strings.Contains(text, k.Secret) || strings.Contains(text, "secret") {
				t.Errorf("%s tells a secret: %s", target, text)
			}
		}
	}
}

func TestPolicyLifecycle(t *testing.T) {
	b := newBench(t)
	const policies, ann = "/tidegate/iam/policies", "/tidegate/iam/users/ann"
	id, _ := b.user("ann")
	b.user("bob")
	made := b.want(200, "PUT", policies+"/pets", policyOf(allowAll))
	const pets = `{"policyName":"pets","arn":"arn:aws:iam::000000000000:policy/pets","policyDocument":"*","attachedUsers":[USERS],"createDate":"2026-11-22T12:00:00Z","updateDate":"2026-11-22T12:00:00Z"}`
	wantJSON(t, "create", made, strings.Replace(pets, "USERS", "", 1))
	allowed := func() policy.Decision {
		c := policy.Context{Now: noon.UnixNano()}
		return b.gateway.iam.Lookup([]byte(id)).Principal.(*iam.Principal).Evaluate(policy.Invoke, method, &c)
	}
	if allowed() != policy.ImplicitDeny {
		t.Error("allowed before it is attached")
	}
	for range 2 { // attaching again changes nothing
		u := b.want(200, "PUT", ann+"/attachedpolicies/pets", "")
		if fmt.Sprint(u["attachedPolicies"]) != "[pets]" {
			t.Errorf("user %v", u)
		}
	}
	b.want(200, "PUT", "/tidegate/iam/users/bob/attachedpolicies/pets", "")
	wantJSON(t, "get", b.want(200, "GET", policies+"/pets", ""), strings.Replace(pets, "USERS", `"ann","bob"`, 1))
	if allowed() != policy.Allow {
		t.Error("not allowed by the attached policy")
	}
	const denyAll = `{'Effect':'Deny','Action':'*','Resource':'*'}`
	if u := b.want(200, "PUT", ann+"/policies/own", policyOf(denyAll)); fmt.Sprint(u["policyNames"]) != "[own]" {
		t.Errorf("user %v", u)
	}
	if allowed() != policy.ExplicitDeny {
		t.Error("the inline policy does not deny")
	}
	wantJSON(t, "get inline", b.want(200, "GET", ann+"/policies/own", ""), `{"userName":"ann","policyName":"own","policyDocument":"*"}`)
	b.want(202, "DELETE", ann+"/policies/own", "")
	b.wantError("GET", ann+"/policies/own", "", 404, CodeNotFound, "The user policy with name own cannot be found.")
	b.want(200, "PUT", policies+"/pets", policyOf(denyAll))
	if allowed() != policy.ExplicitDeny {
		t.Error("the other document does not deny")
	}
	if list := b.want(200, "GET", policies, "")["item"].([]any); len(list) != 1 || list[0].(map[string]any)["policyDocument"] != nil {
		t.Errorf("list %v", list)
	}

	b.wantError("DELETE", policies+"/pets", "", 409, CodeConflict, "Cannot delete a policy attached to entities: ann, bob")
	b.want(202, "DELETE", ann+"/attachedpolicies/pets", "")
	b.wantError("DELETE", ann+"/attachedpolicies/pets", "", 404, CodeNotFound, "Policy pets is not attached to user ann.")
	b.want(202, "DELETE", "/tidegate/iam/users/bob/attachedpolicies/pets", "")
	b.want(202, "DELETE", policies+"/pets", "")
	b.wantError("GET", policies+"/pets", "", 404, CodeNotFound, "The policy with name pets cannot be found.")
	if allowed() != policy.ImplicitDeny {
		t.Error("allowed at the end")
	}
}

func TestDeletionOfAUser(t *testing.T) {
	b := newBench(t)
	const ann = "/tidegate/iam/users/ann"
	id, _ := b.user("ann")
	other, _ := b.user("bob")
	b.want(200, "PUT", "/tidegate/iam/policies/pets", policyOf(allowAll))
	b.want(200, "PUT", ann+"/attachedpolicies/pets", "")
	b.want(200, "PUT", ann+"/policies/own", policyOf(allowAll))
	b.wantError("DELETE", ann, "", 409, CodeConflict, "Cannot delete entity, must delete access keys first: "+id)
	b.want(202, "DELETE", "/tidegate/iam/accesskeys/"+id, "")
	b.wantError("DELETE", ann, "", 409, CodeConflict, "Cannot delete entity, must detach all policies first: pets")
	b.want(202, "DELETE", ann+"/attachedpolicies/pets", "")
	b.wantError("DELETE", ann, "", 409, CodeConflict, "Cannot delete entity, must delete policies first: own")
	b.wantError("DELETE", ann+"?force=perhaps", "", 400, CodeBadRequest, "Invalid force: perhaps. Must be one of: [true, false]")
	b.want(201, "POST", ann+"/accesskeys", "")
	b.want(200, "PUT", ann+"/attachedpolicies/pets", "")
	b.want(202, "DELETE", ann+"?force=true", "")
	if c := b.gateway.Catalog(); len(c.Users) != 1 || len(c.AccessKeys) != 1 || c.AccessKeys[other] == nil || len(c.Policies) != 1 {
		t.Errorf("left: %d users, %d keys", len(c.Users), len(c.AccessKeys))
	}
}

func TestIAMRefusals(t *testing.T) {
	b := newBench(t)
	id, _ := b.user("ann")
	b.want(200, "PUT", "/tidegate/iam/policies/pets", policyOf(allowAll))
	long := func(n int) string { return strings.Repeat("x", n) }
	const pattern = ` failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		{"POST", "/users", `{}`, 400, CodeValidation, "1 validation error detected: Value null at 'createUserInput.userName' failed to satisfy constraint: Member must not be null"},
		{"POST", "/users", `{"userName":""}`, 400, CodeValidation, "1 validation error detected: Value '' at 'createUserInput.userName'" + pattern},
		{"POST", "/users", `{"userName":"a/b"}`, 400, CodeValidation, "1 validation error detected: Value 'a/b' at 'createUserInput.userName'" + pattern},
		{"POST", "/users", `{"userName":"é"}`, 400, CodeValidation, "1 validation error detected: Value 'é' at 'createUserInput.userName'" + pattern},
		{"POST", "/users", `{"userName":"` + long(65) + `"}`, 400, CodeValidation, "1 validation error detected: Value '" + long(65) + "' at 'createUserInput.userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"POST", "/users", `{"userName":"Ann"}`, 409, CodeConflict, "User with name ann already exists."},
		{"POST", "/users", `{"userName":"bob","path":"/x"}`, 400, CodeBadRequest, "Invalid path: /x. It must begin and end with a slash and have at most 512 characters, none of them a space"},
		{"POST", "/users", `{"userName":"bob","path":"/` + long(511) + `/"}`, 400, CodeBadRequest, "Invalid path: /" + long(511) + "/. It must begin and end with a slash and have at most 512 characters, none of them a space"},
		{"POST", "/users", `{"userName":"bob","tags":{"a":"1","A":"2"}}`, 400, CodeBadRequest, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"POST", "/users", `{"userName":"bob","tags":{"aws:a":"1"}}`, 400, CodeBadRequest, "Invalid tag aws:a: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256"},
		{"POST", "/users", `{"userName":"bob","groups":[]}`, 400, CodeBadRequest, `Invalid request body: unknown member "groups"`},
		{"GET", "/users/eve", "", 404, CodeNotFound, "The user with name eve cannot be found."},
		{"PATCH", "/users/eve", patchOf("add", "/tags/a", "1"), 404, CodeNotFound, "The user with name eve cannot be found."},
		{"PATCH", "/users/ann", patchOf("add", "/path", "/"), 400, CodeBadRequest, "Invalid patch path  '/path' specified for op 'add'. Must be one of: [/tags/{key}]"},
		{"PATCH", "/users/ann", patchOf("add", "/tags/", "x"), 400, CodeBadRequest, "Invalid patch path  '/tags/' specified for op 'add'. Must be one of: [/tags/{key}]"},
		{"PATCH", "/users/ann", patchOf("add", "/tags/a/b", "x"), 400, CodeBadRequest, "Invalid patch path  '/tags/a/b' specified for op 'add'. Must be one of: [/tags/{key}]"},
		{"PATCH", "/users/ann", patchOf("remove", "/tags/a", ""), 400, CodeBadRequest, "Cannot remove tag a because the user has no such tag"},
		{"PATCH", "/users/ann", patchOf("copy", "/tags/a", ""), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [add, replace, remove]"},
		{"PATCH", "/users/ann", patchOf("add", "/tags/a", "1", "add", "/tags/A", "1"), 400, CodeBadRequest, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"DELETE", "/users/eve", "", 404, CodeNotFound, "The user with name eve cannot be found."},

		{"POST", "/users/eve/accesskeys", "", 404, CodeNotFound, "The user with name eve cannot be found."},
		{"POST", "/users/ann/accesskeys", `{"secretAccessKey":"x"}`, 400, CodeBadRequest, `Invalid request body: unknown member "secretAccessKey"`},
		{"GET", "/accesskeys?userName=eve", "", 404, CodeNotFound, "The user with name eve cannot be found."},
		{"PATCH", "/accesskeys/AKIAAAAAAAAAAAAAAAAA", patchOf("replace", "/status", "Active"), 404, CodeNotFound, "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found."},
		{"PATCH", "/accesskeys/ID", patchOf("replace", "/status", "on"), 400, CodeBadRequest, "Invalid value for /status: it must be Active or Inactive"},
		{"PATCH", "/accesskeys/ID", patchOf("add", "/status", "Active"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", "/accesskeys/ID", patchOf("replace", "/userName", "bob"), 400, CodeBadRequest, "Invalid patch path  '/userName' specified for op 'replace'. Must be one of: [/status]"},
		{"DELETE", "/accesskeys/" + long(40), "", 404, CodeNotFound, "The Access Key with id given cannot be found."},

		{"PUT", "/policies/a%2Fb", policyOf(allowAll), 400, CodeValidation, "1 validation error detected: Value 'a/b' at 'putPolicyInput.policyName'" + pattern},
		{"PUT", "/policies/x", `{}`, 400, CodeValidation, "1 validation error detected: Value null at 'putPolicyInput.policyDocument' failed to satisfy constraint: Member must not be null"},
		{"PUT", "/policies/x", `{"policyDocument":{}}`, 400, CodeBadRequest, "Invalid value for 'policyDocument': it is a object and must be a string"},
		{"PUT", "/policies/x", policyOf(`{'Effect':'Allow'}`), 400, CodeBadRequest, `policy "x": Statement[0]: has neither Action nor NotAction`},
		{"PUT", "/policies/x", policyOf(allowAll, strings.Replace(allowAll, "Invoke", "Invoke'],'x':['", 1)), 400, CodeBadRequest, `policy "x": byte 149: invalid character ']' after object key:value pair`},
		{"PUT", "/policies/x", policyOf(strings.Replace(allowAll, "*", "arn:aws:execute-api:"+long(6200), 1)), 429, CodeLimitExceeded, "Cannot exceed quota for PolicySize: 6144"},
		{"PUT", "/policies/PETS", policyOf(allowAll), 409, CodeConflict, "A policy called pets already exists. Duplicate names are not allowed."},
		{"DELETE", "/policies/none", "", 404, CodeNotFound, "The policy with name none cannot be found."},

		{"PUT", "/users/ann/policies/x", policyOf(`{'Effect':'Allow','Action':'*','Resource':'a'}`), 400, CodeBadRequest, `user "ann": policy "x": Statement[0].Resource: "a" is neither an ARN nor "*"`},
		{"PUT", "/users/ann/policies/x", policyOf(strings.Replace(allowAll, "*", "arn:aws:execute-api:"+long(2000), 1)), 429, CodeLimitExceeded, "Maximum policy size of 2048 bytes exceeded for user ann"},
		{"PUT", "/users/eve/policies/x", policyOf(allowAll), 404, CodeNotFound, "The user with name eve cannot be found."},
		{"PUT", "/users/ann/policies/" + long(129), policyOf(allowAll), 400, CodeValidation, "1 validation error detected: Value '" + long(129) + "' at 'putUserPolicyInput.policyName' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{"DELETE", "/users/ann/policies/none", "", 404, CodeNotFound, "The user policy with name none cannot be found."},
		{"PUT", "/users/ann/attachedpolicies/none", "", 404, CodeNotFound, "The policy with name none cannot be found."},
		{"PUT", "/users/eve/attachedpolicies/pets", "", 404, CodeNotFound, "The user with name eve cannot be found."},

		{"POST", "/simulate", `{"userName":"eve"}`, 404, CodeNotFound, "The user with name eve cannot be found."},
		{"POST", "/simulate", `{"userName":"ann","actionName":"s3:Get"}`, 400, CodeBadRequest, `Invalid actionName: action "s3:Get" is none of execute-api:Invoke, execute-api:InvalidateCache and execute-api:ManageConnections`},
		{"POST", "/simulate", `{"userName":"ann","actionName":"Invoke","resourceArn":"x"}`, 400, CodeBadRequest, `Invalid simulation: resource "x" is no method ARN: write arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`},
		{"POST", "/simulate", `{"userName":"ann","actionName":"Invoke","sourceIp":"x"}`, 400, CodeBadRequest, "Invalid sourceIp: x is no IP address"},
	} {
		b.wantError(tt.method, "/tidegate/iam"+strings.Replace(tt.target, "/ID", "/"+id, 1), tt.body, tt.status, tt.code, tt.message)
	}
}

// TestIAMQuotas counts as IAM does.
func TestIAMQuotas(t *testing.T) {
	b := newBench(t)
	var full definition.Change
	for i := range maxUsers {
		full.PutUsers = append(full.PutUsers, &definition.User{Name: fmt.Sprintf("u%d", i), ID: fmt.Sprintf("AIDA%d", i), Path: "/"})
	}
	for i := range maxPolicies {
		full.PutPolicies = append(full.PutPolicies, &definition.ManagedPolicy{Name: fmt.Sprintf("p%d", i), Document: `{"Statement":[]}`})
	}
	b.gateway.catalog = b.gateway.catalog.With(full)
	b.wantError("POST", "/tidegate/iam/users", `{"userName":"more"}`, 429, CodeLimitExceeded, "Cannot exceed quota for UsersPerAccount: 5000")
	b.wantError("PUT", "/tidegate/iam/policies/more", policyOf(allowAll), 429, CodeLimitExceeded, "Cannot exceed quota for PoliciesPerAccount: 1500")
	for i := range maxAttached {
		b.want(200, "PUT", fmt.Sprintf("/tidegate/iam/users/u1/attachedpolicies/p%d", i), "")
	}
	b.wantError("PUT", "/tidegate/iam/users/u1/attachedpolicies/p10", "", 429, CodeLimitExceeded, "Cannot exceed quota for PoliciesPerUser: 10")
	spaced, _ := json.Marshal(map[string]string{"policyDocument": `{"Statement":[]}` + strings.Repeat(" \n\t", 10000)})
	b.want(200, "PUT", "/tidegate/iam/policies/p1", string(spaced))
}

func TestSimulateOperation(t *testing.T) {
	b := newBench(t)
	b.user("ann")
	b.want(200, "PUT", "/tidegate/iam/users/ann/policies/own", policyOf(allowAll,
		`{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}}}`,
		`{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'Bool':{'aws:SecureTransport':'false'}}}`))
	for _, row := range []struct{ more, decision, matched string }{
		{`"sourceIp":"10.1.1.1"`, "allowed", `{"sourcePolicyId":"own","sourcePolicyType":"inline","statement":0,"effect":"Allow"}`},
		{`"sourceIp":"192.0.2.1"`, "explicitDeny", `{"sourcePolicyId":"own","sourcePolicyType":"inline","statement":1,"effect":"Deny"}`},
		{`"sourceIp":"10.1.1.1","secureTransport":false`, "explicitDeny", `{"sourcePolicyId":"own","sourcePolicyType":"inline","statement":2,"effect":"Deny"}`},
		{`"sourceIp":"10.1.1.1","actionName":"execute-api:InvalidateCache"`, "implicitDeny", ""},
	} {
		body := `{"userName":"ann","actionName":"invoke","resourceArn":"` + method + `",` + row.more + `}`
		action := "execute-api:Invoke"
		if row.matched == "" {
			action = "execute-api:InvalidateCache"
		}
		wantJSON(t, row.more, b.want(200, "POST", "/tidegate/iam/simulate", body),
			`{"userArn":"arn:aws:iam::000000000000:user/ann","evalActionName":"`+action+`","evalResourceName":"`+method+`","evalDecision":"`+row.decision+`","matchedStatements":[`+row.matched+`]}`)
	}
	if strings.Contains(b.log.String(), "SimulateUserPolicies") {
		t.Error("the log has a simulation, which changes nothing")
	}
}

// TestLogTellsNoSecret whatever is put in the wrong place.
func TestLogTellsNoSecret(t *testing.T) {
	b := newBench(t)
	id, secret := b.user("ann")
	b.call("DELETE", "/tidegate/iam/accesskeys/"+secret, "")
	b.call("PATCH", "/tidegate/iam/accesskeys/"+secret, patchOf("replace", "/status", "Inactive"))
	b.call("PATCH", "/tidegate/iam/accesskeys/"+id, patchOf("replace", "/status", secret))
	b.call("POST", "/tidegate/iam/users/ann/accesskeys", `{"secretAccessKey":"`+secret+`"}`)
	b.call("PATCH", "/tidegate/iam/accesskeys/"+id, patchOf("replace", "/status", "Inactive"))
	b.call("PUT", "/tidegate/iam/policies/pets", policyOf(allowAll))
	b.call("PUT", "/tidegate/iam/policies/a%0Ab", policyOf(allowAll))
	log := b.log.String()
	if strings.Contains(log, secret) {
		t.Errorf("the log tells the secret:\n%s", log)
	}
	for _, want := range []string{"operation=CreateUser", "made=ann", "operation=CreateAccessKey", "user=ann", "made=" + id, "operation=UpdateAccessKey", "accesskey=" + id, "operation=PutPolicy", "policy=pets"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}

// TestWhoMayChangePrincipals has a peer that may look call every operation.
func TestWhoMayChangePrincipals(t *testing.T) {
	needRoot(t)
	reads := map[string]bool{"ListUsers": true, "GetUser": true, "GetUserPolicy": true, "ListAccessKeys": true, "ListPolicies": true, "GetPolicy": true, "SimulateUserPolicies": true}
	b := newBench(t, func(o *Options) { o.Mode, o.ReadGroup = 0o660, "40002" })
	id, _ := b.user("ann")
	b.want(200, "PUT", "/tidegate/iam/policies/pets", policyOf(allowAll))
	b.want(200, "PUT", "/tidegate/iam/users/ann/policies/pets", policyOf(allowAll))
	before := b.gateway.Catalog()
	var calls, want []string
	for _, o := range operations {
		if !strings.HasPrefix(o.path, "/tidegate/iam/") {
			continue
		}
		calls = append(calls, o.method+" "+strings.NewReplacer("{user}", "ann", "{policy}", "pets", "{accesskey}", id).Replace(o.path))
		switch {
		case o.name == "SimulateUserPolicies": // without a body
			want = append(want, "404NotFound")
		case reads[o.name]:
			want = append(want, "200")
		default:
			want = append(want, "403AccessDenied")
		}
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(b.socket)), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := childAs(t, &syscall.Credential{Uid: 12345, Gid: 40002}, childSocket+"="+b.socket, childCalls+"="+strings.Join(calls, ",")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); len(got) != 19 || !slices.Equal(got, want) {
		t.Errorf("calls %v\n got %v\nwant %v", calls, got, want)
	}
	if b.gateway.Catalog() != before {
		t.Error("something changed")
	}
}
