// Package definition holds what an owner of APIs defines: APIs,
// immutable deployments of them, and stages that point at deployments.
//
// The types are plain data. Every value reachable from a Catalog is immutable
// once it is in the Catalog; whoever wants to change one makes a copy first.
// Field names follow the AWS API Gateway (REST API, v1) objects.
package definition

import "time"

// Endpoint types of a REST API.
const (
	EndpointEdge     = "EDGE"
	EndpointRegional = "REGIONAL"
	EndpointPrivate  = "PRIVATE"
)

// Integration types.
const (
	IntegrationHTTPProxy = "HTTP_PROXY"
	IntegrationHTTP      = "HTTP"
	IntegrationMock      = "MOCK"
)

// MethodAny is the pseudo verb that stands for every verb a resource has no
// method of its own for.
const MethodAny = "ANY"

// Verbs lists the HTTP methods that a resource may have, besides ANY.
var Verbs = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// API is one API: its description and the current, not yet deployed, Body.
type API struct {
	ID          string    `json:"id"`                     // 10 characters [a-z0-9]
	Protocol    string    `json:"protocolType,omitempty"` // ProtocolWebSocket, or empty for a REST API
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Version     string    `json:"version,omitempty"`
	CreatedDate time.Time `json:"createdDate"`

	EndpointType              string            `json:"endpointType"`
	DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint,omitempty"`
	APIKeySource              string            `json:"apiKeySource,omitempty"`   // KeySourceHeader when empty
	GuaranteedRate            float64           `json:"guaranteedRate,omitempty"` // see Body
	Priority                  string            `json:"priority,omitempty"`       // see Body
	Policy                    string            `json:"policy,omitempty"`         // see Body
	Authorizers               []*Authorizer     `json:"authorizers,omitempty"`    // see Body
	Tags                      map[string]string `json:"tags,omitempty"`
	Warnings                  []string          `json:"warnings,omitempty"` // of the last import

	// DeploymentCount is the Number of the newest deployment ever made. It
	// outlives the deployments, so that no Number comes twice.
	DeploymentCount int `json:"deploymentCount,omitempty"`

	Body *Body `json:"-"`
}

// Settings returns what the API's next Body freezes besides resources.
func (a *API) Settings() Settings {
	return Settings{
		EndpointType: a.EndpointType, DisableExecuteAPIEndpoint: a.DisableExecuteAPIEndpoint,
		APIKeySource: a.APIKeySource, GuaranteedRate: a.GuaranteedRate, Priority: a.Priority,
		Policy: a.Policy, Authorizers: a.Authorizers,
	}
}

// Body is the part of an API that a deployment freezes: its resources, methods
// and integrations. A Body is immutable and is shared by the API and by every
// deployment made of it until the next import.
type Body struct {
	Revision       string      `json:"revision"` // content hash, hexadecimal; the state store's key
	RootResourceID string      `json:"rootResourceId"`
	Resources      []*Resource `json:"resources"` // sorted by Path

	// DisableExecuteAPIEndpoint is frozen too: for REST APIs it takes effect
	// with a deployment.
	DisableExecuteAPIEndpoint bool   `json:"disableExecuteApiEndpoint,omitempty"`
	EndpointType              string `json:"endpointType"`

	APIKeySource string `json:"apiKeySource,omitempty"` // KeySourceHeader when empty

	// GuaranteedRate is how many requests per second each stage of the API is
	// served even while others exhaust the account's limit; 0 is none. AWS does
	// not have it.
	GuaranteedRate float64 `json:"guaranteedRate,omitempty"`

	// Priority says which requests are shed first when the host has too much to
	// do; PriorityNormal when empty. AWS does not have it.
	Priority string `json:"priority,omitempty"`

	// Policy is the resource policy, a JSON document; empty is none.
	Policy string `json:"policy,omitempty"`

	Authorizers []*Authorizer `json:"authorizers,omitempty"` // sorted by ID

	WebSocket *WebSocket `json:"webSocket,omitempty"` // of a WebSocket API, which has no resources but the root
}

// Resource is a node of the path tree.
type Resource struct {
	ID       string `json:"id"`
	ParentID string `json:"parentId,omitempty"`
	PathPart string `json:"pathPart,omitempty"` // "pets", "{id}", "{proxy+}"; empty for the root
	Path     string `json:"path"`               // "/", "/pets/{id}"

	Methods map[string]*Method `json:"resourceMethods,omitempty"` // verb, or ANY
}

// Method is a verb on a resource.
type Method struct {
	HTTPMethod    string `json:"httpMethod"`
	OperationName string `json:"operationName,omitempty"`

	APIKeyRequired bool `json:"apiKeyRequired,omitempty"`

	AuthorizationType   string   `json:"authorizationType,omitempty"`   // AuthNone when empty
	AuthorizerID        string   `json:"authorizerId,omitempty"`        // of AuthCustom, AuthUserPools and AuthJWT
	AuthorizationScopes []string `json:"authorizationScopes,omitempty"` // any of which the token has to have

	// RequestParameters declares "method.request.{path|querystring|header}.NAME"
	// with whether it is required.
	RequestParameters map[string]bool `json:"requestParameters,omitempty"`

	// Responses maps a declared status code to the response headers it
	// declares ("method.response.header.NAME").
	Responses map[string][]string `json:"methodResponses,omitempty"`

	Priority string `json:"priority,omitempty"` // replaces the stage's; see Body

	Integration *Integration `json:"methodIntegration,omitempty"`
}

// Integration says what answers a method.
type Integration struct {
	Type          string `json:"type"`                 // IntegrationHTTPProxy, IntegrationHTTP or IntegrationMock
	HTTPMethod    string `json:"httpMethod,omitempty"` // verb sent upstream; ANY means the client's
	URI           string `json:"uri,omitempty"`        // may hold {param} and ${stageVariables.name}
	TimeoutMillis int    `json:"timeoutInMillis"`      // 50 to the host's maximum; default 29000

	// RequestParameters maps "integration.request.{path|querystring|header}.NAME"
	// to "method.request.…", "stageVariables.NAME", "context.NAME" or "'literal'".
	RequestParameters map[string]string `json:"requestParameters,omitempty"`

	// RequestTemplates is for MOCK: media type to a constant JSON text with an
	// integer statusCode.
	RequestTemplates    map[string]string `json:"requestTemplates,omitempty"`
	PassthroughBehavior string            `json:"passthroughBehavior,omitempty"`

	Responses []*IntegrationResponse `json:"integrationResponses,omitempty"` // HTTP and MOCK

	// Entries of a cache are told apart by CacheNamespace, the resource's id when
	// it is empty, and by the values of CacheKeyParameters:
	// "method.request.{path|querystring|header}.NAME" or
	// "integration.request.{path|querystring|header}.NAME".
	CacheNamespace     string   `json:"cacheNamespace,omitempty"`
	CacheKeyParameters []string `json:"cacheKeyParameters,omitempty"`

	// CacheAcrossCallers lets callers of a method that asks who they are, or of a
	// domain that asks for certificates, have one another's answers, as on AWS;
	// else each has entries of its own.
	CacheAcrossCallers bool `json:"cacheAcrossCallers,omitempty"`

	InsecureSkipVerification bool `json:"insecureSkipVerification,omitempty"` // tlsConfig

	// AWS does not have the following. Targets stand in for one another and for the
	// host of the URI, which still is the Host field and the name that TLS verifies:
	// host:port each, or what ${stageVariables.name} comes to, several with commas.
	Targets     []string     `json:"targets,omitempty"`
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`
}

// IntegrationResponse turns an upstream's status into the method's answer.
type IntegrationResponse struct {
	SelectionPattern   string            `json:"selectionPattern,omitempty"` // regular expression on the whole status; empty is the default
	StatusCode         string            `json:"statusCode"`
	ResponseParameters map[string]string `json:"responseParameters,omitempty"` // "method.response.header.NAME" to "integration.response.header.NAME", "stageVariables.…", "context.…", "'literal'"
	ResponseTemplates  map[string]string `json:"responseTemplates,omitempty"`  // media type to a constant text
}

// Deployment is an immutable snapshot of an API.
type Deployment struct {
	ID          string    `json:"id"` // 6 characters [a-z0-9]
	APIID       string    `json:"apiId"`
	Number      int       `json:"number"` // 1, 2, 3… within the API; never reused
	Description string    `json:"description,omitempty"`
	CreatedDate time.Time `json:"createdDate"`

	AutoDeployed bool `json:"autoDeployed,omitempty"` // made for stages with AutoDeploy

	Body *Body `json:"-"`
}

// Stage is a named pointer to a deployment, with settings of its own.
type Stage struct {
	APIID           string            `json:"apiId"`
	Name            string            `json:"stageName"` // [A-Za-z0-9_-]{1,128}
	DeploymentID    string            `json:"deploymentId"`
	Description     string            `json:"description,omitempty"`
	Variables       map[string]string `json:"variables,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	CreatedDate     time.Time         `json:"createdDate"`
	LastUpdatedDate time.Time         `json:"lastUpdatedDate"`

	// MethodSettings are by AWS's key: a resource path and a verb, with the
	// slashes of the path as ~1 and the first of them optional ("pets~1{id}/GET",
	// "~1/GET"), or AllMethods.
	MethodSettings map[string]*MethodSetting `json:"methodSettings,omitempty"`

	// Of a WebSocket API, in place of MethodSettings: by route key, and for the
	// routes that have none.
	RouteSettings       map[string]*RouteSetting `json:"routeSettings,omitempty"`
	DefaultRouteSetting *RouteSetting            `json:"defaultRouteSettings,omitempty"`

	// AutoDeploy has every change of the API deployed to the stage.
	// LastDeploymentStatus says how that went last: a change that cannot be
	// deployed is kept all the same, and the stage serves what it did.
	AutoDeploy           bool   `json:"autoDeploy,omitempty"`
	LastDeploymentStatus string `json:"lastDeploymentStatusMessage,omitempty"`

	CacheClusterEnabled bool   `json:"cacheClusterEnabled,omitempty"`
	CacheClusterSize    string `json:"cacheClusterSize,omitempty"` // one of CacheSizes; the smallest when empty

	WebACLID string `json:"webAclId,omitempty"` // of the WebACL that protects the stage; none when empty

	// AWS does not have the following.
	CacheMode      string    `json:"cacheMode,omitempty"`      // CacheModeAWS when empty
	Throttle       *Throttle `json:"throttle,omitempty"`       // of all methods together; nil: none
	GuaranteedRate *float64  `json:"guaranteedRate,omitempty"` // replaces the API's
	Priority       string    `json:"priority,omitempty"`       // replaces the API's
	HideLimits     bool      `json:"hideLimits,omitempty"`     // no Retry-After and RateLimit fields in answers
	MaxInFlight    int       `json:"maxInFlight,omitempty"`    // requests to integrations at once; 0: as many as the API may
}

// Account holds the settings shared by every API on the host.
type Account struct {
	CloudwatchRoleARN string    `json:"cloudwatchRoleArn,omitempty"`
	Throttle          *Throttle `json:"throttle,omitempty"` // replaces the host file's account limit

	Deny []DenyRule `json:"deny,omitempty"` // what an operator keeps out, in the kernel
}

// DenyRule keeps the addresses of a prefix out.
type DenyRule struct {
	CIDR   string     `json:"cidr"`
	Reason string     `json:"reason,omitempty"`
	Status int        `json:"status,omitempty"` // of the kernel's answer, where it gives one: 403 or 429
	Until  *time.Time `json:"until,omitempty"`  // nil: until it is taken back
}
