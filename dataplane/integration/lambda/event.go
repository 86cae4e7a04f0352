package lambda

import (
	"encoding/json"
	"strings"
	"time"
)

// Request is a request as functions are told of it: the members that the events
// of proxy integrations and of authorizers have in common, in AWS's order, in
// payload format 1.0 of REST APIs.
//
// An event is written on another goroutine than the one that serves the request,
// so every value has to be a copy: whoever fills a Request makes strings of what
// is in the buffers of the request, and does not change it afterwards.
type Request struct {
	Resource   string `json:"resource"` // path of the resource, such as "/pets/{id}"
	Path       string `json:"path"`     // the request's: without the stage, with a custom domain's base path
	HTTPMethod string `json:"httpMethod"`

	// By AddHeader and AddQuery. Of several values, the first map has the last.
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`

	PathParameters map[string]string `json:"pathParameters"`
	StageVariables map[string]string `json:"stageVariables"`

	RequestContext RequestContext `json:"requestContext"`

	spelling map[string]string // of header names, by lower-case name
}

// AddHeader adds a header field. Names keep the spelling of the first line with
// them, so that no name is there twice.
func (r *Request) AddHeader(name, value string) {
	if r.spelling == nil {
		r.spelling = map[string]string{}
	}
	lower := strings.ToLower(name)
	if first, ok := r.spelling[lower]; ok {
		name = first
	} else {
		r.spelling[lower] = name
	}
	add(&r.Headers, &r.MultiValueHeaders, name, value)
}

// AddQuery adds a query parameter; name and value are decoded.
func (r *Request) AddQuery(name, value string) {
	add(&r.QueryStringParameters, &r.MultiValueQueryStringParameters, name, value)
}

func add(last *map[string]string, all *map[string][]string, name, value string) {
	name = strings.ToValidUTF8(name, "\uFFFD") // as JSON would, so that no two names become one there
	if *last == nil {
		*last, *all = map[string]string{}, map[string][]string{}
	}
	(*last)[name] = value
	(*all)[name] = append((*all)[name], value)
}

// AuthorizerEvent returns the event of an authorizer of type REQUEST. Maps that
// have no members are {}, where a proxy integration's event has null.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (r *Request) AuthorizerEvent(methodARN string) ([]byte, error) {
	whole := *r
	for _, m := range []*map[string]string{&whole.Headers, &whole.QueryStringParameters, &whole.PathParameters, &whole.StageVariables} {
		if *m == nil {
			*m = map[string]string{}
		}
	}
	for _, m := range []*map[string][]string{&whole.MultiValueHeaders, &whole.MultiValueQueryStringParameters} {
		if *m == nil {
			*m = map[string][]string{}
		}
	}
	return json.Marshal(struct {
		Type      string `json:"type"`
		MethodARN string `json:"methodArn"`
		*Request
	}{"REQUEST", methodARN, &whole})
}

// RequestContext is an event's requestContext. What AWS has besides for custom
// domain names (customDomain) is left out.
type RequestContext struct {
	ResourceID        string   `json:"resourceId"`
	ResourcePath      string   `json:"resourcePath"`
	HTTPMethod        string   `json:"httpMethod"`
	ExtendedRequestID string   `json:"extendedRequestId"`
	RequestTime       string   `json:"requestTime"` // by SetTime
	Path              string   `json:"path"`        // with the stage, or the base path
	AccountID         string   `json:"accountId"`
	Protocol          string   `json:"protocol"`
	Stage             string   `json:"stage"`
	DomainPrefix      string   `json:"domainPrefix"`
	RequestTimeEpoch  int64    `json:"requestTimeEpoch"` // in milliseconds
	RequestID         string   `json:"requestId"`
	Identity          Identity `json:"identity"`
	DomainName        string   `json:"domainName"`
	DeploymentID      string   `json:"deploymentId"`
	APIID             string   `json:"apiId"`
}

// SetTime sets when the request came, in nanoseconds since the Unix epoch.
func (c *RequestContext) SetTime(wall int64) {
	c.RequestTimeEpoch = wall / int64(time.Millisecond)
	c.RequestTime = time.Unix(0, wall).UTC().Format("02/Jan/2006:15:04:05 -0700")
}

// Identity is who makes a request, as far as it is known.
type Identity struct {
	CognitoIdentityPoolID         Nullable `json:"cognitoIdentityPoolId"`
	AccountID                     Nullable `json:"accountId"`
	CognitoIdentityID             Nullable `json:"cognitoIdentityId"`
	Caller                        Nullable `json:"caller"`
	SourceIP                      string   `json:"sourceIp"`
	PrincipalOrgID                Nullable `json:"principalOrgId"`
	AccessKey                     Nullable `json:"accessKey"`
	CognitoAuthenticationType     Nullable `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider Nullable `json:"cognitoAuthenticationProvider"`
	UserARN                       Nullable `json:"userArn"`
	UserAgent                     Nullable `json:"userAgent"`
	User                          Nullable `json:"user"`

	APIKey   string `json:"apiKey,omitempty"` // of requests that have one
	APIKeyID string `json:"apiKeyId,omitempty"`

	ClientCert *ClientCert `json:"clientCert,omitempty"` // of mutual TLS
}

// ClientCert is the certificate of a client, as AWS words it.
type ClientCert struct {
	ClientCertPEM string   `json:"clientCertPem"`
	SubjectDN     string   `json:"subjectDN"`
	IssuerDN      string   `json:"issuerDN"`
	SerialNumber  string   `json:"serialNumber"`
	Validity      Validity `json:"validity"`
}

// Validity is when a certificate is good, such as "May 28 12:30:02 2019 GMT".
type Validity struct {
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
}

// Nullable is a string of an event that is null when it is empty.
type Nullable string

// MarshalJSON implements json.Marshaler.
func (n Nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(n))
}
