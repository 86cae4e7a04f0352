package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

func TestValidate(t *testing.T) {
	f := &fixture{}
	api := write(t, "api.yaml", petstore)
	broken := write(t, "broken.yaml", brokenAPI)
	host := write(t, "host.yaml", "region: eu-west-1\n")
	badHost := write(t, "bad.yaml", "regon: eu-west-1\n")

	out := f.must(t, "validate", api, host)
	for _, want := range []string{
		api + `: valid OpenAPI document: API "petstore" with 1 method`,
		host + ": valid host file: 1 listener, 0 domains",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("validate printed\n%s\nwithout %q", out, want)
		}
	}
	f.refused(t, exitRefused, broken+":8: paths./pets.get", "validate", api, broken)
	f.refused(t, exitRefused, badHost+`:1: unknown key "regon"; did you mean "region"?`, "validate", badHost)
	f.refused(t, exitFailure, "no such file", "validate", "none.yaml")

	code, out, _ := f.run("validate", "--json", api, badHost)
	var verdicts []verdict
	if err := json.Unmarshal([]byte(out), &verdicts); err != nil || code != exitRefused {
		t.Fatalf("validate --json: exit code %d, %v\n%s", code, err, out)
	}
	if !verdicts[0].Valid || verdicts[1].Valid || verdicts[1].Kind != "host file" || len(verdicts[1].Problems) != 1 {
		t.Errorf("verdicts %+v", verdicts)
	}
}

// TestValidateUsesTheHostsLimits: a host file may allow more than AWS does.
func TestValidateUsesTheHostsLimits(t *testing.T) {
	f := &fixture{}
	slow := write(t, "slow.yaml", strings.Replace(petstore, "type: http_proxy,", "type: http_proxy, timeoutInMillis: 60000,", 1))
	host := write(t, "host.yaml", "limits: {integration_timeout: 2m}\n")
	f.refused(t, exitRefused, "timeoutInMillis", "validate", slow)
	f.must(t, "validate", slow, "--config", host)
}

// TestValidateUsesTheHostsIssuers: a host may allow issuers of tokens that are not
// at public https addresses.
func TestValidateUsesTheHostsIssuers(t *testing.T) {
	f := &fixture{}
	api := write(t, "api.yaml", `openapi: 3.0.1
info: {title: orders, version: "1"}
components: {securitySchemes: {us: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {issuer: "http://127.0.0.1:1", audience: [a]}}}}}
paths: {/a: {get: {security: [{us: []}], responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://127.0.0.1:8081/"}}}}
`)
	f.refused(t, exitRefused, "write https; the host does not allow http for issuers", "validate", api)
	f.must(t, "validate", api, "--config", write(t, "host.yaml", "tokens: {allow_http: true}\n"))
	f.refused(t, exitRefused, "tokens.ca_file", "validate", write(t, "ca.yaml", "tokens: {ca_file: none.pem}\n"))
}

func TestValidateChecksCertificates(t *testing.T) {
	f := &fixture{}
	host := write(t, "host.yaml", "listeners: [{name: a, address: ':8443', tls: {certificates: [{cert: none.pem, key: none.key}]}}]\n")
	f.refused(t, exitRefused, "none.pem", "validate", host)
}

func TestValidateChecksTruststores(t *testing.T) {
	f := &fixture{}
	pem := func(edits ...testpki.Edit) string {
		return string(testpki.PEM(testpki.NewCA(t, "root", edits...).Cert))
	}
	old := testpki.Valid(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	cert, key := testpki.SelfSigned(t, "server").Write(t, t.TempDir(), "server")
	host := func(truststore string) string {
		return write(t, "host.yaml", "listeners: [{name: a, address: ':8443', tls: {certificates: [{cert: "+cert+", key: "+key+"}]}}]\n"+
			"domains: [{name: a.example, mappings: [{api: a}], mutual_tls: {truststore: "+truststore+"}}]\n")
	}
	f.must(t, "validate", host(write(t, "good.pem", pem())))
	f.refused(t, exitRefused, `domain "a.example": mutual_tls: trust store: open`, "validate", host("none.pem"))
	f.refused(t, exitRefused, "holds no certificate", "validate", host(write(t, "empty.pem", "")))
	code, _, stderr := f.run("validate", host(write(t, "old.pem", pem(old))))
	if want := `domain "a.example": old.pem:1: the certificate of "O=Example Corp,CN=root" has expired on`; code != 0 || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, %s, want %s", code, stderr, want)
	}
}

func TestQuickStartIsValid(t *testing.T) {
	const folder = "../../configs/examples/quickstart/"
	out := (&fixture{}).must(t, "validate", folder+"tidegate.yaml", folder+"petstore.yaml", "../../configs/systemd/tidegate.yaml")
	if !strings.Contains(out, `API "petstore" with 4 methods`) {
		t.Errorf("validate printed\n%s", out)
	}
}

func TestChatIsValid(t *testing.T) {
	const folder = "../../configs/examples/chat/"
	out := (&fixture{}).must(t, "validate", folder+"tidegate.yaml", folder+"chat.yaml")
	if !strings.Contains(out, `API "chat" with 4 routes`) {
		t.Errorf("validate printed\n%s", out)
	}
}

func TestKindOfFile(t *testing.T) {
	for text, api := range map[string]bool{
		"openapi: 3.0.1\n":                     true,
		"info: {}\nopenapi: \"3.1.0\"\n":       true,
		"{\"openapi\": \"3.0.1\"}":             true,
		"{\n  \"info\": {},\n  \"swagger\": 2": true,
		"region: us-east-1\n":                  false,
		"# openapi: no\nregion: us-east-1\n":   false,
		"domains: [{name: openapi}]\n":         false,
		"":                                     false,
	} {
		if got := versionKey.MatchString(text); got != api {
			t.Errorf("%q: OpenAPI is %v, want %v", text, got, api)
		}
	}
}
