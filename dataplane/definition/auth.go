package definition

// Authorization types of a method: who may call it.
const (
	AuthNone      = "NONE"
	AuthIAM       = "AWS_IAM"            // requests signed with an access key
	AuthCustom    = "CUSTOM"             // an Authorizer of type TOKEN or REQUEST
	AuthUserPools = "COGNITO_USER_POOLS" // an Authorizer of that type
	AuthJWT       = "JWT"                // an Authorizer of that type; on AWS, HTTP APIs alone have it
)

// Types of an Authorizer.
const (
	AuthorizerToken     = "TOKEN"
	AuthorizerRequest   = "REQUEST"
	AuthorizerUserPools = "COGNITO_USER_POOLS"
	AuthorizerJWT       = "JWT"
)

// Bounds and default of Authorizer.ResultTTLSeconds, in seconds.
const (
	DefaultAuthorizerTTL = 300
	MaxAuthorizerTTL     = 3600
)

// Authorizer says who a caller is and what it may call.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
type Authorizer struct {
	ID       string `json:"id"` // 6 characters [a-z0-9], within the API
	Name     string `json:"name"`
	Type     string `json:"type"`
	AuthType string `json:"authType,omitempty"` // a word for people, such as "custom"

	// Of TOKEN and REQUEST: what is called, an http(s) URL or the ARN of a Lambda
	// invocation, arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations.
	URI         string `json:"authorizerUri,omitempty"`
	Credentials string `json:"authorizerCredentials,omitempty"`

	// IdentitySource lists where the caller's identity is, with commas between:
	// "method.request.header.Authorization", "method.request.querystring.NAME",
	// "stageVariables.NAME", "context.NAME". What WebSocket APIs write as
	// "route.request.…" is "method.request.…" here: it is a request that connects.
	IdentitySource     string `json:"identitySource,omitempty"`
	IdentityValidation string `json:"identityValidationExpression,omitempty"` // a regular expression
	ResultTTLSeconds   *int   `json:"authorizerResultTtlInSeconds,omitempty"` // nil: DefaultAuthorizerTTL; 0 asks every time

	ProviderARNs []string `json:"providerARNs,omitempty"` // of COGNITO_USER_POOLS: the user pools

	// Of JWT.
	Issuer   string   `json:"issuer,omitempty"`
	Audience []string `json:"audience,omitempty"`
}
