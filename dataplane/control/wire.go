package control

import "github.com/tidegate/tidegate/dataplane/definition"

// The objects of the protocol, with AWS's wire names. Dates are Unix seconds.

// RestAPI is an API as the operations on APIs answer it.
type RestAPI struct {
	ID                        string                `json:"id"`
	Name                      string                `json:"name"`
	Description               string                `json:"description,omitempty"`
	CreatedDate               int64                 `json:"createdDate"`
	Version                   string                `json:"version,omitempty"`
	Warnings                  []string              `json:"warnings,omitempty"`
	APIKeySource              string                `json:"apiKeySource"`
	EndpointConfiguration     EndpointConfiguration `json:"endpointConfiguration"`
	Tags                      *map[string]string    `json:"tags,omitempty"` // some answers print {} and some nothing
	DisableExecuteAPIEndpoint bool                  `json:"disableExecuteApiEndpoint"`
	RootResourceID            string                `json:"rootResourceId"`
	Policy                    string                `json:"policy,omitempty"` // a JSON document with its quotes escaped, as AWS prints it

	// GuaranteedRate is of each stage, in requests per second; nil is none. AWS
	// does not have it.
	GuaranteedRate *Double `json:"x-tidegate-guaranteed-rate,omitempty"`

	// Priority is of each stage; empty when it was not set. AWS does not have it.
	Priority string `json:"x-tidegate-priority,omitempty"`
}

// EndpointConfiguration says how an API is reached.
type EndpointConfiguration struct {
	Types         []string `json:"types"`
	IPAddressType string   `json:"ipAddressType,omitempty"`
}

// Deployment is an immutable snapshot of an API.
type Deployment struct {
	ID          string `json:"id"`
	Description string `json:"description,omitempty"`
	CreatedDate int64  `json:"createdDate"`

	// Number counts the deployments of the API from 1. AWS does not have it.
	Number int `json:"number,omitempty"`

	// APISummary has path, then method; present when it was asked for.
	APISummary map[string]map[string]MethodSnapshot `json:"apiSummary,omitempty"`
}

// MethodSnapshot is what a summary tells about a method.
type MethodSnapshot struct {
	AuthorizationType string `json:"authorizationType"`
	APIKeyRequired    bool   `json:"apiKeyRequired"`
}

// Stage is a named pointer to a deployment.
type Stage struct {
	StageName           string                   `json:"stageName"`
	DeploymentID        string                   `json:"deploymentId"`
	Description         string                   `json:"description,omitempty"`
	CacheClusterEnabled bool                     `json:"cacheClusterEnabled"`
	CacheClusterSize    string                   `json:"cacheClusterSize,omitempty"` // gigabytes, of an enabled cluster
	CacheClusterStatus  string                   `json:"cacheClusterStatus"`
	MethodSettings      map[string]MethodSetting `json:"methodSettings"`
	Variables           map[string]string        `json:"variables,omitempty"`
	TracingEnabled      bool                     `json:"tracingEnabled"`
	WebACLARN           string                   `json:"webAclArn,omitempty"`
	Tags                *map[string]string       `json:"tags,omitempty"`
	CreatedDate         int64                    `json:"createdDate"`
	LastUpdatedDate     int64                    `json:"lastUpdatedDate"`

	// AWS does not have the following. They are absent unless they were set.
	Throttle         *ThrottleSettings `json:"x-tidegate-throttle,omitempty"`        // of all methods together
	GuaranteedRate   *Double           `json:"x-tidegate-guaranteed-rate,omitempty"` // requests per second; replaces the API's
	Priority         string            `json:"x-tidegate-priority,omitempty"`        // low, normal or high; replaces the API's
	RateLimitHeaders *bool             `json:"x-tidegate-rate-limit-headers,omitempty"`
	CacheMode        string            `json:"x-tidegate-cache-mode,omitempty"` // definition.CacheModeStandard
	MaxInFlight      int               `json:"x-tidegate-max-in-flight,omitempty"`
}

// MethodSetting is what a stage sets for one method, or for those without a
// setting of their own. It is printed whole, with AWS's defaults.
type MethodSetting struct {
	MetricsEnabled                         bool   `json:"metricsEnabled"`
	DataTraceEnabled                       bool   `json:"dataTraceEnabled"`
	ThrottlingBurstLimit                   int    `json:"throttlingBurstLimit"`
	ThrottlingRateLimit                    Double `json:"throttlingRateLimit"`
	CachingEnabled                         bool   `json:"cachingEnabled"`
	CacheTTLInSeconds                      int    `json:"cacheTtlInSeconds"`
	CacheDataEncrypted                     bool   `json:"cacheDataEncrypted"`
	RequireAuthorizationForCacheControl    bool   `json:"requireAuthorizationForCacheControl"`
	UnauthorizedCacheControlHeaderStrategy string `json:"unauthorizedCacheControlHeaderStrategy"`
}

// Account holds the settings of the host's one account.
type Account struct {
	CloudwatchRoleARN string            `json:"cloudwatchRoleArn,omitempty"`
	ThrottleSettings  *ThrottleSettings `json:"throttleSettings"` // shared by every API
	Features          []string          `json:"features"`
	APIKeyVersion     string            `json:"apiKeyVersion"`
}

// Authorizer says who may call the methods that name it.
type Authorizer struct {
	ID                           string   `json:"id"`
	Name                         string   `json:"name"`
	Type                         string   `json:"type"`
	ProviderARNs                 []string `json:"providerARNs,omitempty"`
	AuthType                     string   `json:"authType,omitempty"`
	AuthorizerURI                string   `json:"authorizerUri,omitempty"`
	AuthorizerCredentials        string   `json:"authorizerCredentials,omitempty"`
	IdentitySource               string   `json:"identitySource,omitempty"`
	IdentityValidationExpression string   `json:"identityValidationExpression,omitempty"`
	AuthorizerResultTTLInSeconds *int     `json:"authorizerResultTtlInSeconds,omitempty"`

	// JWTConfiguration is of the type JWT, which AWS has for HTTP APIs alone.
	JWTConfiguration *JWTConfiguration `json:"jwtConfiguration,omitempty"`
}

// JWTConfiguration says whose tokens an Authorizer takes.
type JWTConfiguration struct {
	Issuer   string   `json:"issuer,omitempty"`
	Audience []string `json:"audience,omitempty"`
}

// Resource is a node of an API's path tree.
type Resource struct {
	ID              string             `json:"id"`
	ParentID        string             `json:"parentId,omitempty"`
	PathPart        string             `json:"pathPart,omitempty"`
	Path            string             `json:"path"`
	ResourceMethods map[string]*Method `json:"resourceMethods,omitempty"` // empty objects unless methods are embedded
}

// Method is a verb on a resource.
type Method struct {
	HTTPMethod          string                    `json:"httpMethod,omitempty"`
	AuthorizationType   string                    `json:"authorizationType,omitempty"`
	AuthorizerID        string                    `json:"authorizerId,omitempty"`
	AuthorizationScopes []string                  `json:"authorizationScopes,omitempty"`
	APIKeyRequired      *bool                     `json:"apiKeyRequired,omitempty"`
	OperationName       string                    `json:"operationName,omitempty"`
	RequestParameters   map[string]bool           `json:"requestParameters,omitempty"`
	MethodResponses     map[string]MethodResponse `json:"methodResponses,omitempty"`
	MethodIntegration   *Integration              `json:"methodIntegration,omitempty"`
}

// MethodResponse declares a status code of a method.
type MethodResponse struct {
	StatusCode         string          `json:"statusCode"`
	ResponseParameters map[string]bool `json:"responseParameters,omitempty"`
}

// Integration says what answers a method.
type Integration struct {
	Type                 string                         `json:"type"`
	HTTPMethod           string                         `json:"httpMethod,omitempty"`
	URI                  string                         `json:"uri,omitempty"`
	ConnectionType       string                         `json:"connectionType,omitempty"`
	RequestParameters    map[string]string              `json:"requestParameters,omitempty"`
	RequestTemplates     map[string]string              `json:"requestTemplates,omitempty"`
	PassthroughBehavior  string                         `json:"passthroughBehavior,omitempty"`
	TimeoutInMillis      int                            `json:"timeoutInMillis"`
	CacheNamespace       string                         `json:"cacheNamespace"`
	CacheKeyParameters   []string                       `json:"cacheKeyParameters"`
	IntegrationResponses map[string]IntegrationResponse `json:"integrationResponses,omitempty"`
	TLSConfig            *TLSConfig                     `json:"tlsConfig,omitempty"`
	Targets              []string                       `json:"x-tidegate-targets,omitempty"`
	HealthCheck          *definition.HealthCheck        `json:"x-tidegate-health-check,omitempty"`
}

// IntegrationResponse turns an upstream's status into the method's answer.
type IntegrationResponse struct {
	StatusCode         string            `json:"statusCode"`
	SelectionPattern   string            `json:"selectionPattern,omitempty"`
	ResponseParameters map[string]string `json:"responseParameters,omitempty"`
	ResponseTemplates  map[string]string `json:"responseTemplates,omitempty"`
}

// TLSConfig is how an integration treats its upstream's certificate.
type TLSConfig struct {
	InsecureSkipVerification bool `json:"insecureSkipVerification"`
}

// List is the envelope of a list. Position is the token of the next page, and
// empty on the last.
type List[T any] struct {
	Items    []T    `json:"item"`
	Position string `json:"position,omitempty"`
}

// PatchOperation is one step of an update (JSON Patch with string values).
type PatchOperation struct {
	Op    string `json:"op"` // add, remove, replace or copy
	Path  string `json:"path"`
	Value string `json:"value,omitempty"`
	From  string `json:"from,omitempty"`
}

// Validation is the answer to POST /tidegate/validate.
type Validation struct {
	Valid    bool      `json:"valid"`
	Problems []Problem `json:"problems,omitempty"`
	Omitted  int       `json:"omittedProblems,omitempty"` // beyond the ones listed
	Warnings []string  `json:"warnings,omitempty"`

	Name      string `json:"name,omitempty"`
	Protocol  string `json:"protocolType,omitempty"` // definition.ProtocolWebSocket, or empty for a REST API
	Resources int    `json:"resources"`
	Methods   int    `json:"methods"`
	Routes    int    `json:"routes,omitempty"` // of a WebSocket API
}

// Problem is one thing wrong with a definition, and what to do about it.
type Problem struct {
	Location string `json:"location,omitempty"` // "paths./pets.get.x-amazon-apigateway-integration.uri"
	Line     int    `json:"line,omitempty"`     // 1-based
	Message  string `json:"message"`
}
