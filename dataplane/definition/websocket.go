package definition

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
)

// ProtocolWebSocket is the API.Protocol of a WebSocket API; a REST API's is empty.
const ProtocolWebSocket = "WEBSOCKET"

// Integration types that only routes have, besides those of methods.
const (
	IntegrationAWS      = "AWS"       // a Lambda function, by templates
	IntegrationAWSProxy = "AWS_PROXY" // a Lambda function that is told everything
)

// Keys of the routes that no message can choose, and of the one for messages that
// choose no other. RouteDefault is also the key of a response for every case.
const (
	RouteConnect    = "$connect"
	RouteDisconnect = "$disconnect"
	RouteDefault    = "$default"
)

// WebSocket is what a WebSocket API has in place of resources. Field names follow
// the AWS API Gateway v2 objects. Nothing of it refers to the API's own id, so
// that the same document makes the same WebSocket.
//
// Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
type WebSocket struct {
	RouteSelectionExpression string              `json:"routeSelectionExpression"` // such as "$request.body.action"
	Routes                   []*Route            `json:"routes,omitempty"`         // sorted by Key
	Integrations             []*RouteIntegration `json:"integrations,omitempty"`   // sorted by ID

	// AllowedOrigins lists the web origins whose pages may connect:
	// "https://example.com", "https://*.example.com", "null" or "*". Nil allows all
	// of them, as on AWS, which does not have it. Whoever sends no Origin is no
	// browser, and may always connect.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`

	// Subprotocols are those that a connection speaks for which the integration of
	// $connect chooses none: the first of them that the client offers. AWS does
	// not have it.
	Subprotocols []string `json:"subprotocols,omitempty"`
}

// Route says what becomes of a message, of a wish to connect or of the end of a
// connection.
type Route struct {
	ID            string `json:"routeId"` // 7 characters [a-z0-9], within the API
	Key           string `json:"routeKey"`
	OperationName string `json:"operationName,omitempty"`
	Target        string `json:"target,omitempty"` // "integrations/" and the integration's ID; empty is nothing to do

	// Of RouteConnect alone.
	AuthorizationType string `json:"authorizationType,omitempty"` // AuthNone when empty; AuthIAM or AuthCustom
	AuthorizerID      string `json:"authorizerId,omitempty"`      // of AuthCustom

	APIKeyRequired bool `json:"apiKeyRequired,omitempty"`

	// RequestParameters declares "route.request.{querystring|header}.NAME" of
	// RouteConnect with whether it is required.
	RequestParameters map[string]bool `json:"requestParameters,omitempty"`

	// ResponseSelectionExpression is RouteDefault for a route that answers, and
	// empty for one that does not. One that answers has a response of that key.
	ResponseSelectionExpression string           `json:"routeResponseSelectionExpression,omitempty"`
	Responses                   []*RouteResponse `json:"routeResponses,omitempty"` // sorted by Key
}

// RouteResponse lets a route answer.
type RouteResponse struct {
	ID  string `json:"routeResponseId"` // 6 characters [a-z0-9], within the route
	Key string `json:"routeResponseKey"`
}

// RouteIntegration says what answers the routes that point at it.
type RouteIntegration struct {
	ID            string `json:"integrationId"` // 7 characters [a-z0-9], within the API
	Description   string `json:"description,omitempty"`
	Type          string `json:"integrationType"`             // IntegrationHTTPProxy, IntegrationHTTP, IntegrationMock, IntegrationAWSProxy or IntegrationAWS
	HTTPMethod    string `json:"integrationMethod,omitempty"` // verb sent upstream
	URI           string `json:"integrationUri,omitempty"`    // may hold ${stageVariables.name}; ws:// or wss:// at RouteConnect passes everything on
	Credentials   string `json:"credentialsArn,omitempty"`
	TimeoutMillis int    `json:"timeoutInMillis"` // 50 to the host's maximum; default 29000

	// RequestParameters maps "integration.request.{path|querystring|header}.NAME"
	// to "route.request.{querystring|header}.NAME" (at RouteConnect),
	// "route.request.body.PATH", "stageVariables.NAME", "context.NAME" or
	// "'literal'".
	RequestParameters map[string]string `json:"requestParameters,omitempty"`

	// RequestTemplates are what is sent to IntegrationHTTP and IntegrationAWS, and
	// what says the status of IntegrationMock. One is chosen by what
	// TemplateSelection comes to, RouteDefault if there is no such.
	RequestTemplates    map[string]string `json:"requestTemplates,omitempty"`
	TemplateSelection   string            `json:"templateSelectionExpression,omitempty"`
	PassthroughBehavior string            `json:"passthroughBehavior,omitempty"`
	ContentHandling     string            `json:"contentHandlingStrategy,omitempty"` // CONVERT_TO_TEXT or CONVERT_TO_BINARY

	InsecureSkipVerification bool `json:"insecureSkipVerification,omitempty"`

	Responses []*RouteIntegrationResponse `json:"integrationResponses,omitempty"` // sorted by Key; not of the proxy types

	Targets     []string     `json:"targets,omitempty"`     // as those of Integration
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"` // AWS has neither
}

// RouteIntegrationResponse makes the message that answers of what an integration
// says.
type RouteIntegrationResponse struct {
	ID  string `json:"integrationResponseId"`  // 6 characters [a-z0-9], within the integration
	Key string `json:"integrationResponseKey"` // RouteDefault, or "/expression/" on the status or the error message

	ResponseParameters map[string]string `json:"responseParameters,omitempty"`
	ResponseTemplates  map[string]string `json:"responseTemplates,omitempty"`
	TemplateSelection  string            `json:"templateSelectionExpression,omitempty"`
	ContentHandling    string            `json:"contentHandlingStrategy,omitempty"`
}

// RouteSetting is what a stage sets for one route, or for every route that has no
// setting of its own.
type RouteSetting struct {
	Throttle        Throttle `json:"throttle"`
	DetailedMetrics bool     `json:"detailedMetricsEnabled,omitempty"`
}

// Route returns the route with the key, or nil.
func (w *WebSocket) Route(key string) *Route {
	for _, r := range w.Routes {
		if r.Key == key {
			return r
		}
	}
	return nil
}

// Integration returns the integration that a route points at, or nil.
func (w *WebSocket) Integration(target string) *RouteIntegration {
	for _, in := range w.Integrations {
		if target == IntegrationTarget(in.ID) {
			return in
		}
	}
	return nil
}

// IntegrationTarget returns the Route.Target of an integration.
func IntegrationTarget(id string) string { return "integrations/" + id }

// RouteID returns the id of the route with a key: 7 characters [a-z0-9], the same
// each time a document is imported.
func RouteID(key string) string { return shortID("route", key, 7) }

// RouteIntegrationID returns the id of the integration of that name in a document.
func RouteIntegrationID(name string) string { return shortID("integration", name, 7) }

// RouteResponseID returns the id of the response with a key, of the owner that is
// named.
func RouteResponseID(owner, key string) string { return shortID("response", owner+"\x00"+key, 6) }

func shortID(kind, name string, n int) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return lowerBase32.EncodeToString(sum[:])[:n]
}

// NewWebSocketBody makes a Body of a WebSocket API. ws belongs to it afterwards.
func NewWebSocketBody(apiID string, ws WebSocket, s Settings) *Body {
	b := newBody(apiID, nil, s)
	ws.Routes = sorted(ws.Routes, func(r *Route) string { return r.Key })
	ws.Integrations = sorted(ws.Integrations, func(in *RouteIntegration) string { return in.ID })
	b.WebSocket = &ws
	b.Revision = b.hash()
	return b
}

// sorted returns a copy; nil when there are none, as they come back when stored.
func sorted[T any, K cmp.Ordered](items []T, key func(T) K) []T {
	if len(items) == 0 {
		return nil
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return items
}

// SelectsRoute reports whether a message may choose the route with a key.
func SelectsRoute(key string) bool { return !strings.HasPrefix(key, "$") }
