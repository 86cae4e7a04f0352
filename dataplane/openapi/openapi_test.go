package openapi

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t *testing.T, document string, o Options) *Result {
	t.Helper()
	result, err := Parse([]byte(document), o)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, document)
	}
	return result
}

// methods returns "GET /pets" and so on.
func methods(b *definition.Body) map[string]*definition.Method {
	out := map[string]*definition.Method{}
	for _, res := range b.Resources {
		for verb, m := range res.Methods {
			out[verb+" "+res.Path] = m
		}
	}
	return out
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %#v\nwant %#v", what, got, want)
	}
}

func TestParseYAML(t *testing.T) {
	result := parse(t, string(read(t, "petstore.yaml")), Options{APIID: "abc123"})
	equal(t, "name", result.Name, "petstore")
	equal(t, "description", result.Description, "Pets, proxied")
	equal(t, "version", result.Version, "1.0")
	equal(t, "endpoint type", result.EndpointType, definition.EndpointRegional)
	equal(t, "tags", result.Tags, map[string]string{"team": "pets"})
	equal(t, "warnings", result.Warnings, []string{
		"line 47: paths./pets.get.x-amazon-apigateway-integration.requestParameters.integration.request.header.X-Wrong: Invalid format for 'requestParameters'. Expected type string for property 'integration.request.header.X-Wrong' of resource '/pets' and method 'GET' but got 'true'",
	})

	body := result.Body
	equal(t, "disabled endpoint", body.DisableExecuteAPIEndpoint, true)
	var paths []string
	for _, res := range body.Resources {
		paths = append(paths, res.Path)
	}
	equal(t, "paths", paths, []string{"/", "/files", "/files/{proxy+}", "/pets", "/pets/{id}", "/pets/{id}/photos", "/planned"})
	equal(t, "root", body.RootResourceID, body.Resources[0].ID)
	equal(t, "parent", body.Resources[4].ParentID, body.Resources[3].ID)
	equal(t, "part", body.Resources[4].PathPart, "{id}")

	m := methods(body)
	equal(t, "methods", slices.Sorted(maps.Keys(m)), []string{
		"ANY /pets/{id}/photos", "GET /files/{proxy+}", "GET /pets", "GET /planned", "OPTIONS /pets",
	})
	equal(t, "GET /pets", m["GET /pets"], &definition.Method{
		HTTPMethod: "GET", OperationName: "listPets",
		RequestParameters: map[string]bool{"method.request.querystring.limit": false, "method.request.header.X-Trace": true},
		Responses:         map[string][]string{"200": {"method.response.header.Access-Control-Allow-Origin", "method.response.header.x-total"}},
		Integration: &definition.Integration{
			Type: "HTTP_PROXY", HTTPMethod: "GET", TimeoutMillis: 5000, PassthroughBehavior: "WHEN_NO_MATCH", InsecureSkipVerification: true,
			URI: "https://${stageVariables.host}:8443/v1/pets?from=${stageVariables.from}",
			RequestParameters: map[string]string{
				"integration.request.querystring.max": "method.request.querystring.limit",
				"integration.request.header.X-Trace":  "method.request.multivalueheader.X-Trace",
				"integration.request.header.X-From":   "'tidegate'",
				"integration.request.header.X-Stage":  "context.stage",
				"integration.request.header.X-Var":    "stageVariables.var",
			},
		},
	})
	equal(t, "OPTIONS /pets", m["OPTIONS /pets"].Integration, &definition.Integration{
		Type: "MOCK", TimeoutMillis: 29000,
		RequestTemplates: map[string]string{"application/json": "{statusCode: 204}"},
		Responses: []*definition.IntegrationResponse{{
			StatusCode:         "204",
			ResponseParameters: map[string]string{"method.response.header.Access-Control-Allow-Origin": "'*'"},
		}},
	})
	photos := m["ANY /pets/{id}/photos"]
	equal(t, "path parameter", photos.RequestParameters, map[string]bool{"method.request.path.id": true})
	equal(t, "filled placeholder", photos.Integration.RequestParameters, map[string]string{"integration.request.path.id": "method.request.path.id"})
	equal(t, "patterns", []string{photos.Integration.Responses[0].SelectionPattern, photos.Integration.Responses[1].SelectionPattern}, []string{"", `4\d{2}`})
	equal(t, "greedy", m["GET /files/{proxy+}"].Integration.RequestParameters["integration.request.path.proxy"], "method.request.path.proxy")
	if m["GET /planned"].Integration != nil {
		t.Error("GET /planned has an integration")
	}
}

func TestParseJSON31(t *testing.T) {
	m := methods(parse(t, string(read(t, "minimal31.json")), Options{}).Body)
	equal(t, "methods", slices.Sorted(maps.Keys(m)), []string{"DELETE /item", "GET /"})
	equal(t, "declared", m["GET /"].Responses, map[string][]string{"200": {}})
	equal(t, "body", m["GET /"].Integration.Responses[0].ResponseTemplates["application/json"], `{"ok": "é/"}`)
	equal(t, "uri", m["DELETE /item"].Integration.URI, "http://[::1]:9000/item")
}

func TestRevisionAndIDs(t *testing.T) {
	document := string(read(t, "petstore.yaml"))
	one := parse(t, document, Options{APIID: "one"}).Body
	equal(t, "the same again", parse(t, document, Options{APIID: "one"}).Body, one)
	if two := parse(t, document, Options{APIID: "two"}).Body; two.RootResourceID == one.RootResourceID {
		t.Error("two APIs share a resource id")
	}
	changed := parse(t, strings.Replace(document, "5000", "5001", 1), Options{APIID: "one"}).Body
	if changed.Revision == one.Revision || changed.RootResourceID != one.RootResourceID {
		t.Error("a change must change the revision and no id")
	}
}

func TestAWSVariables(t *testing.T) {
	o := Options{AccountID: "123456789012", Partition: "aws", Region: "eu-west-1"}
	document := `{openapi: 3.0.1, info: {title: "${AWS::AccountId} ${AWS::Region}", description: "${AWS::Partition}"}}`
	result := parse(t, document, o)
	equal(t, "title", result.Name, "123456789012 eu-west-1")
	equal(t, "description", result.Description, "aws")
	equal(t, "resources", len(result.Body.Resources), 1)
	_, err := Parse([]byte(`{openapi: 3.0.1, info: {title: "${AWS::StackId}"}}`), o)
	contains(t, err, `line 1: info.title: "${AWS::StackId}" is not known`)
}

// contains checks that err is a *document.Errors with the text.
func contains(t *testing.T, err error, want string) {
	t.Helper()
	var list *document.Errors
	if !errors.As(err, &list) || !strings.Contains(err.Error(), want) {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}

// TestBasePath is item 30 of the compatibility checklist, and what API Gateway
// did with the same servers when it was recorded.
func TestBasePath(t *testing.T) {
	const (
		variable = `[{url: "https://x.example/{basePath}", variables: {basePath: {default: /base-var}}}]`
		address  = `[{url: "https://x.example/base-url/part"}, {url: /second}]`
		stage    = `[{url: "https://x.example/{stage}/v1", variables: {stage: {default: prod}}}]`
		none     = `[{url: "https://x.example"}]`
	)
	for _, c := range []struct{ mode, servers, want string }{
		{"", variable, "/test"},
		{BasePathIgnore, address, "/test"},
		{BasePathPrepend, variable, "/base-var/test"},
		{BasePathPrepend, address, "/base-url/part/test"},
		{BasePathPrepend, stage, "/prod/v1/test"},
		{BasePathPrepend, none, "/test"},
		{BasePathSplit, variable, "/test"},
		{BasePathSplit, address, "/part/test"},
		{BasePathSplit, stage, "/v1/test"},
		{BasePathSplit, none, "/test"},
		{BasePathSplit, `[]`, "/test"},
	} {
		body := parse(t, `{openapi: 3.0.1, info: {title: t}, servers: `+c.servers+`, paths: {/test: {get: {}}}}`, Options{BasePath: c.mode}).Body
		equal(t, c.mode+" "+c.servers, body.Resources[len(body.Resources)-1].Path, c.want)
	}
	_, err := Parse([]byte(`{openapi: 3.0.1, info: {title: t}, servers: [{url: "/a b/c"}]}`), Options{BasePath: BasePathSplit})
	contains(t, err, `servers[0]: base path "a%20b/c"`)
	_, err = Parse(nil, Options{BasePath: "drop"})
	contains(t, err, `basepath "drop" is unknown`)
}

func TestHostTimeout(t *testing.T) {
	document := func(millis string) []byte {
		return []byte(operation("x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://u', timeoutInMillis: " + millis + "}"))
	}
	for _, c := range []struct {
		millis string
		most   int
		ok     bool
	}{
		{"50", 0, true}, {"49", 0, false}, {"29000", 0, true}, {"29001", 0, false},
		{"29001", 120000, true}, {"120001", 120000, false}, {`"5000"`, 0, false}, {"5e3", 0, false},
	} {
		if _, err := Parse(document(c.millis), Options{MaxTimeoutMillis: c.most}); (err == nil) != c.ok {
			t.Errorf("%s of %d: %v", c.millis, c.most, err)
		}
	}
}

// TestSharedParameters: an operation overrides its path's parameters, and a
// reference may name any part of the document.
func TestSharedParameters(t *testing.T) {
	m := methods(parse(t, head+`paths:
  /a/{id}:
    parameters: [{name: q, in: query, required: true}, {name: r, in: query, required: true}]
    get: {parameters: [{name: q, in: query}, {$ref: '#/paths/~1b/get/parameters/0'}]}
    post: {}
  /b: {get: {parameters: [{name: X-B, in: header, required: true}]}}
`, Options{}).Body)
	const q, r, x = "method.request.querystring.q", "method.request.querystring.r", "method.request.header.X-B"
	equal(t, "GET", m["GET /a/{id}"].RequestParameters, map[string]bool{q: false, r: true, x: true})
	equal(t, "POST", m["POST /a/{id}"].RequestParameters, map[string]bool{q: true, r: true})
}

func TestMergeKeys(t *testing.T) {
	m := methods(parse(t, head+`x-upstream: &upstream {type: http_proxy, httpMethod: GET, uri: 'http://u', timeoutInMillis: 100}
x-slow: &slow {timeoutInMillis: 200}
paths:
  /a: {get: {x-amazon-apigateway-integration: {<<: *upstream, uri: 'http://v'}}}
  /b: {get: {x-amazon-apigateway-integration: {<<: [*slow, *upstream]}}}
`, Options{}).Body)
	a, b := m["GET /a"].Integration, m["GET /b"].Integration
	equal(t, "own before merged", []any{a.URI, a.TimeoutMillis}, []any{"http://v", 100})
	equal(t, "first before second", []any{b.URI, b.TimeoutMillis}, []any{"http://u", 200})
}
