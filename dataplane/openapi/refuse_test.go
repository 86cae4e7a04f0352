package openapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/document"
)

// head is three lines long.
const head = "openapi: 3.0.1\ninfo:\n  title: t\n"

// operation is a document whose GET /a/{id} has the YAML on line 7.
func operation(yaml string) string {
	return head + "paths:\n  /a/{id}:\n    get:\n      " + strings.ReplaceAll(yaml, "\n", "\n      ") + "\n"
}

// integration is operation with the members of an http_proxy integration.
func integration(members string) string {
	return operation("x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://u', " + members + "}")
}

func http(members string) string {
	return operation("responses: {'200': {description: ok}}\nx-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: 'http://u', " + members + "}")
}

func uri(uri string) string {
	return operation("x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: '" + uri + "'}")
}

// scheme is the end of a document, with the security scheme k.
func scheme(members string) string {
	return "components: {securitySchemes: {k: {" + members + "}}}\n"
}

const (
	opAt = "line 7: paths./a/{id}.get."
	inAt = opAt + "x-amazon-apigateway-integration."
)

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, document, want string }{
		// the document
		{"empty", "", "the document is empty"},
		{"not a mapping", "- a", "line 1: not an OpenAPI document"},
		{"bad YAML", "openapi: 3.0.1\n\tinfo: {}", "not valid YAML or JSON: found a tab character"},
		{"bad JSON", `{"openapi": "3.0.1"`, "not valid YAML or JSON"},
		{"no version", "info: {}", "line 1: openapi: missing"},
		{"swagger", "swagger: '2.0'", "line 1: swagger: Swagger 2.0 is not supported"},
		{"version", "openapi: 3.2.0", `line 1: openapi: version "3.2.0" is not supported`},
		{"not UTF-8", "openapi: \xff", "not UTF-8"},
		{"two documents", head + "---\na: b\n", "line 4: a second YAML document"},
		{"no title", "openapi: 3.0.1", "info.title: missing"},
		{"key twice", head + "paths:\n  /a: {}\n  /a: {}\n", "line 6: paths./a: the key stands twice, first on line 5"},
		{"key not text", head + "? [a]\n: b\n", "line 4: a key must be a text"},
		{"wrong kind", head + "paths: []\n", "line 4: paths: must be a mapping"},
		{"wrong list", operation("parameters: {}"), opAt + "parameters: must be a list"},
		{"wrong text", head + "  version: {}\n", "line 4: info.version: must be a text"},
		{"wrong boolean", operation("parameters: [{name: a, in: query, required: 'no'}]"), opAt + "parameters[0].required: must be true or false"},
		{"misspelled", operation("respones: {}"), opAt + `respones: unknown field; did you mean "responses"?`},
		{"misspelled root", head + "path: {}\n", `line 4: path: unknown field; did you mean "paths"?`},

		// references
		{"remote", operation("responses: {'200': {$ref: 'http://evil/x.yaml'}}"), opAt + `responses.200.$ref: "http://evil/x.yaml" is outside the document`},
		{"file", head + "paths: {/a: {$ref: /etc/passwd}}\n", `paths./a.$ref: "/etc/passwd" is outside the document`},
		{"file in a schema", head + "components: {schemas: {s: {$ref: ./s.yaml}}}\n", `components.schemas.s.$ref: "./s.yaml" is outside`},
		{"nowhere", operation("parameters: [{$ref: '#/components/parameters/p'}]"), opAt + `parameters[0].$ref: "#/components/parameters/p" names nothing`},
		{"circle", head + "paths: {/a: {get: {parameters: [{$ref: '#/components/parameters/a'}]}}}\ncomponents: {parameters: {a: {$ref: '#/components/parameters/b'}, b: {$ref: '#/components/parameters/a'}}}\n", "references lead on and on"},
		{"beside", head + "paths: {/a: {$ref: '#/components/pathItems/a', get: {}}}\ncomponents: {pathItems: {a: {}}}\n", "line 4: paths./a.get: a field beside $ref"},

		// paths
		{"path", head + "paths: {pets: {}}\n", `line 4: paths.pets: a path begins with "/"`},
		{"part of a segment", head + "paths: {'/a{id}': {}}\n", "fills its whole segment"},
		{"letters", head + "paths: {'/a b': {}}\n", "letters, digits and _-.,: only"},
		{"empty segment", head + "paths: {/a//b: {}}\n", "a segment is empty"},
		{"greedy child", head + "paths: {'/{proxy+}/b': {}}\n", "cannot create a child of a resource with a greedy path variable: {proxy+}"},
		{"variable siblings", head + "paths:\n  /{proxy+}: {}\n  /{id}: {}\n", "line 6: paths./{id}: a sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"},
		{"the same variable", head + "paths: {'/{a}/{a}': {}}\n", "parameter {a} stands twice"},
		{"route of an HTTP API", head + "paths: {/$default: {}}\n", "$default routes belong to HTTP APIs"},
		{"slash at the end", head + "paths:\n  /a: {get: {}}\n  /a/: {get: {}}\n", "line 6: paths./a/.get: another path of the document"},
		{"verb", head + "paths: {/a: {gett: {}}}\n", `paths./a.gett: unknown field; did you mean "get"?`},
		{"trace", head + "paths: {/a: {trace: {}}}\n", "API Gateway never serves TRACE"},

		// what is not supported yet
		{"aws_proxy", operation("x-amazon-apigateway-integration:\n  type: aws_proxy"), `line 8: paths./a/{id}.get.x-amazon-apigateway-integration.type: "aws_proxy" is not supported yet; use http_proxy, http or mock`},
		{"aws", operation("x-amazon-apigateway-integration: {type: AWS}"), inAt + `type: "AWS" is not supported yet`},
		{"no type", operation("x-amazon-apigateway-integration: {uri: 'http://u'}"), inAt + "type: missing"},
		{"type", operation("x-amazon-apigateway-integration: {type: grpc}"), inAt + `type: "grpc" is unknown`},
		{"credentials", integration("credentials: 'arn:aws:iam::1:role/r'"), inAt + "credentials: credentials is not supported yet"},
		{"VPC link", integration("connectionType: VPC_LINK"), inAt + "connectionType: VPC_LINK is not supported yet"},
		{"connection id", integration("connectionId: x"), inAt + "connectionId: connectionId is not supported yet"},
		{"integration target", integration("integrationTarget: x"), inAt + "integrationTarget: integrationTarget is not supported yet"},
		{"content handling", integration("contentHandling: CONVERT_TO_TEXT"), inAt + "contentHandling: contentHandling is not supported yet"},
		{"stream", integration("responseTransferMode: STREAM"), inAt + "responseTransferMode: STREAM is not supported yet"},
		{"payload format", integration("payloadFormatVersion: '2.0'"), inAt + "payloadFormatVersion: payloadFormatVersion is not supported yet; it belongs to HTTP APIs"},
		{"server name", integration("tlsConfig: {serverNameToVerify: a}"), inAt + "tlsConfig.serverNameToVerify: serverNameToVerify is not supported"},
		{"named integration", operation("x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/a'}"), inAt + "$ref: named integrations are not supported"},
		{"named integrations", head + "components: {x-amazon-apigateway-integrations: {}}\n", "line 4: components.x-amazon-apigateway-integrations: named integrations are not supported"},
		{"unknown member", integration("timeoutInMilis: 5"), inAt + `timeoutInMilis: unknown field; did you mean "timeoutInMillis"?`},
		{"authorization type", operation("x-amazon-apigateway-auth: {type: IAM}"), opAt + `x-amazon-apigateway-auth: authorization type "IAM" is unknown; use NONE or AWS_IAM`},
		{"security", operation("security: [{jwt: []}]"), opAt + `security[0].jwt: security scheme "jwt" is not in components.securitySchemes`},
		{"security of all", operation("responses: {}") + "security: [{k: []}]\n", `line 8: security[0].k: security scheme "k"`},
		{"API key in another header", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: x-key"), opAt + `security[0].k: security scheme "k" is not one that API Gateway takes API keys by: that has type: apiKey, in: header, name: x-api-key; remove`},
		{"API key in the query", operation("security: [{k: []}]") + scheme("type: apiKey, in: query, name: x-api-key"), opAt + `security[0].k: security scheme "k" is not one that`},
		{"API key nowhere", operation("security: [{k: []}]") + scheme("type: apiKey"), opAt + `security[0].k: security scheme "k" is not one that`},
		{"scheme of a cookie with an authorizer", operation("security: [{k: []}]") + scheme("type: mutualTLS, x-amazon-apigateway-authorizer: {type: request}"), opAt + `security[0].k: the type of security scheme "k" is not one of`},
		{"API key and authorizer", operation("security: [{k: [], jwt: []}]") + scheme("type: apiKey, in: header, name: x-api-key"), opAt + `security[0].jwt: security scheme "jwt" is not in components.securitySchemes`},
		{"authtype alone", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authtype: custom"), opAt + `security[0].k: security scheme "k" has x-amazon-apigateway-authtype and no`},
		{"authorizer of no type", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {authorizerUri: u}"), "line 8: components.securitySchemes.k.x-amazon-apigateway-authorizer.type: missing; use token"},
		{"authorizer of an unknown type", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: lambda}"), `authorizer.type: "lambda" is unknown`},
		{"authorizer with a slip", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token, authorizerURI: u}"), `authorizerURI: unknown field; did you mean "authorizerUri"?`},
		{"authorizer's time", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token, authorizerResultTtlInSeconds: 3601}"), "authorizerResultTtlInSeconds: must be a whole number of seconds from 0 to 3600"},
		{"simple answers", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: request, enableSimpleResponses: true}"), "enableSimpleResponses: simple responses are not supported"},
		{"payload format of an authorizer", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: request, authorizerPayloadFormatVersion: '2.0'}"), `payload format "2.0" is not supported`},
		{"JWT configuration", operation("security: [{k: []}]") + scheme("type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {audiences: [a]}}"), "jwtConfiguration.audiences: unknown field"},
		{"two authorizers", operation("security: [{k: [], l: []}]") + "components: {securitySchemes: {k: {type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token}}, l: {type: apiKey, in: header, name: b, x-amazon-apigateway-authorizer: {type: token}}}}\n", opAt + `security[0].l: a second way to authorize callers, "l"`},
		{"IAM and an authorizer", operation("security: [{k: []}]\nx-amazon-apigateway-auth: {type: AWS_IAM}") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token}"), `authorization type AWS_IAM beside the authorizer "k"`},
		{"nothing and an authorizer", operation("security: [{k: []}]\nx-amazon-apigateway-auth: {type: NONE}") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token}"), "authorization type NONE beside a security requirement"},
		{"scopes without tokens", operation("security: [{k: [a]}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: token}"), opAt + `security[0].k: scopes are for tokens of user pools`},
		{"no scope", operation("security: [{k: ['a b']}]") + scheme("type: apiKey, in: header, name: a, x-amazon-apigateway-authorizer: {type: cognito_user_pools}"), opAt + `security[0].k: "a b" is not a scope`},
		{"signed with an authorizer", operation("security: [{k: []}]") + scheme("type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: awsSigv4, x-amazon-apigateway-authorizer: {type: token}"), `security scheme "k" is awsSigv4, which has no authorizer`},
		{"oauth2", operation("security: [{k: []}]") + "components: {securitySchemes: {k: {type: oauth2}}}\n", opAt + `security[0].k: security scheme "k" says nothing that API Gateway can check; add x-amazon-apigateway-authorizer`},
		{"validator", operation("x-amazon-apigateway-request-validator: all"), opAt + "x-amazon-apigateway-request-validator: request validation is not supported yet"},
		{"validator of all", head + "x-amazon-apigateway-request-validator: all\n", "line 4: x-amazon-apigateway-request-validator: request validation is not supported yet"},
		{"policy", head + "x-amazon-apigateway-policy: [a]\n", "line 4: x-amazon-apigateway-policy: must be a policy document"},
		{"gateway responses", head + "x-amazon-apigateway-gateway-responses: {DEFAULT_4XX: {}}\n", "gateway-responses is not supported yet"},
		{"binary", head + "x-amazon-apigateway-binary-media-types: ['*/*']\n", "binary-media-types is not supported yet"},
		{"compression", head + "x-amazon-apigateway-minimum-compression-size: 0\n", "minimum-compression-size is not supported yet"},
		{"security policy", head + "x-amazon-apigateway-security-policy: TLS_1_2\n", "security-policy is not supported yet"},
		{"key source", head + "x-amazon-apigateway-api-key-source: QUERY\n", `line 4: x-amazon-apigateway-api-key-source: API key source "QUERY" is unknown; use HEADER or AUTHORIZER`},
		{"no key source", head + "x-amazon-apigateway-api-key-source:\n", `API key source "" is unknown; use HEADER or AUTHORIZER`},
		{"negative rate", head + "x-tidegate-guaranteed-rate: -1\n", "line 4: x-tidegate-guaranteed-rate: must be a number of requests per second, 0 or more"},
		{"rate as text", head + "x-tidegate-guaranteed-rate: '5'\n", "must be a number of requests per second"},
		{"rate without end", head + "x-tidegate-guaranteed-rate: .inf\n", "must be a number of requests per second"},
		{"no rate", head + "x-tidegate-guaranteed-rate: {}\n", "must be a number of requests per second"},
		{"misplaced rate", operation("x-tidegate-guaranteed-rate: 5"), opAt + "x-tidegate-guaranteed-rate: x-tidegate-guaranteed-rate has no meaning here; move it to the root"},
		{"unknown priority", head + "x-tidegate-priority: urgent\n", `line 4: x-tidegate-priority: "urgent" is no priority; use low, normal or high`},
		{"empty priority", head + "x-tidegate-priority:\n", "use low, normal or high"},
		{"priority of a method", operation("x-tidegate-priority: 5"), opAt + `x-tidegate-priority: "5" is no priority`},
		{"misspelled rate", head + "x-tidegate-guarantee-rate: 5\n", `unknown extension; did you mean "x-tidegate-guaranteed-rate"?`},
		{"CORS", head + "x-amazon-apigateway-cors: {}\n", "x-amazon-apigateway-cors is not supported; it belongs to HTTP APIs"},
		{"two endpoint types", head + "x-amazon-apigateway-endpoint-configuration: {types: [PRIVATE, REGIONAL]}\n", "types[1]: an API has one endpoint type, and PRIVATE is given too"},
		{"two types", head + "x-amazon-apigateway-endpoint-configuration: {types: [EDGE, REGIONAL]}\n", "types[1]: an API has one endpoint type"},
		{"VPC endpoints", head + "servers: [{url: /, x-amazon-apigateway-endpoint-configuration: {vpcEndpointIds: [a]}}]\n", "servers[0].x-amazon-apigateway-endpoint-configuration.vpcEndpointIds: vpcEndpointIds is not supported yet"},
		{"unknown extension", head + "x-amazon-apigateway-polcy: {}\n", `line 4: x-amazon-apigateway-polcy: unknown extension; did you mean "x-amazon-apigateway-policy"?`},
		{"our extension", operation("x-tidegate-magic: 1"), opAt + `x-tidegate-magic: unknown extension "x-tidegate-magic"; remove it`},
		{"misplaced", head + "paths: {/a: {x-amazon-apigateway-integration: {}}}\n", "paths./a.x-amazon-apigateway-integration: x-amazon-apigateway-integration has no meaning here"},
		{"misplaced below", operation("requestBody: {content: {a: {x-amazon-apigateway-integration: {}}}}"), opAt + "requestBody.content.a.x-amazon-apigateway-integration: x-amazon-apigateway-integration has no meaning here"},
		{"misplaced in a path item", head + "paths: {/a: {servers: [{x-amazon-apigateway-endpoint-configuration: {}}]}}\n", "paths./a.servers[0].x-amazon-apigateway-endpoint-configuration: x-amazon-apigateway-endpoint-configuration has no meaning here"},
		{"default route", head + "paths: {/a: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}}\n", "default routes are not supported"},

		// integrations
		{"no verb", operation("x-amazon-apigateway-integration: {type: http_proxy, uri: 'http://u'}"), inAt + "httpMethod: missing"},
		{"verb upstream", operation("x-amazon-apigateway-integration: {type: http, uri: 'http://u', httpMethod: TRACE}"), inAt + `httpMethod: "TRACE" is not a verb`},
		{"no uri", operation("x-amazon-apigateway-integration: {type: http, httpMethod: GET}"), inAt + "uri: missing"},
		{"timeout", integration("timeoutInMillis: 49"), inAt + "timeoutInMillis: must be a whole number of milliseconds from 50 to 29000"},
		{"passthrough", integration("passthroughBehavior: always"), inAt + `passthroughBehavior: "always" is unknown`},
		{"connection", integration("connectionType: WAN"), inAt + `connectionType: "WAN" is unknown`},
		{"no targets", integration("x-tidegate-targets: []"), inAt + "x-tidegate-targets: lists no target; write host:port pairs"},
		{"targets no list", integration("x-tidegate-targets: '10.0.0.1:80'"), inAt + "x-tidegate-targets: must be a list"},
		{"target", integration("x-tidegate-targets: ['10.0.0.1:80', 'http://10.0.0.2:80']"), inAt + `x-tidegate-targets[1]: "http://10.0.0.2:80" is not a target; write host:port`},
		{"many targets", integration("x-tidegate-targets: [" + strings.Repeat("'a:1',", 65) + "]"), inAt + "x-tidegate-targets: has 65 targets, more than the 64"},
		{"health check without a path", integration("x-tidegate-health-check: {interval: 1s}"), inAt + "x-tidegate-health-check: path is missing"},
		{"health check's path", integration("x-tidegate-health-check: {path: up}"), inAt + `x-tidegate-health-check.path: "up" is not a path; write one that begins with /`},
		{"health check's interval", integration("x-tidegate-health-check: {path: /, interval: 5}"), inAt + `x-tidegate-health-check.interval: "5" is not a duration`},
		{"health check's timeout", integration("x-tidegate-health-check: {path: /, timeout: 30s}"), inAt + "x-tidegate-health-check: timeout 30s is longer than interval 5s"},
		{"health check's field", integration("x-tidegate-health-check: {path: /, intervall: 5s}"), inAt + `x-tidegate-health-check.intervall: unknown field; did you mean "interval"?`},

		{"health check's list", integration("x-tidegate-health-check: {path: [/]}"), inAt + "x-tidegate-health-check.path: "},
		{"targets of a mock", operation("x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'}, x-tidegate-targets: ['a:1']}"), inAt + "x-tidegate-targets: a mock calls nothing; remove it"},
		{"targets elsewhere", operation("x-tidegate-targets: ['a:1']"), opAt + "x-tidegate-targets: unknown extension"},
		{"TLS", integration("tlsConfig: {insecure: true}"), inAt + "tlsConfig.insecure: unknown field"},
		{"mapping key of an HTTP API", integration("requestParameters: {'append:header.x': '$request.header.y'}"), inAt + `requestParameters.append:header.x: the mapping key "append:header.x" is not supported; it belongs to HTTP APIs`},
		{"mapping key", integration("requestParameters: {integration.request.cookie.x: method.request.header.y}"), inAt + "requestParameters.integration.request.cookie.x: a mapping key is integration.request.{path|querystring|header}.NAME"},
		{"mapping from a body", integration("requestParameters: {integration.request.header.x: method.request.body.a}"), `mapping from a body ("method.request.body.a") is not supported yet`},
		{"mapping of a context variable with a colon", integration("requestParameters: {integration.request.header.x: 'context.identity:user'}"), `"context.identity:user" is not a mapping expression`},
		{"mapping of a claim with a space", integration("requestParameters: {integration.request.header.x: 'context.authorizer.claims.a b'}"), `is not a mapping expression`},
		{"mapping expression", integration("requestParameters: {integration.request.header.x: literal}"), `"literal" is not a mapping expression`},
		{"mapping literal", integration(`requestParameters: {integration.request.header.x: "'a"}`), "does not end with a single quote"},
		{"mapping injection", integration(`requestParameters: {integration.request.header.x: "'a\r\nb: c'"}`), "may not hold line breaks"},
		{"mapping from no parameter", integration("requestParameters: {integration.request.path.x: method.request.path.x}"), "the path has no {x}"},
		{"mapping of an answer", http("responses: {default: {statusCode: 200, responseParameters: {method.response.header.x: integration.response.body}}}"), "does not declare this header"},
		{"mapping key of an answer", http("responses: {default: {statusCode: 200, responseParameters: {method.response.body: context.x}}}"), "a mapping key is method.response.{header}.NAME"},
		{"mapping key of an HTTP API's answer", http("responses: {default: {statusCode: 200, responseParameters: {'overwrite:statuscode': '1'}}}"), `the mapping key "overwrite:statuscode" is not supported`},
		{"mapping from an upstream's body", operation("responses: {'200': {headers: {a: {}}}}\nx-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: 'http://u', responses: {default: {statusCode: 200, responseParameters: {method.response.header.a: integration.response.body.a}}}}"), "mapping from a body"},
		{"mapping of a number", operation("responses: {'200': {headers: {a: {}}}}\nx-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: 'http://u', responses: {default: {statusCode: 200, responseParameters: {method.response.header.a: 1}}}}"), "responseParameters.method.response.header.a: must be a text"},
		{"templates of http", http("requestTemplates: {application/json: a}"), "request templates of http integrations are not supported yet"},
		{"VTL", http("responses: {default: {statusCode: 200, responseTemplates: {a/b: 'x $input.body'}}}"), `responses.default.responseTemplates.a/b: mapping templates are not supported yet: "$i" would`},
		{"directive", http("responses: {default: {statusCode: 200, responseTemplates: {a/b: '#set($a = 1)'}}}"), `"#set(" would have to be evaluated`},
		{"mock status", operation("x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{}'}}"), inAt + "requestTemplates.application/json: must be JSON with a whole number as statusCode"},
		{"Java pattern", http("responses: {'(?=4)4..': {statusCode: 200}}"), "it in RE2 syntax"},
		{"huge pattern", http("responses: {'.{1000}.{1000}.{1000}.{1000}.{1000}': {statusCode: 200}}"), "repeats too much"},
		{"pattern twice", http("responses: {'4..': {statusCode: 200}, '5..': {statusCode: 200}}"), `status code 200 already belongs to the pattern "4.."`},
		{"two defaults", http("responses: {default: {statusCode: 200}, '': {statusCode: 201}}"), `"default" and the empty pattern are the same`},
		{"status", http("responses: {default: {statusCode: 20}}"), `"20" is not a status code`},
		{"no status", http("responses: {default: {}}"), `responses.default.statusCode: "" is not a status code`},
		{"method status", operation("responses: {ok: {}}"), `"ok" is not a status code from 200 to 599, nor default`},
		{"parameter of a form", operation("parameters: [{name: a, in: body}]"), `a parameter in "body" does not exist in OpenAPI 3`},
		{"parameter without a place", operation("parameters: [{name: a}]"), `parameter "a" does not say where it is`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.document), Options{})
			contains(t, err, c.want)
		})
	}
}

func TestURI(t *testing.T) {
	for _, good := range []string{
		"http://u", "HTTPS://u.example:443/a?b={id}&c=%20", "http://u:80/{id}", "http://u:1024", "http://u:65535", "http://[2001:db8::1]:8080/",
		"http://${stageVariables.all}", "https://a-${stageVariables.h}.example:${stageVariables.p}/${stageVariables.q}/{id}", "http://u?{id}",
	} {
		if _, err := Parse([]byte(uri(good)), Options{}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"ftp://u":                    "not an http:// or https:// or ws:// or wss:// address",
		"${stageVariables.all}":      "not an http:// or https:// or ws:// or wss:// address",
		"arn:aws:lambda:x":           "not an http:// or https:// or ws:// or wss:// address",
		"http://":                    "not a host name",
		"http://u:81/":               `port "81" is not allowed; use 80, 443 or 1024 to 65535`,
		"http://u:65536/":            "is not allowed",
		"http://u:/":                 "empty port",
		"http://u:p@h/":              "user name or password",
		"http://{id}.example/":       "may not stand in the host or port",
		"http://u:{id}/":             "may not stand in the host or port",
		"http://u/{id+}":             "written {id} in a uri",
		"http://u/{id":               "not closed",
		"http://u/id}":               "closes nothing",
		"http://u/${context.stage}":  "not a stage variable",
		"http://u/a b":               "percent-encoded",
		"http://u/%zz":               "not a URL",
		"http://u/#top":              "never sent",
		"http://[u]:80/":             "not an IPv6 address",
		`http://u\@h/`:               "user name or password",
		"http://u/${stageVariables}": "not a stage variable",
	} {
		_, err := Parse([]byte(uri(bad)), Options{})
		contains(t, err, want)
	}
}

func TestWarned(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{integration("requestParameters: {integration.request.header.x: method.request.header.X}"), `"method.request.header.X" is not among the operation's parameters`},
		{uri("http://u/{other}"), "{other} stays empty"},
		{operation("x-amazon-apigateway-integration: {type: mock}"), "a mock answers 500"},
		{http("responses: {default: {statusCode: 201}}"), "the operation has no response 201"},
		{integration("requestTemplates: {a/b: c}"), "has no effect: http_proxy"},
		{operation("parameters: [{name: id, in: cookie}]"), "cookie parameters have no effect"},
		{operation("parameters: [{name: other, in: path}]"), "the path has no {other}"},
		{operation("consumes: [a/b]"), "unknown field, ignored"},
		{head + "x-amazon-apigateway-endpoint-configuration: {ipAddressType: dualstack}\n", "the listeners of the host file decide"},
	} {
		result := parse(t, c.document, Options{})
		if all := strings.Join(result.Warnings, "\n"); len(result.Warnings) != 1 || !strings.Contains(all, c.want) {
			t.Errorf("warnings %q, want one with %q", all, c.want)
		}
	}
}

// TestHarmless holds what looks like the refused and changes nothing.
func TestHarmless(t *testing.T) {
	for _, document := range []string{
		operation("security: []") + "security: [{k: []}]\n",
		operation("security: [{}]"),
		operation("responses: {}") + "components: {securitySchemes: {k: {type: apiKey, name: a, in: header, x-amazon-apigateway-authorizer: {type: token}}}}\n",
		integration("cacheKeyParameters: [], cacheNamespace: '', responseTransferMode: BUFFERED"),
		head + "x-amazon-apigateway-binary-media-types: []\nx-amazon-apigateway-api-key-source: HEADER\n",
		operation("responses: {'200': {content: {a/b: {example: {$ref: 'http://x', x-amazon-apigateway-integration: 1}}}}}"),
		operation("responses: {'4XX': {description: a}, default: {description: b}}"),
		"# first\n%YAML 1.1\n---\n" + head,
		"\ufeff" + head,
	} {
		if result := parse(t, document, Options{}); len(result.Warnings) != 0 {
			t.Errorf("warnings %q of\n%s", result.Warnings, document)
		}
	}
}

func TestAllProblemsAreReported(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "paths:\n")
	for i := range 60 {
		fmt.Fprintf(&b, "  /p%d: {get: {x-amazon-apigateway-integration: {type: aws}}}\n", i)
	}
	_, err := Parse([]byte(b.String()), Options{})
	var list *document.Errors
	if !errors.As(err, &list) || len(list.Problems) != 50 || list.Omitted != 10 {
		t.Fatalf("got %v", err)
	}
	equal(t, "first", list.Problems[0], document.Problem{
		Location: "paths./p0.get.x-amazon-apigateway-integration.type", Line: 5,
		Message: `"aws" is not supported yet; use http_proxy, http or mock`,
	})
	if !strings.HasSuffix(err.Error(), "\nand 10 more") {
		t.Error(err)
	}
}
