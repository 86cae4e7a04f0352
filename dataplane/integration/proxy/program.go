package proxy

import (
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// Endpoint is where an integration's requests go.
type Endpoint struct {
	Host     string // name or address, without brackets
	Port     uint16
	TLS      bool
	Insecure bool // accept any certificate

	// Targets are host:port pairs with a comma between them, which stand in for Host
	// and Port. Empty is none.
	Targets string
}

// Program is a compiled integration. It is immutable; any number of goroutines
// may use it. A host can have very many, so what every request reads comes first
// and close together, and what few definitions have is behind a pointer.
type Program struct {
	target      []value // written one after the other
	shared      *shared
	mapped      *mappings  // nil when no header and no query parameter is
	drop        http1.Set  // the client's fields that do not go through
	verb        http1.Verb // sent to the backend; VerbOther is the client's
	passThrough bool       // HTTP_PROXY: headers and query go through
	hasQuery    bool       // target has a "?"
	WebSocket   bool       // the endpoint is a WebSocket, to which the client's is passed on

	Endpoint Endpoint

	// Unresolved says why the endpoint cannot be used, when that depends on the
	// stage's variables: the gateway response API_CONFIGURATION_ERROR.
	Unresolved error

	responses []response // HTTP; chosen by the backend's status
}

// shared is what all methods of a stage with the same endpoint write alike,
// with line ends.
type shared struct {
	host  string // the endpoint's Host field
	agent string // User-Agent of the gateway
	apiID string // X-Amzn-Apigateway-Api-Id
}

// mappings are the headers and query parameters that a definition maps.
type mappings struct {
	query   []mapping
	headers []mapping
	host    *value    // mapped to the Host field, or nil
	special http1.Set // special fields that are mapped
	names   []string  // other fields that are, lower case
}

// mapping sets a header or query parameter of the request.
type mapping struct {
	name  string
	id    http1.ID
	value value
}

type source uint8

const (
	fromLiteral source = iota
	fromPath
	fromQuery
	fromHeader
	fromContext
	fromMultiQuery
	fromMultiHeader
	fromBody
)

// value is where a mapped value, or a part of the target, comes from.
type value struct {
	text    string // the literal, or the parameter's name
	param   uint16 // index of a path parameter
	source  source
	ctx     ContextVar     // for fromContext
	inQuery bool           // a part of the target behind the "?"
	path    *jsonpath.Path // for fromBody
}

// ContextVar is a $context variable that differs between requests.
type ContextVar uint8

// Context variables.
const (
	ContextRequestID ContextVar = iota
	ContextExtendedRequestID
	ContextHTTPMethod
	ContextPath
	ContextProtocol
	ContextDomainName
	ContextDomainPrefix
	ContextSourceIP
	ContextUserAgent
	ContextRequestTime
	ContextRequestTimeEpoch

	// Of who calls. They are empty for a caller of another kind, and what is empty
	// is not mapped.
	ContextAuthorizer // what an authorizer said, by name: "principalId", "claims.email"
	ContextAccountID
	ContextAccessKey
	ContextUser
	ContextUserARN
	ContextAPIKeyID
	ContextEndpointID // of the private listener
	ContextClientCert // of mutual TLS, by name: "subjectDN", "validity.notAfter"

	// Of WebSocket APIs.
	ContextRouteKey
	ContextEventType // "CONNECT", "MESSAGE" or "DISCONNECT"
	ContextMessageDirection
	ContextMessageID
	ContextConnectionID
	ContextConnectedAt // Unix milliseconds
	ContextDisconnectStatusCode
	ContextDisconnectReason
)

var contextVars = map[string]ContextVar{
	"requestId": ContextRequestID, "extendedRequestId": ContextExtendedRequestID,
	"httpMethod": ContextHTTPMethod, "path": ContextPath, "protocol": ContextProtocol,
	"domainName": ContextDomainName, "domainPrefix": ContextDomainPrefix,
	"identity.sourceIp": ContextSourceIP, "identity.userAgent": ContextUserAgent,
	"requestTime": ContextRequestTime, "requestTimeEpoch": ContextRequestTimeEpoch,
	"identity.accountId": ContextAccountID, "identity.accessKey": ContextAccessKey, "identity.caller": ContextUser,
	"identity.user": ContextUser, "identity.userArn": ContextUserARN, "identity.apiKeyId": ContextAPIKeyID,
	"identity.vpceId": ContextEndpointID,
	"routeKey":        ContextRouteKey, "eventType": ContextEventType, "messageDirection": ContextMessageDirection, "messageId": ContextMessageID,
	"connectionId": ContextConnectionID, "connectedAt": ContextConnectedAt,
	"disconnectStatusCode": ContextDisconnectStatusCode, "disconnectReason": ContextDisconnectReason,
}

// contextFamilies are context variables whose names go on.
var contextFamilies = map[string]ContextVar{"authorizer.": ContextAuthorizer, "identity.clientCert.": ContextClientCert}

// clientCertNames are those of contextFamilies' clientCert.
var clientCertNames = map[string]bool{
	clientCertPEM: true, "subjectDN": true, "issuerDN": true, "serialNumber": true, "validity.notBefore": true, "validity.notAfter": true,
}

// clientCertPEM has line ends.
const clientCertPEM = "clientCertPem"

// FindContext returns the $context variable of a name, and what is left of the name
// for Input.AppendContext. It is false for what is no variable of requests.
func FindContext(name string) (v ContextVar, rest string, ok bool) {
	if v, ok := contextVars[name]; ok {
		return v, "", true
	}
	for family, v := range contextFamilies {
		if rest, ok := strings.CutPrefix(name, family); ok && rest != "" && (v != ContextClientCert || clientCertNames[rest]) {
			return v, rest, true
		}
	}
	return 0, "", false
}

// Input is what a program reads of a request.
type Input interface {
	// Param returns path parameter i of the resource, in the order of its path,
	// as it came.
	Param(i int) []byte
	// AppendContext appends a $context variable. name is of those that need one.
	AppendContext(dst []byte, v ContextVar, name string) []byte
	// AppendBody appends a value of the message, which is JSON. It is false if
	// there is none.
	AppendBody(dst []byte, path *jsonpath.Path) ([]byte, bool)
}

// response is a compiled integration response of an HTTP integration.
type response struct {
	pattern *regexp.Regexp // nil is the default
	status  int
	headers []mapping
	invalid bool // the method does not declare the status
}

// requestDrop are the request fields that never go through (AWS's list, and
// those of RFC 9110 section 7.6.1 that are for one hop).
var requestDrop = http1.NewSet(http1.Connection, http1.ContentLength, http1.ContentMD5, http1.Expect,
	http1.Host, http1.KeepAlive, http1.MaxForwards, http1.ProxyAuthenticate, http1.ProxyAuthorization,
	http1.ProxyConnection, http1.Server, http1.TE, http1.Trailer, http1.TransferEncoding, http1.Upgrade,
	http1.Via, http1.WWWAuthenticate, http1.XAmznRequestID, http1.XAmznAPIID, http1.XAmznTraceID,
	http1.XForwardedFor, http1.XForwardedPort, http1.XForwardedProto, http1.XHTTPMethodOverride)

// neverMapped are request fields that no mapping can set: they are left out.
var neverMapped = http1.NewSet(http1.Via, http1.Expect, http1.TE, http1.ProxyAuthenticate, http1.Connection, http1.KeepAlive)

// illegalMapped are request fields whose mapping is a configuration error.
var illegalMapped = http1.NewSet(http1.ContentLength, http1.TransferEncoding, http1.XAmznTraceID, http1.XAmznAPIID)

// responseDrop are the response fields that end here, and responseRemap those
// that go on as x-amzn-Remapped-NAME.
var (
	responseRemap = http1.NewSet(http1.Authorization, http1.Connection, http1.ContentLength, http1.ContentMD5,
		http1.Date, http1.MaxForwards, http1.Server, http1.UserAgent, http1.WWWAuthenticate, http1.XAmznRequestID)
	responseDrop = http1.NewSet(http1.Expect, http1.Host, http1.KeepAlive, http1.ProxyAuthenticate, http1.ProxyAuthorization,
		http1.ProxyConnection, http1.TE, http1.Trailer, http1.TransferEncoding, http1.Upgrade, http1.Via)
	responseChanged = responseRemap | responseDrop
	// mappedRemap are the fields that an HTTP integration's mappings cannot set
	// under their own name.
	mappedRemap = responseRemap | http1.NewSet(http1.Expect, http1.Host, http1.ProxyAuthenticate, http1.Trailer, http1.Upgrade)
)

const remapPrefix = "x-amzn-Remapped-"
