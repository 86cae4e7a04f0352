package websocketapi

import (
	"fmt"
	"strings"
	"testing"
)

// head is the start of a document; what follows is on line 4.
const head = "protocolType: WEBSOCKET\nname: t\nrouteSelectionExpression: $request.body.action\n"

// route is a document whose route has the YAML on line 5.
func route(key, fields string) string {
	return head + "routes:\n  " + key + ": {" + fields + "}\n" +
		"integrations: {i: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://u'}}\n" +
		"authorizers: {a: {authorizerType: REQUEST, authorizerUri: 'http://u'}}\n"
}

// integration is a document whose integration has the YAML on line 5.
func integration(fields string) string {
	return head + "integrations:\n  i: {" + fields + "}\nroutes: {$default: {target: integrations/i}}\n"
}

func http(fields string) string {
	return integration("integrationType: HTTP, integrationMethod: POST, integrationUri: 'http://u', " + fields)
}

func authorizer(fields string) string {
	return head + "authorizers:\n  a: {" + fields + "}\nroutes: {$connect: {authorizationType: CUSTOM, authorizer: a}}\n"
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		// the API
		{"empty", "", "the document is empty"},
		{"list", "[a]", "line 1: not the document of a WebSocket API"},
		{"HTTP", strings.Replace(head, "WEBSOCKET", "HTTP", 1) + "routes: {$default: {}}\n", `line 1: protocolType: protocol "HTTP" is not supported`},
		{"no protocol", "name: a\n", "protocolType: missing"},
		{"no name", "protocolType: WEBSOCKET\n", "name: missing"},
		{"no selection", "protocolType: WEBSOCKET\nname: t\n", "routeSelectionExpression: missing"},
		{"selection", strings.Replace(head, "$request.body.action", "$request.header.a", 1), `line 3: routeSelectionExpression: "$request.header.a": "$request.header.a" is not a variable that can be here`},
		{"key selection", head + "apiKeySelectionExpression: $request.querystring.key\n", "line 4: apiKeySelectionExpression: \"$request.querystring.key\" is not where API keys can be"},
		{"long name", strings.Replace(head, "name: t", "name: "+strings.Repeat("t", 129), 1), "line 2: name: has 129 bytes, more than the 128"},
		{"no routes", head, "routes: At least one route is required"},
		{"misspelled", head + "routs: {}\n", `line 4: routs: unknown field; did you mean "routes"?`},
		{"models", head + "models: {a: {}}\n", "line 4: models: models is not supported: messages are not validated"},
		{"stages", head + "stages: {a: {}}\n", "stages is not supported"},
		{"CORS", head + "corsConfiguration: {allowOrigins: ['*']}\n", "corsConfiguration is not supported: it belongs to HTTP APIs; see x-tidegate-allowed-origins"},
		{"quick create", head + "target: http://u\n", "target is not supported: it makes an HTTP API"},
		{"validation", head + "disableSchemaValidation: true\n", "disableSchemaValidation is not supported"},
		{"dualstack", head + "ipAddressType: dualstack\n", "ipAddressType is not supported"},
		{"origin", head + "x-tidegate-allowed-origins: ['https://a/b']\n", `line 4: x-tidegate-allowed-origins[0]: "https://a/b" is not an origin`},
		{"origin with wildcard", head + "x-tidegate-allowed-origins: ['https://a.*.b']\n", "is not an origin"},
		{"no origins", head + "x-tidegate-allowed-origins: []\n", "lists no origin"},
		{"many origins", head + "x-tidegate-allowed-origins: [" + strings.Repeat("'null',", 101) + "]\n", "has 101 items, more than the 100"},
		{"subprotocol", head + "x-tidegate-subprotocols: ['a b']\n", "is not a subprotocol"},
		{"subprotocol twice", head + "x-tidegate-subprotocols: [a, a]\n", `x-tidegate-subprotocols[1]: "a" stands twice`},
		{"rate", head + "x-tidegate-guaranteed-rate: -1\n", "must be a number of requests per second"},
		{"priority", head + "x-tidegate-priority: 1\n", `"1" is no priority; use low, normal or high`},
		{"tags", head + "tags: [a]\n", "tags: must be a mapping"},
		{"twice", head + "routes: {a: {}, a: {}}\n", "routes.a: the key stands twice"},
		{"many routes", head + "routes: {" + strings.Join(keys(301), ": {}, ") + ": {}}\n", "line 4: routes: an API has at most 300 routes, and this has 301"},
		{"many integrations", head + "integrations: {" + strings.Join(keys(301), ": {}, ") + ": {}}\n", "an API has at most 300 integrations"},
		{"many authorizers", head + "authorizers: {" + strings.Join(keys(11), ": {}, ") + ": {}}\n", "an API has at most 10 authorizers"},

		// routes
		{"key", route("$open", ""), `line 5: routes.$open.routeKey: "$open" is not a route key; those that begin with $ are $connect, $disconnect and $default`},
		{"key twice", route("a", "routeKey: a"), "routes.a.routeKey: the name before the colon is the key"},
		{"control character", route(`"a\tb"`, ""), "no control characters"},
		{"target", route("a", "target: integrations/j"), `line 5: routes.a.target: there is no "j" among the integrations; did you mean "i"?`},
		{"target form", route("a", "target: i"), `"i" is not a target; write integrations/`},
		{"authorized message", route("a", "authorizationType: AWS_IAM"), "routes.a.authorizationType: only $connect authorizes callers"},
		{"JWT", route("$connect", "authorizationType: JWT"), "JWT is not supported: it belongs to HTTP APIs; use CUSTOM"},
		{"authorization", route("$connect", "authorizationType: BASIC"), `"BASIC" is unknown; use NONE, AWS_IAM or CUSTOM`},
		{"no authorizer", route("$connect", "authorizationType: CUSTOM"), "routes.$connect.authorizationType: CUSTOM needs an authorizer"},
		{"missing authorizer", route("$connect", "authorizationType: CUSTOM, authorizer: b"), `routes.$connect.authorizer: there is no "b" among the authorizers; did you mean "a"?`},
		{"idle authorizer", route("$connect", "authorizer: a"), "an authorizer is for authorizationType CUSTOM"},
		{"authorizer of IAM", route("$connect", "authorizationType: AWS_IAM, authorizer: a"), "an authorizer is for authorizationType CUSTOM"},
		{"authorizer id", route("$connect", "authorizerId: a"), "write authorizer and the name"},
		{"scopes", route("$connect", "authorizationScopes: [a]"), "authorizationScopes is not supported"},
		{"request models", route("a", "requestModels: {$default: m}"), "requestModels is not supported: messages are not validated"},
		{"model selection", route("a", "modelSelectionExpression: $request.body.a"), "modelSelectionExpression is not supported"},
		{"parameters of a message", route("a", "requestParameters: {route.request.querystring.a: {required: true}}"), "only $connect has a request with parameters"},
		{"parameter", route("$connect", "requestParameters: {route.request.path.a: {}}"), "a mapping key is route.request.{querystring|header}.NAME"},
		{"parameter field", route("$connect", "requestParameters: {route.request.header.a: {requird: true}}"), `route.request.header.a.requird: unknown field; did you mean "required"?`},
		{"selection of a response", route("a", "routeResponseSelectionExpression: $request.body.a"), "is not supported; it is $default, or empty"},
		{"answer to nobody", route("$disconnect", "routeResponseSelectionExpression: $default"), "$disconnect cannot answer"},
		{"answer with nothing", route("a", "routeResponseSelectionExpression: $default"), "without a target there is nothing to answer with"},
		{"answer without saying", route("a", "routeResponses: {$default: {}}"), "without routeResponseSelectionExpression: $default the route does not answer"},
		{"other answer", route("a", "routeResponseSelectionExpression: $default, routeResponses: {b: {}}"), `"b" is not supported; a route has the response $default, or none`},
		{"response models", route("a", "routeResponseSelectionExpression: $default, routeResponses: {$default: {responseModels: {a: b}}}"), "responseModels is not supported"},
		{"unknown", route("a", "integration: i"), "routes.a.integration: unknown field"},

		// integrations
		{"no type", integration(""), "line 5: integrations.i.integrationType: missing; use HTTP_PROXY, HTTP, MOCK, AWS_PROXY, AWS"},
		{"type", integration("integrationType: VPC"), `"VPC" is unknown; use HTTP_PROXY`},
		{"no uri", integration("integrationType: HTTP_PROXY"), "integrationUri: missing"},
		{"no method", integration("integrationType: HTTP_PROXY, integrationUri: 'http://u'"), "integrationMethod: missing"},
		{"any method", integration("integrationType: HTTP_PROXY, integrationUri: 'http://u', integrationMethod: ANY"), `"ANY" is unknown; use DELETE, GET`},
		{"uri", integration("integrationType: HTTP_PROXY, integrationMethod: GET, integrationUri: 'ftp://u'"), `"ftp://u" is not an http:// or https:// or ws:// or wss:// address`},
		{"host of the client", integration("integrationType: HTTP_PROXY, integrationMethod: GET, integrationUri: 'http://{a}/'"), "may not stand in the host"},
		{"placeholder", integration("integrationType: HTTP_PROXY, integrationMethod: GET, integrationUri: 'http://u/{a}'"), "{a} has no value; map integration.request.path.a"},
		{"VPC link", http("connectionType: VPC_LINK"), "connectionType is not supported: it names a VPC link"},
		{"VPC link's id", http("connectionId: a"), "connectionId is not supported"},
		{"role", http("credentialsArn: 'arn:aws:iam::1:role/r'"), "credentialsArn is not supported: roles are not assumed"},
		{"subtype", http("integrationSubtype: SQS-SendMessage"), "integrationSubtype is not supported: it belongs to HTTP APIs"},
		{"payload", http("payloadFormatVersion: '2.0'"), "payloadFormatVersion is not supported"},
		{"response parameters", http("responseParameters: {'200': {}}"), "responseParameters is not supported"},
		{"no targets", http("x-tidegate-targets: []"), "x-tidegate-targets: lists no target; write host:port pairs"},
		{"target", http("x-tidegate-targets: [a]"), `x-tidegate-targets[0]: "a" is not a target; write host:port`},
		{"target twice", http("x-tidegate-targets: ['a:1', 'a:1']"), `"a:1" stands twice`},
		{"health check", http("x-tidegate-health-check: {path: /, interval: 1h}"), "x-tidegate-health-check.interval: 1h is out of range"},
		{"health check's path", http("x-tidegate-health-check: {}"), "x-tidegate-health-check: path is missing"},
		{"health check's field", http("x-tidegate-health-check: {path: /, intervall: 5s}"), `unknown field; did you mean "interval"?`},
		{"targets of a mock", integration("integrationType: MOCK, requestTemplates: {$default: '{\"statusCode\": 200}'}, x-tidegate-targets: ['a:1']"), "x-tidegate-targets: a mock calls nothing; remove it"},
		{"server name", http("tlsConfig: {serverNameToVerify: a}"), "serverNameToVerify is not supported"},
		{"timeout", http("timeoutInMillis: 49"), "must be a whole number of milliseconds from 50 to 29000"},
		{"long timeout", http("timeoutInMillis: 29001"), "must be a whole number of milliseconds from 50 to 29000"},
		{"target of a mapping", http("requestParameters: {integration.request.body.a: context.a}"), "a mapping key is integration.request.{path|querystring|header}.NAME"},
		{"source of a mapping", http("requestParameters: {integration.request.header.a: method.request.header.a}"), "is not a mapping expression; use route.request."},
		{"request of a message", http("requestParameters: {integration.request.header.a: route.request.header.a}"), "only $connect has a request, and it does not lead here"},
		{"template", http("requestTemplates: {$default: '#if($input.body)'}"), `requestTemplates.$default: "#if(": directives`},
		{"template of a proxy", integration("integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://u', requestTemplates: {a: b}"), "HTTP_PROXY passes messages as they are; use HTTP"},
		{"template selection", http("templateSelectionExpression: $request.header.a, requestTemplates: {a: b}"), "is not a variable that can be here"},
		{"nothing to select", http(`templateSelectionExpression: \$default`), "there are no requestTemplates to choose from"},
		{"passthrough", http("passthroughBehavior: ALWAYS"), `"ALWAYS" is unknown`},
		{"content handling", http("contentHandlingStrategy: BASE64"), `"BASE64" is unknown`},
		{"responses of a proxy", integration("integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://u', integrationResponses: {$default: {}}"), "the answers of HTTP_PROXY pass as they are; use HTTP"},
		{"response key", http("integrationResponses: {'200': {}}"), `"200" is not a key; use $default, or an expression between slashes`},
		{"response pattern", http("integrationResponses: {'/(?=4)/': {}}"), "write it in RE2 syntax"},
		{"response parameter", http("integrationResponses: {$default: {responseParameters: {method.response.header.a: context.a}}}"), "a mapping key is route.response.{header}.NAME"},
		{"mock", integration("integrationType: MOCK, integrationUri: 'http://u'"), "integrations.i.integrationUri: a mock calls nothing"},
		{"status of a mock", integration("integrationType: MOCK, requestTemplates: {$default: '{}'}"), "requestTemplates.$default: must be JSON with a whole number as statusCode"},
		{"function", integration("integrationType: AWS_PROXY, integrationUri: 'http://u'"), `"http://u" is not the invocation of a function`},
		{"method of a function", integration("integrationType: AWS, integrationMethod: GET, integrationUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'"), "functions are invoked with POST"},
		{"name", head + "integrations: {'a b': {}}\n", "a name has letters, digits and _- only"},
		{"server of messages", integration("integrationType: HTTP_PROXY, integrationUri: 'ws://u'"), "routes.$default.target: a WebSocket server is connected to by $connect alone"},
		{"server with templates", integration("integrationType: HTTP, integrationUri: 'ws://u'"), "use HTTP_PROXY"},
		{"post to a server", integration("integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'ws://u'"), "connected to with GET"},
		{"server and routes", head + "integrations: {i: {integrationType: HTTP_PROXY, integrationUri: 'ws://u'}}\nroutes: {$connect: {target: integrations/i}, a: {}}\n", "routes.$connect.target: all frames go to the WebSocket server"},
		{"answer of no response", head + "integrations: {i: {integrationType: MOCK}}\nroutes: {a: {target: integrations/i, routeResponseSelectionExpression: $default}}\n", "the integration has no integration response $default"},
		{"body of a request", head + "integrations: {i: {integrationType: HTTP_PROXY, integrationMethod: GET, integrationUri: 'http://u', requestParameters: {integration.request.header.a: route.request.body.a}}}\nroutes: {$connect: {target: integrations/i}}\n", "line 4: integrations.i.requestParameters: route.request.body.a: only messages have a body"},

		// authorizers
		{"type of authorizer", authorizer("authorizerType: JWT, authorizerUri: 'http://u'"), `line 5: authorizers.a.authorizerType: "JWT" is not supported; authorizers of WebSocket APIs are of type REQUEST`},
		{"no type of authorizer", authorizer("authorizerUri: 'http://u'"), "authorizerType: missing"},
		{"no authorizer's uri", authorizer("authorizerType: REQUEST"), "authorizerUri: missing"},
		{"identity source", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', identitySource: [method.request.header.a]"), `identitySource[0]: "method.request.header.a" is not a mapping expression; use route.request.`},
		{"identity literal", authorizer(`authorizerType: REQUEST, authorizerUri: 'http://u', identitySource: ["'a'"]`), "a literal tells no callers apart"},
		{"identity twice", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', identitySource: [context.a, context.a]"), "stands twice"},
		{"remembers all", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', authorizerResultTtlInSeconds: 60"), "identitySource: missing; what is remembered for 60 seconds"},
		{"remembers long", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', authorizerResultTtlInSeconds: 3601"), "must be a whole number of seconds from 0 to 3600"},
		{"validation expression", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', identityValidationExpression: a"), "identityValidationExpression is not supported"},
		{"simple answers", authorizer("authorizerType: REQUEST, authorizerUri: 'http://u', enableSimpleResponses: true"), "enableSimpleResponses is not supported"},
		{"authorizer's name", authorizer("name: a, authorizerType: REQUEST, authorizerUri: 'http://u'"), "authorizers.a.name: the name before the colon is the key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), Options{})
			contains(t, err, c.want)
		})
	}
}

func keys(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("k%d", i))
	}
	return all
}

// TestHarmless holds what looks like the refused and changes nothing.
func TestHarmless(t *testing.T) {
	for _, text := range []string{
		head + "routes: {$default: {}}\nmodels: {}\nipAddressType: ipv4\ndisableSchemaValidation: false\ncorsConfiguration: {}\n",
		http("connectionType: internet, payloadFormatVersion: '1.0', credentialsArn: '', responseParameters: {}"),
		route("$connect", "target: integrations/i, authorizationType: none, authorizationScopes: [], requestModels: {}"),
		authorizer("authorizerType: request, authorizerUri: 'http://u', enableSimpleResponses: false, authorizerPayloadFormatVersion: '1.0', identitySource: []"),
		integration("integrationType: HTTP_PROXY, integrationMethod: post, integrationUri: 'http://u/{a}', requestParameters: {integration.request.path.a: route.request.body.a.b}"),
	} {
		parse(t, text)
	}
}

func TestHostTimeout(t *testing.T) {
	if _, err := Parse([]byte(http("timeoutInMillis: 60000")), Options{MaxTimeoutMillis: 120_000}); err != nil {
		t.Error(err)
	}
	result, err := Parse([]byte(http("")), Options{MaxTimeoutMillis: 5000})
	if err != nil || result.Body.WebSocket.Integrations[0].TimeoutMillis != 5000 {
		t.Errorf("%+v %v", result, err)
	}
}
