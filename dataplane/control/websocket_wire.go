package control

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// The objects of the protocol of WebSocket APIs (version 2018-11-29), with AWS's
// wire names.

// WebSocketAPI is a WebSocket API as the operations on those answer it.
type WebSocketAPI struct {
	APIID                     string            `json:"apiId"`
	Name                      string            `json:"name"`
	ProtocolType              string            `json:"protocolType"`
	Description               string            `json:"description,omitempty"`
	Version                   string            `json:"version,omitempty"`
	RouteSelectionExpression  string            `json:"routeSelectionExpression"`
	APIKeySelectionExpression string            `json:"apiKeySelectionExpression"`
	APIEndpoint               string            `json:"apiEndpoint,omitempty"` // ws://… or wss://…, without a stage
	CreatedDate               time.Time         `json:"createdDate"`
	DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint"`
	DisableSchemaValidation   bool              `json:"disableSchemaValidation"`
	IPAddressType             string            `json:"ipAddressType"`
	Tags                      map[string]string `json:"tags"`
	Warnings                  []string          `json:"warnings,omitempty"` // of the last import

	// AWS does not have the following. They are absent unless they were set.
	AllowedOrigins []string `json:"x-tidegate-allowed-origins,omitempty"`
	Subprotocols   []string `json:"x-tidegate-subprotocols,omitempty"`
	GuaranteedRate *Double  `json:"x-tidegate-guaranteed-rate,omitempty"` // of each stage, in requests per second
	Priority       string   `json:"x-tidegate-priority,omitempty"`        // of each stage
}

// Route says what becomes of messages.
type Route struct {
	RouteID                          string                          `json:"routeId"`
	RouteKey                         string                          `json:"routeKey"`
	Target                           string                          `json:"target,omitempty"`
	OperationName                    string                          `json:"operationName,omitempty"`
	AuthorizationType                string                          `json:"authorizationType"`
	AuthorizerID                     string                          `json:"authorizerId,omitempty"`
	APIKeyRequired                   bool                            `json:"apiKeyRequired"`
	RequestParameters                map[string]ParameterConstraints `json:"requestParameters,omitempty"`
	RouteResponseSelectionExpression string                          `json:"routeResponseSelectionExpression,omitempty"`
}

// ParameterConstraints says whether a parameter has to be there.
type ParameterConstraints struct {
	Required bool `json:"required"`
}

// RouteResponse lets a route answer.
type RouteResponse struct {
	RouteResponseID  string `json:"routeResponseId"`
	RouteResponseKey string `json:"routeResponseKey"`
}

// RouteIntegration says what answers the routes that point at it.
type RouteIntegration struct {
	IntegrationID                          string                  `json:"integrationId"`
	IntegrationType                        string                  `json:"integrationType"`
	IntegrationMethod                      string                  `json:"integrationMethod,omitempty"`
	IntegrationURI                         string                  `json:"integrationUri,omitempty"`
	Description                            string                  `json:"description,omitempty"`
	ConnectionType                         string                  `json:"connectionType,omitempty"`
	RequestParameters                      map[string]string       `json:"requestParameters,omitempty"`
	RequestTemplates                       map[string]string       `json:"requestTemplates,omitempty"`
	TemplateSelectionExpression            string                  `json:"templateSelectionExpression,omitempty"`
	IntegrationResponseSelectionExpression string                  `json:"integrationResponseSelectionExpression,omitempty"`
	PassthroughBehavior                    string                  `json:"passthroughBehavior"`
	PayloadFormatVersion                   string                  `json:"payloadFormatVersion"`
	ContentHandlingStrategy                string                  `json:"contentHandlingStrategy,omitempty"`
	TimeoutInMillis                        int                     `json:"timeoutInMillis"`
	TLSConfig                              *TLSConfig              `json:"tlsConfig,omitempty"`
	Targets                                []string                `json:"x-tidegate-targets,omitempty"`
	HealthCheck                            *definition.HealthCheck `json:"x-tidegate-health-check,omitempty"`
}

// RouteIntegrationResponse makes answers of what an integration says.
type RouteIntegrationResponse struct {
	IntegrationResponseID       string            `json:"integrationResponseId"`
	IntegrationResponseKey      string            `json:"integrationResponseKey"`
	ResponseParameters          map[string]string `json:"responseParameters,omitempty"`
	ResponseTemplates           map[string]string `json:"responseTemplates,omitempty"`
	TemplateSelectionExpression string            `json:"templateSelectionExpression,omitempty"`
	ContentHandlingStrategy     string            `json:"contentHandlingStrategy,omitempty"`
}

// ConnectAuthorizer says who may connect.
type ConnectAuthorizer struct {
	AuthorizerID                 string   `json:"authorizerId"`
	Name                         string   `json:"name"`
	AuthorizerType               string   `json:"authorizerType"`
	AuthorizerURI                string   `json:"authorizerUri"`
	IdentitySource               []string `json:"identitySource"`
	AuthorizerResultTTLInSeconds int      `json:"authorizerResultTtlInSeconds"`
}

// WebSocketDeployment is an immutable snapshot of a WebSocket API.
type WebSocketDeployment struct {
	DeploymentID     string    `json:"deploymentId"`
	Description      string    `json:"description,omitempty"`
	AutoDeployed     bool      `json:"autoDeployed"`
	DeploymentStatus string    `json:"deploymentStatus"` // always DEPLOYED
	CreatedDate      time.Time `json:"createdDate"`

	// Number counts the deployments of the API from 1. AWS does not have it.
	Number int `json:"number,omitempty"`
}

// WebSocketStage is a named pointer to a deployment of a WebSocket API.
type WebSocketStage struct {
	StageName                   string                   `json:"stageName"`
	DeploymentID                string                   `json:"deploymentId"`
	Description                 string                   `json:"description,omitempty"`
	AutoDeploy                  bool                     `json:"autoDeploy"`
	MaxInFlight                 int                      `json:"x-tidegate-max-in-flight,omitempty"`
	LastDeploymentStatusMessage string                   `json:"lastDeploymentStatusMessage,omitempty"`
	DefaultRouteSettings        RouteSettings            `json:"defaultRouteSettings"`
	RouteSettings               map[string]RouteSettings `json:"routeSettings"` // by route key
	StageVariables              map[string]string        `json:"stageVariables"`
	Tags                        map[string]string        `json:"tags"`
	CreatedDate                 time.Time                `json:"createdDate"`
	LastUpdatedDate             time.Time                `json:"lastUpdatedDate"`
}

// RouteSettings is what a stage sets for a route. Limits that are nil are
// inherited.
type RouteSettings struct {
	DataTraceEnabled       bool    `json:"dataTraceEnabled"`
	DetailedMetricsEnabled bool    `json:"detailedMetricsEnabled"`
	LoggingLevel           string  `json:"loggingLevel"` // always OFF
	ThrottlingBurstLimit   *int    `json:"throttlingBurstLimit,omitempty"`
	ThrottlingRateLimit    *Double `json:"throttlingRateLimit,omitempty"`
}

// Items is the envelope of a list. NextToken is the token of the next page, and
// empty on the last.
type Items[T any] struct {
	Items     []T    `json:"items"`
	NextToken string `json:"nextToken,omitempty"`
}
