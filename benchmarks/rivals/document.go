package rivals

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var parameter = regexp.MustCompile(`\{([^}]+)\}`)

// document writes the API as an OpenAPI 3.0 document with
// x-amazon-apigateway-integration for each route.
func document(api API, backend string) []byte {
	paths := map[string]map[string]any{}
	for _, r := range api.Routes {
		item := paths[r.Path]
		if item == nil {
			item = map[string]any{}
			paths[r.Path] = item
		}
		item[strings.ToLower(r.Method)] = operation(r, backend, api.Cached)
	}
	doc := map[string]any{
		"openapi": "3.0.1",
		"info":    map[string]string{"title": api.Name, "version": "1"},
		"paths":   paths,
	}
	if api.Key != "" {
		const scheme = "key"
		doc["security"] = []any{map[string]any{scheme: []any{}}}
		doc["components"] = map[string]any{"securitySchemes": map[string]any{
			scheme: map[string]string{"type": "apiKey", "name": "x-api-key", "in": "header"},
		}}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("rivals: plain maps do not marshal: %v", err))
	}
	return b
}

func operation(r Route, backend string, cached bool) map[string]any {
	op := map[string]any{
		"responses": map[string]any{"200": map[string]string{"description": "ok"}},
	}
	if r.Target == "" {
		op["x-amazon-apigateway-integration"] = mockIntegration()
		return op
	}
	scheme := "http"
	if r.WebSocket {
		scheme = "ws"
	}
	integration := map[string]any{
		"type": "http_proxy", "httpMethod": r.Method, "uri": scheme + "://" + backend + r.Target,
	}
	var declared []any
	var inKey []string
	mapped := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(r.Path, -1) {
		name := m[1]
		declared = append(declared, map[string]any{
			"name": name, "in": "path", "required": true, "schema": map[string]string{"type": "string"},
		})
		mapped["integration.request.path."+name] = "method.request.path." + name
		inKey = append(inKey, "method.request.path."+name)
	}
	if declared != nil {
		op["parameters"] = declared
		integration["requestParameters"] = mapped
		if cached {
			integration["cacheKeyParameters"] = inKey
		}
	}
	op["x-amazon-apigateway-integration"] = integration
	return op
}

func mockIntegration() map[string]any {
	return map[string]any{
		"type":             "mock",
		"requestTemplates": map[string]string{"application/json": `{"statusCode": 200}`},
		"responses": map[string]any{"default": map[string]any{
			"statusCode":        "200",
			"responseTemplates": map[string]string{"application/json": SmallBody},
		}},
	}
}

// What clients of the WebSocket API say: the first is answered by the API itself,
// the second by an error that tells the client's connection id.
const (
	SocketHello  = `{"action":"hello"}`
	SocketWhoAmI = `{"action":"who am I"}`
)

// socketDocument is a WebSocket API that takes every connection.
const socketDocument = `protocolType: WEBSOCKET
name: sockets
routeSelectionExpression: $request.body.action
integrations:
  answer:
    integrationType: MOCK
    requestTemplates: {$default: '{"statusCode": 200}'}
    integrationResponses: {$default: {responseTemplates: {$default: '` + SmallBody + `'}}}
routes:
  hello: {target: integrations/answer, routeResponseSelectionExpression: $default}
`
