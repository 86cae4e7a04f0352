// Package websocketapi reads WebSocket APIs: whole documents, YAML or JSON, and
// the bodies of the control operations on their parts. Both have the field names of
// the AWS API Gateway v2 API, and one table for each object says how its fields are
// read; what AWS has and Tidegate does not is refused by name.
//
// In a document the parts have names, from which their ids are derived:
//
//	protocolType: WEBSOCKET
//	name: chat
//	routeSelectionExpression: $request.body.action
//	integrations:
//	  backend: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: "http://127.0.0.1:8090/"}
//	authorizers:
//	  token: {authorizerType: REQUEST, authorizerUri: "http://127.0.0.1:8091/", identitySource: [route.request.querystring.token]}
//	routes:
//	  $connect: {target: integrations/backend, authorizationType: CUSTOM, authorizer: token}
//	  sendmessage: {target: integrations/backend, routeResponseSelectionExpression: $default}
//
// AWS has no documents for WebSocket APIs. Source of the fields:
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html
package websocketapi

import (
	"regexp"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// AWS's quotas on one API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const (
	MaxRoutes       = 300
	MaxIntegrations = 300
	MaxAuthorizers  = 10
)

// API is what a WebSocket API has besides its parts.
type API struct {
	Name, Description, Version string

	RouteSelectionExpression  string
	APIKeySource              string // definition.KeySourceHeader or KeySourceAuthorizer; empty when it is not said
	DisableExecuteAPIEndpoint bool
	Tags                      map[string]string

	// AWS does not have these: see definition.WebSocket and definition.Body.
	AllowedOrigins []string
	Subprotocols   []string
	GuaranteedRate float64
	Priority       string
}

// Options says how to read a document. The zero value allows API Gateway's own
// maximum timeout.
type Options struct {
	MaxTimeoutMillis int    // the host's longest integration timeout; 0 means 29000
	APIID            string // ids of authorizers are derived from it, so a second import keeps them

	// Values of ${AWS::AccountId}, ${AWS::Partition} and ${AWS::Region}.
	AccountID, Partition, Region string
}

// Result is what a document says about an API.
type Result struct {
	API
	Authorizers []*definition.Authorizer
	Body        *definition.Body
	Warnings    []string // in the order they were found; a caller may choose to fail on them
}

// A document of a WebSocket API has a protocolType, and none of OpenAPI's keys.
var (
	protocolKey = rootKey("protocolType")
	openAPIKey  = rootKey("openapi|swagger")
)

func rootKey(names string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)(^|[{,]\s*)["']?(` + names + `)["']?\s*:`)
}

// Recognizes reports whether a text looks like the document of a WebSocket API, as
// opposed to other files that Tidegate reads.
func Recognizes(text []byte) bool { return protocolKey.Match(text) && !openAPIKey.Match(text) }

// Parse reads a document. An error is always a *document.Errors that lists every
// problem found. Parse keeps no reference to text and may be called from several
// goroutines.
func Parse(text []byte, o Options) (*Result, error) {
	p := &document.Problems{}
	root, ok := document.Load(text, document.Options{
		Kind: "the document of a WebSocket API", AccountID: o.AccountID, Partition: o.Partition, Region: o.Region,
	}, p)
	if !ok {
		return nil, p.Err()
	}
	d := &draft{reader: newReader(p, o.MaxTimeoutMillis), apiID: o.APIID, nodes: map[string]document.Node{}, names: map[string]string{}}
	result := d.read(root)
	if err := p.Err(); err != nil {
		return nil, err
	}
	result.Body = definition.NewWebSocketBody(o.APIID, d.socket, definition.Settings{
		EndpointType: definition.EndpointRegional, DisableExecuteAPIEndpoint: result.DisableExecuteAPIEndpoint,
		APIKeySource: result.APIKeySource, GuaranteedRate: result.GuaranteedRate, Priority: result.Priority, Authorizers: result.Authorizers,
	})
	result.Warnings = p.Warnings()
	return result, nil
}
