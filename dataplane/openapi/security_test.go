package openapi

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// TestAPIKeyRequired: a scheme that is an API key in the header X-API-Key, asked
// for by the operation or, if it does not say, by the document.
func TestAPIKeyRequired(t *testing.T) {
	const key = "type: apiKey, in: header, name: x-api-key"
	for _, c := range []struct {
		name, document string
		want           bool
	}{
		{"own", operation("security: [{k: []}]") + scheme(key), true},
		{"name in capitals", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: X-API-Key"), true},
		{"by reference", operation("security: [{l: []}]") + "components: {securitySchemes: {l: {$ref: '#/components/securitySchemes/k'}, k: {" + key + "}}}\n", true},
		{"with the authorization type NONE", operation("security: [{k: []}]\nx-amazon-apigateway-auth: {type: NONE}") + scheme(key), true},
		{"alternatives count together", operation("security: [{}, {k: []}]") + scheme(key), true},
		{"of the document", operation("responses: {}") + "security: [{k: []}]\n" + scheme(key), true},
		{"switched off", operation("security: []") + "security: [{k: []}]\n" + scheme(key), false},
		{"nothing asked", operation("security: [{}]") + "security: [{k: []}]\n" + scheme(key), false},
		{"not asked for", operation("responses: {}") + scheme(key), false},
	} {
		result := parse(t, c.document, Options{})
		equal(t, c.name, methods(result.Body)["GET /a/{id}"].APIKeyRequired, c.want)
		equal(t, c.name+": warnings", len(result.Warnings), 0)
	}
}

// TestAPIKeyOfAllOperations: the document's requirement holds for every
// operation without its own, whatever its verb.
func TestAPIKeyOfAllOperations(t *testing.T) {
	m := methods(parse(t, head+`paths:
  /a: {get: {}, options: {}, x-amazon-apigateway-any-method: {}}
  /b: {get: {security: []}, put: {security: [{k: []}]}}
security: [{k: []}]
`+scheme("type: apiKey, in: header, name: x-api-key"), Options{}).Body)
	for name, want := range map[string]bool{"GET /a": true, "OPTIONS /a": true, "ANY /a": true, "GET /b": false, "PUT /b": true} {
		equal(t, name, m[name].APIKeyRequired, want)
	}
}

func TestKeySourceAndGuaranteedRate(t *testing.T) {
	for _, c := range []struct {
		document, source string
		rate             float64
	}{
		{head, "", 0},
		{head + "x-amazon-apigateway-api-key-source: HEADER\n", definition.KeySourceHeader, 0},
		{head + "x-amazon-apigateway-api-key-source: authorizer\n", definition.KeySourceAuthorizer, 0},
		{head + "x-tidegate-guaranteed-rate: 250\n", "", 250},
		{head + "x-tidegate-guaranteed-rate: 0.5\n", "", 0.5},
		{head + "x-tidegate-guaranteed-rate: 1e3\n", "", 1000},
		{head + "x-tidegate-guaranteed-rate: 0\n", "", 0},
	} {
		result := parse(t, c.document, Options{})
		equal(t, "key source", []string{result.APIKeySource, result.Body.APIKeySource}, []string{c.source, c.source})
		equal(t, "guaranteed rate", []float64{result.GuaranteedRate, result.Body.GuaranteedRate}, []float64{c.rate, c.rate})
	}
}
