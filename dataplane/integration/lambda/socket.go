package lambda

import (
	"encoding/json"
	"time"
)

// SocketEvent is what a function is told of a WebSocket: the event of a proxy
// integration, in AWS's order. As with Request, every value has to be a copy.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mapping-template-reference.html
type SocketEvent struct {
	// Of $connect; by AddHeader and AddQuery. Of $disconnect, some headers.
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`

	StageVariables map[string]string `json:"stageVariables,omitempty"`
	RequestContext SocketContext     `json:"requestContext"`
	Body           *string           `json:"body,omitempty"` // of a message
	IsBase64       bool              `json:"isBase64Encoded"`
}

// AddHeader adds a header field.
func (e *SocketEvent) AddHeader(name, value string) {
	add(&e.Headers, &e.MultiValueHeaders, name, value)
}

// AddQuery adds a query parameter; name and value are decoded.
func (e *SocketEvent) AddQuery(name, value string) {
	add(&e.QueryStringParameters, &e.MultiValueQueryStringParameters, name, value)
}

// AuthorizerEvent returns the event of an authorizer that is asked about $connect.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func (e *SocketEvent) AuthorizerEvent(methodARN string) ([]byte, error) {
	whole := *e
	for _, m := range []*map[string]string{&whole.Headers, &whole.QueryStringParameters, &whole.StageVariables} {
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
		Type                            string              `json:"type"`
		MethodARN                       string              `json:"methodArn"`
		Headers                         map[string]string   `json:"headers"`
		MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
		QueryStringParameters           map[string]string   `json:"queryStringParameters"`
		MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
		StageVariables                  map[string]string   `json:"stageVariables"`
		RequestContext                  SocketContext       `json:"requestContext"`
	}{"REQUEST", methodARN, whole.Headers, whole.MultiValueHeaders, whole.QueryStringParameters, whole.MultiValueQueryStringParameters,
		whole.StageVariables, whole.RequestContext})
}

// SocketContext is a SocketEvent's requestContext.
type SocketContext struct {
	RouteKey             string          `json:"routeKey"`
	DisconnectStatusCode int             `json:"disconnectStatusCode,omitempty"`
	Authorizer           json.RawMessage `json:"authorizer,omitempty"`
	MessageID            string          `json:"messageId,omitempty"`
	EventType            string          `json:"eventType"`
	ExtendedRequestID    string          `json:"extendedRequestId"`
	RequestTime          string          `json:"requestTime"` // by SetTime
	MessageDirection     string          `json:"messageDirection"`
	DisconnectReason     *string         `json:"disconnectReason,omitempty"`
	Stage                string          `json:"stage"`
	ConnectedAt          int64           `json:"connectedAt"`      // in milliseconds
	RequestTimeEpoch     int64           `json:"requestTimeEpoch"` // likewise
	Identity             SocketIdentity  `json:"identity"`
	RequestID            string          `json:"requestId"`
	DomainName           string          `json:"domainName"`
	ConnectionID         string          `json:"connectionId"`
	APIID                string          `json:"apiId"`
}

// SetTime sets when the event came, in nanoseconds since the Unix epoch.
func (c *SocketContext) SetTime(wall int64) {
	c.RequestTimeEpoch = wall / int64(time.Millisecond)
	c.RequestTime = time.Unix(0, wall).UTC().Format("02/Jan/2006:15:04:05 -0700")
}

// SocketIdentity is who is at the other end.
type SocketIdentity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
	User      string `json:"user,omitempty"`
	UserARN   string `json:"userArn,omitempty"`
	Caller    string `json:"caller,omitempty"`
	AccountID string `json:"accountId,omitempty"`
	AccessKey string `json:"accessKey,omitempty"`
}

// SocketResult is what a function answers to a SocketEvent.
type SocketResult struct {
	Status  int
	Headers map[string]string
	Body    []byte // to the client, if the route answers
}

// ParseSocketResult reads the payload of an answer. One without a statusCode is
// itself the body, as on AWS; an answer that is null has none. It is false for
// what cannot be either.
func ParseSocketResult(payload []byte) (r SocketResult, ok bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || members == nil {
		r = SocketResult{Status: 200, Body: payload}
		if string(payload) == "null" || len(payload) == 0 {
			r.Body = nil
		}
		return r, len(payload) == 0 || json.Valid(payload)
	}
	text, has := members["statusCode"]
	if !has {
		return SocketResult{Status: 200, Body: payload}, true
	}
	if json.Unmarshal(text, &r.Status) != nil { // some write it as a string
		var number json.Number
		if json.Unmarshal(text, &number) != nil {
			return r, false
		}
		n, err := number.Int64()
		if err != nil {
			return r, false
		}
		r.Status = int(n)
	}
	if r.Status < 100 || r.Status > 599 {
		return r, false
	}
	if raw, has := members["headers"]; has {
		var values map[string]any
		if json.Unmarshal(raw, &values) != nil {
			return r, false
		}
		r.Headers = make(map[string]string, len(values))
		for name, v := range values {
			if s, isText := v.(string); isText {
				r.Headers[name] = s
			}
		}
	}
	if raw, has := members["body"]; has {
		var body string
		if json.Unmarshal(raw, &body) == nil {
			r.Body = []byte(body)
		} else if string(raw) != "null" {
			r.Body = raw // an object, which AWS would not take
		}
	}
	return r, true
}
