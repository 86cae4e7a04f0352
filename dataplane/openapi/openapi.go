// Package openapi reads an OpenAPI 3.0 or 3.1 document (YAML or JSON) with the
// x-amazon-apigateway extensions into the definition of a REST API.
//
// A document is hostile until it is read: nothing outside it is ever fetched
// or opened, its size, depth and expansion are bounded, and what would change
// how the API behaves but is not supported is refused by name and line. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html.
package openapi

import (
	"github.com/pb33f/go-yaml"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// Values of Options.BasePath: what an import does with the base path of
// servers[0].
const (
	BasePathIgnore  = "ignore"  // drop it
	BasePathPrepend = "prepend" // make it the first segments of every path
	BasePathSplit   = "split"   // drop its first segment and prepend the rest
)

// Options says how to read a document. The zero value ignores the base path
// and allows API Gateway's own maximum timeout.
type Options struct {
	BasePath         string // BasePathIgnore (also when empty), BasePathPrepend or BasePathSplit
	MaxTimeoutMillis int    // the host's longest integration timeout; 0 means 29000
	APIID            string // resource ids are derived from it, so a second import keeps them

	// Values of ${AWS::AccountId}, ${AWS::Partition} and ${AWS::Region}.
	AccountID, Partition, Region string
}

// Result is what a document says about an API.
type Result struct {
	Name, Description, Version string
	EndpointType               string  // EDGE or REGIONAL; empty when the document does not say
	APIKeySource               string  // definition.KeySourceHeader or KeySourceAuthorizer; empty when the document does not say
	GuaranteedRate             float64 // requests per second for each stage; 0 is none. See definition.Body
	Priority                   string  // likewise; empty when it is not said
	Policy                     string  // the resource policy, JSON; empty when the document has none
	Authorizers                []*definition.Authorizer
	Tags                       map[string]string
	Body                       *definition.Body
	Warnings                   []string // in document order; a caller may choose to fail on them
}

// Parse reads a document. An error is always a *document.Errors that lists every
// problem found. Parse keeps no reference to text and may be called from
// several goroutines.
func Parse(text []byte, o Options) (*Result, error) {
	p := &document.Problems{}
	switch o.BasePath {
	case "", BasePathIgnore, BasePathPrepend, BasePathSplit:
	default:
		p.Add(document.Node{}, "basepath %q is unknown; use ignore, prepend or split", o.BasePath)
		return nil, p.Err()
	}
	if o.MaxTimeoutMillis == 0 {
		o.MaxTimeoutMillis = defaultTimeoutMillis
	}

	root, ok := load(text, o, p)
	if !ok {
		return nil, p.Err()
	}
	r := &reader{
		Problems: p, options: o, root: root, budget: document.NewBudget(len(text)), tree: newTree(),
		searched: map[*yaml.Node]bool{}, indexes: map[*yaml.Node]map[string]int{},
		callers: map[*yaml.Node]*caller{}, schemes: map[string]*securityScheme{},
	}
	result := r.api()
	if err := p.Err(); err != nil {
		return nil, err
	}
	result.Body = definition.NewBody(o.APIID, r.tree.resources(o.APIID), definition.Settings{
		EndpointType: result.EndpointType, DisableExecuteAPIEndpoint: r.disableEndpoint,
		APIKeySource: result.APIKeySource, GuaranteedRate: result.GuaranteedRate, Priority: result.Priority,
		Policy: result.Policy, Authorizers: result.Authorizers,
	})
	result.Warnings = p.Warnings()
	return result, nil
}

// reader turns one loaded document into a Result.
type reader struct {
	*document.Problems
	options Options
	root    document.Node
	budget  *document.Budget // what may still be read, the same part each time anew
	tree    *tree

	searched map[*yaml.Node]bool           // parts without effect that hold no extensions
	indexes  map[*yaml.Node]map[string]int // positions of the members of a mapping, by name

	callers map[*yaml.Node]*caller     // by the list of security requirements
	schemes map[string]*securityScheme // security schemes by name

	endpointType    string
	disableEndpoint bool
	apiKeySource    string
	guaranteedRate  float64
	priority        string
	policy          string
}
