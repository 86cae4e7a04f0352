package control

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const wafRoot = "/tidegate/waf"

// aclOf is the body of a put of a web ACL, whose rules are written with single
// quotes.
func aclOf(rules ...string) string {
	document := `{'DefaultAction':{'Allow':{}},'Rules':[` + strings.Join(rules, ",") + `]}`
	text, _ := json.Marshal(map[string]string{"document": strings.ReplaceAll(document, "'", `"`)})
	return string(text)
}

func blocks(name, ipSet string) string {
	return `{'Name':'` + name + `','Priority':1,'Action':{'Block':{}},'Statement':{'IPSetReferenceStatement':{'ARN':'` + ipSet + `'}}}`
}

func TestWebACLLifecycle(t *testing.T) {
	b := newBench(t)
	made := b.want(200, "PUT", wafRoot+"/webacls/shop", `{"document":"{\"DefaultAction\":{\"Allow\":{}}}","description":"d","tags":{"a":"b"}}`)
	id := made["id"].(string)
	shop := `{"name":"shop","id":"` + id + `","arn":"arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/` + id + `",` +
		`"description":"d","tags":{"a":"b"},"stages":STAGES,"document":DOCUMENT}`
	with := func(stages, document string) string {
		return strings.NewReplacer("STAGES", stages, "DOCUMENT", document).Replace(shop)
	}
	wantJSON(t, "put", made, with("[]", `"{\"DefaultAction\":{\"Allow\":{}}}"`))
	wantJSON(t, "put again", b.want(200, "PUT", wafRoot+"/webacls/shop", `{"document":"{\"DefaultAction\":{\"Block\":{}}}"}`), with("[]", `"{\"DefaultAction\":{\"Block\":{}}}"`))
	b.want(200, "PUT", wafRoot+"/webacls/a", aclOf())
	if got := b.names(wafRoot+"/webacls", "name"); got != "a shop" {
		t.Errorf("web ACLs: %s", got)
	}
	if got := b.names(wafRoot+"/webacls?limit=1", "name"); got != "a" {
		t.Errorf("a page: %s", got)
	}

	// A stage has it by its name, its ARN or its id.
	api := b.imported()
	b.deployed(api, "prod")
	stage := "/restapis/" + api + "/stages/prod"
	for _, name := range []string{"shop", made["arn"].(string), id} {
		b.want(200, "PATCH", stage, patchOf("remove", "/x-tidegate-web-acl", ""))
		if got := b.want(200, "PATCH", stage, patchOf("replace", "/x-tidegate-web-acl", name))["webAclArn"]; got != made["arn"] {
			t.Errorf("attached %s: %v", name, got)
		}
	}
	b.deployed(api, "prod")
	b.deployed(api, "test")
	wantJSON(t, "get", b.want(200, "GET", wafRoot+"/webacls/shop", ""), with(`[{"apiId":"`+api+`","stageName":"prod"}]`, `"{\"DefaultAction\":{\"Block\":{}}}"`))
	if got := b.want(200, "GET", stage, "")["webAclArn"]; got != made["arn"] {
		t.Errorf("after another deployment: %v", got)
	}
	b.wantError("DELETE", wafRoot+"/webacls/shop", "", 409, CodeConflict, "Cannot delete web ACL shop because it protects stages: petstore:prod. Detach it first")
	if got := b.want(200, "PATCH", stage, patchOf("remove", "/x-tidegate-web-acl", ""))["webAclArn"]; got != nil {
		t.Errorf("detached: %v", got)
	}
	b.want(202, "DELETE", wafRoot+"/webacls/shop", "")
	b.wantError("GET", wafRoot+"/webacls/shop", "", 404, CodeNotFound, "The web ACL with name shop cannot be found.")

	wantJSON(t, "stats", b.want(200, "GET", wafRoot+"/stats", ""), `{"webAcls":[{"name":"a","rules":[{"rule":"bad","allowed":0,"blocked":3,"counted":0},{"allowed":4,"blocked":0,"counted":0}]}],`+
		`"inspections":{"running":1,"waiting":2,"refused":3,"timedOut":4,"failed":5}}`)
	wantJSON(t, "samples", b.want(200, "GET", wafRoot+"/webacls/a/samples", ""), `{"item":[{"time":"2026-11-22T11:59:59Z","rule":"bad","action":"BLOCK","source":"192.0.2.1","method":"GET","host":"x","uri":"/prod/a?b"}]}`)
}

func TestIPSetLifecycle(t *testing.T) {
	b := newBench(t)
	const sets = wafRoot + "/ipsets"
	made := b.want(200, "PUT", sets+"/bad", `{"addresses":["192.0.2.0/24","198.51.100.7"," 192.0.2.0/24 "],"description":"d","tags":{"a":"b"}}`)
	id := made["id"].(string)
	set := func(count, change, webACLs, gate string) string {
		return `{"name":"bad","id":"` + id + `","arn":"arn:aws:wafv2:us-east-1:000000000000:regional/ipset/bad/` + id + `","description":"d","tags":{"a":"b"},` +
			`"ipAddressVersion":"IPV4","addressCount":` + count + `,"kernelGate":` + gate + `,"webAcls":` + webACLs + change + `}`
	}
	wantJSON(t, "put", made, set("2", `,"added":2`, "[]", "false"))
	addresses := func(query string) string {
		var all []string
		for _, a := range b.want(200, "GET", sets+"/bad/addresses"+query, "")["item"].([]any) {
			all = append(all, a.(string))
		}
		return strings.Join(all, " ")
	}
	if got := addresses(""); got != "192.0.2.0/24 198.51.100.7/32" {
		t.Errorf("addresses: %s", got)
	}
	wantJSON(t, "change", b.want(200, "PATCH", sets+"/bad/addresses", `{"add":["203.0.113.0/24","192.0.2.0/24"],"remove":["198.51.100.7/32","198.51.100.8"]}`),
		set("2", `,"added":1,"removed":1`, "[]", "false"))
	wantJSON(t, "put text", b.want(200, "PUT", sets+"/bad?format=text", "# bots\n10.0.0.0/8\n\n203.0.113.0/24 # more\n"), set("2", `,"added":1,"removed":1`, "[]", "false"))
	wantJSON(t, "put nothing", b.want(200, "PUT", sets+"/bad", `{}`), set("2", "", "[]", "false"))
	if got := addresses(""); got != "10.0.0.0/8 203.0.113.0/24" {
		t.Errorf("addresses: %s", got)
	}
	page := b.want(200, "GET", sets+"/bad/addresses?limit=1", "")
	if got := addresses("?limit=1&position=" + page["position"].(string)); got != "203.0.113.0/24" {
		t.Errorf("the second page: %s", got)
	}

	b.want(200, "PUT", wafRoot+"/webacls/shop", aclOf(blocks("one", id)))
	b.want(200, "PUT", wafRoot+"/webacls/blog", aclOf(blocks("one", made["arn"].(string))))
	wantJSON(t, "in use", b.want(200, "GET", sets+"/bad", ""), set("2", "", `["blog","shop"]`, "false"))
	b.wantError("DELETE", sets+"/bad", "", 409, CodeConflict, "Cannot delete IP set bad because web ACLs name it: blog, shop. Change their rules first")
	wantJSON(t, "kept out", b.want(200, "PUT", sets+"/bad", `{"kernelGate":true}`),
		set("2", `,"warnings":["10.0.0.0/24 is not kept out of the host: it is never shut out, by trusted_proxies or kernel_gate.never of the host file, or as loopback"]`, `["blog","shop"]`, "true"))
	b.wantError("PUT", wafRoot+"/webacls/shop", aclOf(strings.Replace(blocks("one", id), "Block", "Count", 1)), 400, CodeBadRequest,
		`web ACL "shop": Rules[0].Statement.IPSetReferenceStatement.ARN: the IP set bad keeps its addresses out of the whole host, so that it can only be in a rule that blocks them: by itself or in an OrStatement, and without IPSetForwardedIPConfig`)

	b.want(200, "PUT", sets+"/six?format=text&ipAddressVersion=IPV6&kernelGate=false&description=x", "")
	if got := b.names(sets, "name"); got != "bad six" {
		t.Errorf("IP sets: %s", got)
	}
	b.want(202, "DELETE", sets+"/six", "")
	b.want(202, "DELETE", wafRoot+"/webacls/shop", "")
	b.want(202, "DELETE", wafRoot+"/webacls/blog", "")
	b.want(202, "DELETE", sets+"/bad", "")
	b.wantError("GET", sets+"/bad", "", 404, CodeNotFound, "The IP set with name bad cannot be found.")
}

// TestMillionAddresses is as large as a set can be, as text and as JSON.
func TestMillionAddresses(t *testing.T) {
	if underRace {
		t.Skip("it takes long under the race detector, and has no goroutines of its own")
	}
	b := newBench(t)
	var text, list strings.Builder
	for i := range 1_000_000 {
		address := fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff)
		fmt.Fprintln(&text, address)
		if fmt.Fprintf(&list, "%q", address); i < 999_999 {
			list.WriteByte(',')
		}
	}
	made := b.want(200, "PUT", wafRoot+"/ipsets/large?format=text", text.String())
	if made["addressCount"] != 1e6 || made["added"] != 1e6 {
		t.Errorf("%v", made)
	}
	if made := b.want(200, "PUT", wafRoot+"/ipsets/large", `{"addresses":[`+list.String()+`]}`); made["addressCount"] != 1e6 || made["added"] != nil {
		t.Errorf("%v", made)
	}
	b.wantError("PUT", wafRoot+"/ipsets/large?format=text", text.String()+"2001:db9::/32\n", 400, CodeBadRequest,
		"Invalid addresses: line:1000001: more networks than there may be: 1000000")
	if a := b.call("PUT", wafRoot+"/ipsets/large?format=text", strings.Repeat("#", maxAddressBytes+1)); a.status != 413 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.call("PUT", wafRoot+"/webacls/large", strings.Repeat(" ", maxBody+1)); a.status != 413 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRegexPatternSetLifecycle(t *testing.T) {
	b := newBench(t)
	const sets = wafRoot + "/regexpatternsets"
	made := b.want(200, "PUT", sets+"/words", `{"regularExpressionList":["evil","bad+"]}`)
	id := made["id"].(string)
	set := func(list, webACLs string) string {
		return `{"name":"words","id":"` + id + `","arn":"arn:aws:wafv2:us-east-1:000000000000:regional/regexpatternset/words/` + id + `","tags":{},"regularExpressionList":` + list + `,"webAcls":` + webACLs + `}`
	}
	wantJSON(t, "put", made, set(`["evil","bad+"]`, "[]"))
	b.want(200, "PUT", wafRoot+"/webacls/shop", aclOf(`{'Name':'one','Priority':1,'Action':{'Block':{}},'Statement':{'RegexPatternSetReferenceStatement':{'ARN':'`+id+`','FieldToMatch':{'UriPath':{}},'TextTransformations':[{'Priority':0,'Type':'NONE'}]}}}`))
	wantJSON(t, "put again", b.want(200, "PUT", sets+"/words", `{"regularExpressionList":["x"]}`), set(`["x"]`, `["shop"]`))
	wantJSON(t, "get", b.want(200, "GET", sets+"/words", ""), set(`["x"]`, `["shop"]`))
	b.wantError("DELETE", sets+"/words", "", 409, CodeConflict, "Cannot delete regex pattern set words because web ACLs name it: shop. Change their rules first")
	b.want(202, "DELETE", wafRoot+"/webacls/shop", "")
	if got := b.names(sets, "name"); got != "words" {
		t.Errorf("pattern sets: %s", got)
	}
	b.want(202, "DELETE", sets+"/words", "")
	b.wantError("DELETE", sets+"/words", "", 404, CodeNotFound, "The regex pattern set with name words cannot be found.")
}

func TestWAFRefusals(t *testing.T) {
	b := newBench(t)
	api := b.imported()
	b.deployed(api, "prod")
	b.want(200, "PUT", wafRoot+"/ipsets/four", `{"ipAddressVersion":"IPV4"}`)
	const pattern = `Member must satisfy regular expression pattern: ^[\w-]{1,128}$`
	for _, c := range []struct{ method, path, body, code, message string }{
		{"PUT", "/webacls/shop", `{}`, CodeValidation, "1 validation error detected: Value null at 'putWebACLInput.document' failed to satisfy constraint: Member must not be null"},
		{"PUT", "/webacls/shop", `{"document":"{}","rules":[]}`, CodeBadRequest, `Invalid request body: unknown member "rules"`},
		{"PUT", "/webacls/shop", `{"document":"{"}`, CodeBadRequest, `web ACL "shop": byte 1 of the document: unexpected end of JSON input`},
		{"PUT", "/webacls/a%20b", aclOf(), CodeValidation, "1 validation error detected: Value 'a b' at 'putWebACLInput.name' failed to satisfy constraint: " + pattern},
		{"PUT", "/webacls/shop", aclOf(blocks("one", "none")), CodeBadRequest, `web ACL "shop": Rules[0].Statement.IPSetReferenceStatement.ARN: there is no IP set none`},
		{"PUT", "/ipsets/new", `{}`, CodeValidation, "1 validation error detected: Value null at 'putIPSetInput.ipAddressVersion' failed to satisfy constraint: Member must not be null"},
		{"PUT", "/ipsets/new", `{"ipAddressVersion":"IPV5"}`, CodeValidation, "1 validation error detected: Value 'IPV5' at 'putIPSetInput.ipAddressVersion' failed to satisfy constraint: Member must satisfy enum value set: [IPV4, IPV6]"},
		{"PUT", "/ipsets/new", `{"addresses":["192.0.2.0/24","2001:db8::/32"]}`, CodeBadRequest, "Invalid addresses: addresses[1]: 2001:db8::/32 is not of IPV4, as the others of the set are. Make another set for it"},
		{"PUT", "/ipsets/new", `{"addresses":["192.0.2.1/24"]}`, CodeBadRequest, `Invalid addresses: addresses[0]: "192.0.2.1/24" has bits beyond the prefix; write 192.0.2.0/24`},
		{"PUT", "/ipsets/new", `{"addresses":["0.0.0.0/0"]}`, CodeBadRequest, `Invalid addresses: addresses[0]: "0.0.0.0/0" is every address; name the networks you mean`},
		{"PUT", "/ipsets/new?format=text", "192.0.2.0/24\nbots\n", CodeBadRequest, `Invalid addresses: line:2: "bots" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`},
		{"PUT", "/ipsets/new?format=text&kernelGate=x", "", CodeBadRequest, "Invalid kernelGate: x. It must be true or false"},
		{"PUT", "/ipsets/new?format=text&tags=x", "", CodeBadRequest, "parameter tags of PutIPSet is not supported yet"},
		{"PUT", "/ipsets/four", `{"ipAddressVersion":"IPV6"}`, CodeBadRequest, "IP set four has addresses of IPV4. Make another one for IPV6"},
		{"PUT", "/ipsets/new", `{"description":"` + strings.Repeat("x", 257) + `"}`, CodeValidation, "1 validation error detected: Value at 'putIPSetInput.description' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"PATCH", "/ipsets/four/addresses", `{"add":["2001:db8::1"]}`, CodeBadRequest, "Invalid addresses: add[0]: 2001:db8::1/128 is not of IPV4, as the others of the set are. Make another set for it"},
		{"PATCH", "/ipsets/four/addresses", `{"remove":["x"]}`, CodeBadRequest, `Invalid addresses: remove[0]: "x" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`},
		{"GET", "/ipsets/four/addresses?limit=0", "", CodeBadRequest, "Invalid limit: 0. It must be a number from 1 to 10000"},
		{"GET", "/ipsets/four/addresses?position=eA", "", CodeBadRequest, "Invalid position: eA"},
		{"PUT", "/regexpatternsets/new", `{}`, CodeValidation, "1 validation error detected: Value null at 'putRegexPatternSetInput.regularExpressionList' failed to satisfy constraint: Member must not be null"},
		{"PUT", "/regexpatternsets/new", `{"regularExpressionList":[]}`, CodeBadRequest, "Invalid regex pattern set: regularExpressionList: the set new must have 1 to 100 expressions, and has 0"},
	} {
		b.wantError(c.method, wafRoot+c.path, c.body, 400, c.code, c.message)
	}
	for _, path := range []string{"/webacls/none", "/webacls/none/samples", "/ipsets/none", "/ipsets/none/addresses", "/regexpatternsets/none"} {
		if a := b.call("GET", wafRoot+path, ""); a.status != 404 || a.errType != CodeNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	b.wantError("PATCH", wafRoot+"/ipsets/none/addresses", `{}`, 404, CodeNotFound, "The IP set with name none cannot be found.")
	stage := "/restapis/" + api + "/stages/prod"
	b.wantError("PATCH", stage, patchOf("replace", "/x-tidegate-web-acl", "none"), 400, CodeBadRequest, "There is no web ACL none")
	b.wantError("PATCH", stage, patchOf("replace", "/x-tidegate-web-acl", ""), 400, CodeBadRequest, "Invalid value for /x-tidegate-web-acl: name a web ACL by its name, ARN or id, or remove it")
}
