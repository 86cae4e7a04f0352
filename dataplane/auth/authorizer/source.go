package authorizer

import (
	"fmt"
	"regexp"
	"strings"
)

// defaultSource is the identity source of a TOKEN authorizer that names none.
const defaultSource = headerSource + "Authorization"

// Starts of identity sources.
const (
	headerSource     = "method.request.header."
	headersSource    = "method.request.multivalueheader."
	querySource      = "method.request.querystring."
	queriesSource    = "method.request.multivaluequerystring."
	pathSource       = "method.request.path."
	variableSource   = "stageVariables."
	contextSource    = "context."
	httpAPISource    = "$"              // $request.header.NAME, $context.NAME
	webSocketSource  = "route.request." // route.request.header.NAME
	wantedSourceForm = "write method.request.header.NAME, method.request.querystring.NAME, stageVariables.NAME or context.NAME"
)

// source is where a part of a caller's identity is in a request.
type source struct {
	kind sourceKind
	name string     // of a header field, in lower case, or of a query parameter
	ctx  ContextVar // for fromContext
}

type sourceKind uint8

const (
	fromHeader sourceKind = iota
	fromQuery
	fromContext
)

// ContextVar is a $context variable that differs between requests.
type ContextVar uint8

// Context variables.
const (
	ContextRequestID ContextVar = iota
	ContextExtendedRequestID
	ContextHTTPMethod
	ContextPath
	ContextResourcePath
	ContextResourceID
	ContextProtocol
	ContextDomainName
	ContextDomainPrefix
	ContextSourceIP
	ContextUserAgent
	ContextAPIKey
	ContextRequestTime
	ContextRequestTimeEpoch

	// Of the client's certificate; none where nobody is asked for one.
	ContextClientCertPEM
	ContextClientCertSubjectDN
	ContextClientCertIssuerDN
	ContextClientCertSerialNumber
	ContextClientCertNotBefore
	ContextClientCertNotAfter
)

var contextVars = map[string]ContextVar{
	"requestId": ContextRequestID, "extendedRequestId": ContextExtendedRequestID,
	"httpMethod": ContextHTTPMethod, "path": ContextPath, "resourcePath": ContextResourcePath, "resourceId": ContextResourceID,
	"protocol": ContextProtocol, "domainName": ContextDomainName, "domainPrefix": ContextDomainPrefix,
	"identity.sourceIp": ContextSourceIP, "identity.userAgent": ContextUserAgent, "identity.apiKey": ContextAPIKey,
	"requestTime": ContextRequestTime, "requestTimeEpoch": ContextRequestTimeEpoch,
	"identity.clientCert.clientCertPem": ContextClientCertPEM, "identity.clientCert.subjectDN": ContextClientCertSubjectDN,
	"identity.clientCert.issuerDN": ContextClientCertIssuerDN, "identity.clientCert.serialNumber": ContextClientCertSerialNumber,
	"identity.clientCert.validity.notBefore": ContextClientCertNotBefore, "identity.clientCert.validity.notAfter": ContextClientCertNotAfter,
}

// sourceName is what AWS allows for the name of a parameter.
var sourceName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

// addSource reads one identity source. What is the same for all requests of the
// stage goes to a.fixed.
func (a *Authorizer) addSource(text string, scope *Scope) error {
	for start, kind := range map[string]sourceKind{
		headerSource: fromHeader, headersSource: fromHeader, querySource: fromQuery, queriesSource: fromQuery,
	} {
		name, ok := strings.CutPrefix(text, start)
		if !ok {
			continue
		}
		if !sourceName.MatchString(name) {
			return fmt.Errorf("%q: a name has letters, digits and any of . _ $ - alone", text)
		}
		if kind == fromHeader {
			name = strings.ToLower(name)
		}
		a.sources = append(a.sources, source{kind: kind, name: name})
		return nil
	}
	if name, ok := strings.CutPrefix(text, variableSource); ok && name != "" {
		a.fix(scope.Variables[name])
		return nil
	}
	if name, ok := strings.CutPrefix(text, contextSource); ok {
		if value, ok := scope.Context[name]; ok {
			a.fix(value)
			return nil
		}
		if v, ok := contextVars[name]; ok {
			a.sources = append(a.sources, source{kind: fromContext, ctx: v})
			return nil
		}
		return fmt.Errorf("%q is not a context variable that is known before authorization", text)
	}
	switch {
	case strings.HasPrefix(text, pathSource):
		return fmt.Errorf("%q: path parameters cannot be identity sources; use context.path", text)
	case strings.HasPrefix(text, httpAPISource):
		return fmt.Errorf("%q is of HTTP API authorizers, whose payload format 2.0 and simple responses are not supported; %s", text, wantedSourceForm)
	case strings.HasPrefix(text, webSocketSource):
		return fmt.Errorf("%q is of WebSocket APIs; %s", text, wantedSourceForm)
	}
	return fmt.Errorf("%q is not an identity source; %s", text, wantedSourceForm)
}

// fix adds a source that has one value for all requests.
func (a *Authorizer) fix(value string) {
	a.fixed = append(a.fixed, value)
	a.missing = a.missing || value == ""
}
