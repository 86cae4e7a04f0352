package openapi

import (
	"errors"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/dataplane/document"
)

// keyed is a document whose GET /a/{id} declares page and X-Tenant, and has the
// YAML as its cacheKeyParameters on line 8.
func keyed(parameters, more string) string {
	return operation("parameters: [{name: page, in: query}, {name: X-Tenant, in: header}]\n" +
		"x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://u/{id}', " +
		"requestParameters: {integration.request.header.X-From: context.stage}, cacheKeyParameters: " + parameters + more + "}")
}

func TestCacheKey(t *testing.T) {
	for _, c := range []struct {
		parameters string
		want       []string
	}{
		{"[]", nil},
		{"null", nil},
		{"[method.request.querystring.page]", []string{"method.request.querystring.page"}},
		{"[method.request.header.X-Tenant, method.request.path.id]", []string{"method.request.header.X-Tenant", "method.request.path.id"}},
		{"[integration.request.header.X-From, integration.request.path.id]", []string{"integration.request.header.X-From", "integration.request.path.id"}},
	} {
		m := methods(parse(t, keyed(c.parameters, ", cacheNamespace: pets"), Options{}).Body)["GET /a/{id}"]
		if !slices.Equal(m.Integration.CacheKeyParameters, c.want) || m.Integration.CacheNamespace != "pets" {
			t.Errorf("%s: %+v", c.parameters, m.Integration)
		}
	}
	m := methods(parse(t, keyed("[method.request.path.id]", ""), Options{}).Body)["GET /a/{id}"]
	if !m.RequestParameters["method.request.path.id"] || m.Integration.CacheNamespace != "" {
		t.Errorf("%+v %+v", m, m.Integration)
	}
	mock := methods(parse(t, operation("x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'}, responses: {default: {statusCode: 200}}, cacheKeyParameters: [method.request.path.id]}"), Options{}).Body)["GET /a/{id}"]
	if len(mock.Integration.CacheKeyParameters) != 1 || !mock.RequestParameters["method.request.path.id"] {
		t.Errorf("%+v %+v", mock, mock.Integration)
	}
}

// TestCacheKeyOfRevision: deployments that tell entries apart by other parts are
// not the same.
func TestCacheKeyOfRevision(t *testing.T) {
	seen := map[string]string{}
	for _, document := range []string{keyed("[]", ""), keyed("[method.request.path.id]", ""), keyed("[]", ", cacheNamespace: n")} {
		revision := parse(t, document, Options{APIID: "a"}).Body.Revision
		if seen[revision] != "" {
			t.Errorf("the same revision of\n%s\nand\n%s", document, seen[revision])
		}
		seen[revision] = document
	}
}

func TestCacheKeyRefused(t *testing.T) {
	const at = "line 8: paths./a/{id}.get.x-amazon-apigateway-integration.cacheKeyParameters"
	const grammar = "is not a part of a cache key; use method.request.{path|querystring|header}.NAME or integration.request.{path|querystring|header}.NAME"
	for parameters, want := range map[string]string{
		"{}":     at + ": must be a list",
		"[page]": at + `[0]: "page" ` + grammar,
		"[method.request.path.id, method.request.body]":   at + `[1]: "method.request.body" ` + grammar,
		"[method.request.multivalueheader.X-Tenant]":      grammar,
		"[method.request.querystring.]":                   grammar,
		"['method.request.querystring.a b']":              grammar,
		"[context.request.header.X-Tenant]":               grammar,
		"[stageVariables.page]":                           grammar,
		"[5]":                                             at + "[0]: must be a text, such as method.request.querystring.page",
		"[[a]]":                                           "must be a text",
		"[method.request.querystring.pgae]":               at + `[0]: "method.request.querystring.pgae" is not among the operation's parameters; declare it there; did you mean "method.request.querystring.page"?`,
		"[method.request.header.Authorization]":           `"method.request.header.Authorization" is not among the operation's parameters; declare it there`,
		"[method.request.header.x-tenant]":                `declare it there; did you mean "method.request.header.X-Tenant"?`,
		"[method.request.path.name]":                      at + "[0]: the path has no {name}; name one of its parameters",
		"[integration.request.header.X-To]":               at + `[0]: "integration.request.header.X-To" is not among requestParameters; map it there, or name a parameter of the operation`,
		"[integration.request.querystring.page]":          "is not among requestParameters",
		"[integration.request.multivalueheader.X-Tenant]": grammar,
	} {
		_, err := Parse([]byte(keyed(parameters, "")), Options{})
		contains(t, err, want)
		var list *document.Errors
		if errors.As(err, &list) && len(list.Problems) != 1 {
			t.Errorf("%s: %s", parameters, list)
		}
	}
	_, err := Parse([]byte(integration("cacheNamespace: [a]")), Options{})
	contains(t, err, inAt+"cacheNamespace: must be a text")
}
