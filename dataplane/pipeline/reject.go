package pipeline

import (
	"strconv"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
)

// Reason is why the gateway answers a request itself.
type Reason uint8

// Reasons.
const (
	NotReady Reason = iota
	Overloaded
	Denied
	NoStage
	NotCertified
	WAFBlocked
	NotInspected
	NoMethod
	NotSigned
	InvalidSignature
	UnknownAccessKey
	ExpiredToken
	Unauthorized
	InsufficientScope
	AuthorizerFailure
	AuthorizerInvalid
	AuthorizerBusy
	AccessDenied
	InvalidAPIKey
	Throttled
	QuotaExceeded
	InvalidationDenied
	OnlyIfCached
	MustRevalidate
	URLTooLong
	Malformed
	BodyTooLarge
	HeadersTooLarge
	UnknownExpectation
	UnsupportedMediaType
	Misconfigured
	IntegrationTimeout
	IntegrationFailure
	IntegrationInvalid
	IntegrationTooLarge
	IntegrationBusy
	IntegrationOpen
	UpgradeRequired
	MethodNotAllowed
	Gone
	ConnectionBusy
	MessageTooLarge
	numReasons
)

// statusAnswerTooLarge is the answer when the backend's is over the payload
// limit. AWS does not document whether it is 500 or 502 (open point 4).
const statusAnswerTooLarge = 502

// retryAfterSeconds goes with every 503, unless it is known how long it takes.
const retryAfterSeconds = 1

// gatewayResponse is an answer of the gateway's own, as AWS gives it.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
type gatewayResponse struct {
	label        string // for metrics
	status       int
	responseType string // AWS's name, or ours where AWS has none
	errorType    string // x-amzn-ErrorType
	message      string
}

// responses is the only table from reason to answer. INTEGRATION_FAILURE is
// AWS's for a backend that cannot be reached; a backend that was reached and
// gave no valid answer is a bad gateway (502), as for AWS_PROXY on AWS.
var responses = [numReasons]gatewayResponse{
	NotReady:             {"not_ready", 503, "NOT_READY", "ServiceUnavailableException", "Service Unavailable"},
	Overloaded:           {"overloaded", 503, "OVERLOADED", "ServiceUnavailableException", "Service Unavailable"},
	Denied:               {"denied", 403, "ACCESS_DENIED", "ForbiddenException", "Forbidden"},
	NoStage:              {"no_stage", 403, "ACCESS_DENIED", "ForbiddenException", "Forbidden"},
	NotCertified:         {"not_certified", 403, "ACCESS_DENIED", "ForbiddenException", "Forbidden"},
	WAFBlocked:           {"waf_filtered", 403, "WAF_FILTERED", "ForbiddenException", "Forbidden"},
	NotInspected:         {"not_inspected", 503, "NOT_READY", "ServiceUnavailableException", "Service Unavailable"},
	NoMethod:             {"no_method", 403, "MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", "Missing Authentication Token"},
	NotSigned:            {"not_signed", 403, "MISSING_AUTHENTICATION_TOKEN", "IncompleteSignatureException", ""},
	InvalidSignature:     {"invalid_signature", 403, "INVALID_SIGNATURE", "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
	UnknownAccessKey:     {"unknown_access_key", 403, "INVALID_SIGNATURE", "UnrecognizedClientException", "The security token included in the request is invalid."},
	ExpiredToken:         {"expired_token", 403, "EXPIRED_TOKEN", "ExpiredTokenException", "The security token included in the request is expired"},
	Unauthorized:         {"unauthorized", 401, "UNAUTHORIZED", "UnauthorizedException", "Unauthorized"},
	InsufficientScope:    {"insufficient_scope", 403, "ACCESS_DENIED", "ForbiddenException", "Forbidden"},
	AuthorizerFailure:    {"authorizer_failure", 500, "AUTHORIZER_FAILURE", "AuthorizerFailureException", "Internal server error"},
	AuthorizerInvalid:    {"authorizer_misconfigured", 500, "AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", "null"},
	AuthorizerBusy:       {"authorizer_busy", 503, "NOT_READY", "ServiceUnavailableException", "Service Unavailable"},
	AccessDenied:         {"access_denied", 403, "ACCESS_DENIED", accessDenied, "User is not authorized to access this resource"},
	InvalidAPIKey:        {"invalid_api_key", 403, "INVALID_API_KEY", "ForbiddenException", "Forbidden"},
	Throttled:            {"throttled", 429, "THROTTLED", "TooManyRequestsException", "Too Many Requests"},
	QuotaExceeded:        {"quota_exceeded", 429, "QUOTA_EXCEEDED", "LimitExceededException", "Limit Exceeded"},
	InvalidationDenied:   {"invalidation_denied", 403, "ACCESS_DENIED", accessDenied, "User is not authorized to access this resource"},
	OnlyIfCached:         {"only_if_cached", 504, "DEFAULT_5XX", "InternalServerErrorException", "Gateway Timeout"},
	MustRevalidate:       {"must_revalidate", 504, "INTEGRATION_FAILURE", "InternalServerErrorException", "Gateway Timeout"},
	URLTooLong:           {"url_too_long", 414, "REQUEST_TOO_LARGE", "RequestTooLargeException", "Request URI too long"},
	Malformed:            {"malformed", 400, "DEFAULT_4XX", "BadRequestException", "Bad Request"},
	BodyTooLarge:         {"body_too_large", 413, "REQUEST_TOO_LARGE", "RequestTooLargeException", "HTTP content length exceeded 10485760 bytes"},
	HeadersTooLarge:      {"headers_too_large", 431, "REQUEST_TOO_LARGE", "RequestTooLargeException", "Request Header Fields Too Large"},
	UnknownExpectation:   {"unknown_expectation", 417, "DEFAULT_4XX", "BadRequestException", "Expectation Failed"},
	UnsupportedMediaType: {"unsupported_media_type", 415, "UNSUPPORTED_MEDIA_TYPE", "BadRequestException", "Unsupported Media Type"},
	Misconfigured:        {"misconfigured", 500, "API_CONFIGURATION_ERROR", "InternalServerErrorException", "Internal server error"},
	IntegrationTimeout:   {"integration_timeout", 504, "INTEGRATION_TIMEOUT", "InternalServerErrorException", "Endpoint request timed out"},
	IntegrationFailure:   {"integration_failure", 504, "INTEGRATION_FAILURE", "InternalServerErrorException", "Network error communicating with endpoint"},
	IntegrationInvalid:   {"integration_invalid", 502, "INTEGRATION_FAILURE", "InternalServerErrorException", "Internal server error"},
	IntegrationTooLarge:  {"integration_too_large", statusAnswerTooLarge, "INTEGRATION_FAILURE", "InternalServerErrorException", "Internal server error"},
	IntegrationBusy:      {"integration_busy", 503, "NOT_READY", "ServiceUnavailableException", "Service Unavailable"},
	IntegrationOpen:      {"integration_open", 503, "NOT_READY", "ServiceUnavailableException", "Service Unavailable"},
	UpgradeRequired:      {"upgrade_required", 426, "DEFAULT_4XX", "BadRequestException", "Upgrade Required"},
	MethodNotAllowed:     {"method_not_allowed", 405, "DEFAULT_4XX", "BadRequestException", "Method Not Allowed"},
	Gone:                 {"connection_gone", 410, "DEFAULT_4XX", "GoneException", "Gone"},
	MessageTooLarge:      {"message_too_large", 413, "REQUEST_TOO_LARGE", "PayloadTooLargeException", "Payload Too Large"},
	ConnectionBusy:       {"connection_busy", 429, "THROTTLED", "LimitExceededException", "Limit Exceeded"},
}

// accessDenied is the error type of refusals by a policy, whose bodies AWS
// spells with a capital: {"Message":…}.
const accessDenied = "AccessDeniedException"

// Labels returns the metric label of every Reason, in order.
func Labels() []string {
	labels := make([]string, numReasons)
	for r := range responses {
		labels[r] = responses[r].label
	}
	return labels
}

// bodyTooLarge words AWS's message for a host's own limit.
func bodyTooLarge(limit int64) string {
	return "HTTP content length exceeded " + strconv.FormatInt(limit, 10) + " bytes"
}

// ofFault maps what is wrong with a message to a Reason.
func ofFault(f http1.Fault) Reason {
	switch f.Status() {
	case 413:
		return BodyTooLarge
	case 414:
		return URLTooLong
	case 417:
		return UnknownExpectation
	case 431:
		return HeadersTooLarge
	}
	return Malformed
}

// ofFailure maps what went wrong with a call to a Reason.
func ofFailure(f upstream.Failure) Reason {
	switch f {
	case upstream.Timeout:
		return IntegrationTimeout
	case upstream.NoAnswer, upstream.Invalid, upstream.Truncated:
		return IntegrationInvalid
	case upstream.TooLarge:
		return IntegrationTooLarge
	case upstream.Busy, upstream.NoSocket, upstream.ShuttingDown:
		return IntegrationBusy
	case upstream.Open:
		return IntegrationOpen
	}
	return IntegrationFailure
}
