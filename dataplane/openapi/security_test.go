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

func TestPriority(t *testing.T) {
	result := parse(t, head+`x-tidegate-priority: low
paths:
  /a:
    get: {x-tidegate-priority: high, responses: {"200": {description: ok}}}
    put: {responses: {"200": {description: ok}}}
`, Options{})
	equal(t, "priority", []string{result.Priority, result.Body.Priority}, []string{"low", "low"})
	m := methods(result.Body)
	equal(t, "priorities of methods", []string{m["GET /a"].Priority, m["PUT /a"].Priority}, []string{"high", ""})
}

// TestAuthorization: how a method is authorized, by the operation or the
// document, and what becomes of the authorizers.
func TestAuthorization(t *testing.T) {
	const (
		token  = "type: apiKey, in: header, name: X-Token, x-amazon-apigateway-authtype: custom, x-amazon-apigateway-authorizer: {type: token, authorizerUri: 'http://a/', authorizerResultTtlInSeconds: 0, identityValidationExpression: '^x'}"
		pool   = "type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: COGNITO_USER_POOLS, providerARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a']}"
		jwt    = "type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {issuer: 'https://i', audience: [a, b]}}"
		signed = "type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: awsSigv4"
	)
	id := definition.AuthorizerID("api", "k")
	for _, c := range []struct {
		name, document, kind, id string
		scopes                   []string
	}{
		{"open", operation("responses: {}") + scheme(token), "", "", nil},
		{"signed", operation("x-amazon-apigateway-auth: {type: aws_iam}"), definition.AuthIAM, "", nil},
		{"signed by a scheme", operation("security: [{k: []}]") + scheme(signed), definition.AuthIAM, "", nil},
		{"signed instead of the document's", operation("x-amazon-apigateway-auth: {type: AWS_IAM}") + "security: [{k: []}]\n" + scheme(token), definition.AuthIAM, "", nil},
		{"open instead of the document's", operation("x-amazon-apigateway-auth: {type: NONE}") + "security: [{k: []}]\n" + scheme(token), "", "", nil},
		{"token", operation("security: [{k: []}]") + scheme(token), definition.AuthCustom, id, nil},
		{"user pool", operation("security: [{k: [a/read, a/write]}]") + scheme(pool), definition.AuthUserPools, id, []string{"a/read", "a/write"}},
		{"scopes of alternatives", operation("security: [{k: [a]}, {k: [b, a]}]") + scheme(pool), definition.AuthUserPools, id, []string{"a", "b"}},
		{"JWT of the document", operation("responses: {}") + "security: [{k: []}]\n" + scheme(jwt), definition.AuthJWT, id, nil},
	} {
		m := methods(parse(t, c.document, Options{APIID: "api"}).Body)["GET /a/{id}"]
		equal(t, c.name+": type", m.AuthorizationType, c.kind)
		equal(t, c.name+": authorizer", m.AuthorizerID, c.id)
		equal(t, c.name+": scopes", m.AuthorizationScopes, c.scopes)
	}

	zero := 0
	for text, want := range map[string]*definition.Authorizer{
		token: {ID: id, Name: "k", Type: "TOKEN", AuthType: "custom", URI: "http://a/", IdentitySource: "method.request.header.X-Token", IdentityValidation: "^x", ResultTTLSeconds: &zero},
		pool:  {ID: id, Name: "k", Type: "COGNITO_USER_POOLS", IdentitySource: "method.request.header.Authorization", ProviderARNs: []string{"arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a"}},
		jwt:   {ID: id, Name: "k", Type: "JWT", IdentitySource: "$request.header.Authorization", Issuer: "https://i", Audience: []string{"a", "b"}},
	} {
		result := parse(t, operation("responses: {}")+scheme(text), Options{APIID: "api"})
		equal(t, "authorizers", result.Body.Authorizers, []*definition.Authorizer{want})
	}
}

// TestKeyAndAuthorizer: a method may ask for both.
func TestKeyAndAuthorizer(t *testing.T) {
	m := methods(parse(t, operation("security: [{k: [], l: []}]")+`components: {securitySchemes: {k: {type: apiKey, in: header, name: x-api-key}, l: {type: apiKey, in: header, name: A, x-amazon-apigateway-authorizer: {type: token, authorizerUri: u}}}}
`, Options{}).Body)["GET /a/{id}"]
	equal(t, "key", m.APIKeyRequired, true)
	equal(t, "type", m.AuthorizationType, definition.AuthCustom)
}

func TestResourcePolicy(t *testing.T) {
	for document, want := range map[string]string{
		head: "",
		head + "x-amazon-apigateway-policy: {}\n": "",
		head + "x-amazon-apigateway-policy: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: execute-api:Invoke, Resource: 'execute-api:/*', Condition: {Bool: {aws:SecureTransport: true}, NumericLessThan: {n: 010}}}]}\n": `{"Statement":[{"Action":"execute-api:Invoke","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"n":"010"}},"Effect":"Allow","Principal":"*","Resource":"execute-api:/*"}],"Version":"2012-10-17"}`,
	} {
		equal(t, "policy", parse(t, document, Options{}).Body.Policy, want)
	}
}
