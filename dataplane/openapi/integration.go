package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// Integration timeouts in milliseconds, API Gateway's own; a host may raise
// the longest, which is also the default.
const (
	minTimeoutMillis     = 50
	defaultTimeoutMillis = 29_000
)

// integrationFields are the fields of x-amazon-apigateway-integration: what to
// do instead of the ones that are not supported, "" for those that are read.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
var integrationFields = map[string]string{
	"type": "", "httpMethod": "", "uri": "", "connectionType": "", "timeoutInMillis": "", "requestParameters": "",
	"requestTemplates": "", "passthroughBehavior": "", "responses": "", "tlsConfig": "", "responseTransferMode": "",
	"cacheNamespace": "", "cacheKeyParameters": "", acrossCallers: "",
	targets: "", healthCheck: "",

	"credentials":          "Tidegate signs no requests to AWS; remove it",
	"connectionId":         "it names a VPC link; give the upstream's own address as uri",
	"integrationTarget":    "it belongs to a VPC link; give the upstream's own address as uri",
	"contentHandling":      "bodies pass as they are; remove it",
	"payloadFormatVersion": httpAPIFix,
	"integrationSubtype":   httpAPIFix,
}

var passthroughBehaviors = []string{"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"}

// integration reads x-amazon-apigateway-integration. It returns nil if the
// type is missing or wrong.
func (r *reader) integration(at document.Node, m *definition.Method, b *branch) *definition.Integration {
	for name, value := range r.Mapping(at).Fields() {
		instead, known := integrationFields[name]
		switch {
		case name == "$ref":
			r.Add(value, "named integrations are not supported; %s with the integration in each operation", httpAPIFix)
		case !known:
			r.Add(value, "unknown field%s", document.DidYouMean(name, integrationFields))
		case instead != "":
			r.unsupported(at, name, instead)
		}
	}
	in := &definition.Integration{TimeoutMillis: r.timeout(at.Get("timeoutInMillis"))}
	kind := at.Get("type")
	switch strings.ToLower(r.Text(kind)) {
	case "http_proxy":
		in.Type = definition.IntegrationHTTPProxy
	case "http":
		in.Type = definition.IntegrationHTTP
	case "mock":
		in.Type = definition.IntegrationMock
	case "aws", "aws_proxy":
		r.Add(kind, "%q is not supported yet; use http_proxy, http or mock", kind.Value)
		return nil
	case "":
		r.Add(kind, "missing; use http_proxy, http or mock")
		return nil
	default:
		r.Add(kind, "%q is unknown; use http_proxy, http or mock", document.Clip(kind.Value))
		return nil
	}
	r.connection(at, in)
	in.PassthroughBehavior = r.passthrough(at.Get("passthroughBehavior"))
	in.RequestParameters = r.requestParameters(at.Get("requestParameters"), m, b)
	in.RequestTemplates = r.requestTemplates(at.Get("requestTemplates"), in.Type)
	in.Responses = r.integrationResponses(at.Get("responses"), m)
	if in.Type != definition.IntegrationMock {
		r.upstream(at, in, m, b)
	}
	r.targets(at, in)
	in.CacheNamespace = r.Text(at.Get("cacheNamespace"))
	in.CacheAcrossCallers = r.Boolean(at.Get(acrossCallers))
	in.CacheKeyParameters = r.cacheKey(at.Get("cacheKeyParameters"), in, m, b) // may name what upstream has mapped
	return in
}

// upstream reads where an HTTP integration sends its requests. A mock sends
// none: API Gateway drops these fields of one.
func (r *reader) upstream(at document.Node, in *definition.Integration, m *definition.Method, b *branch) {
	verb := at.Get("httpMethod")
	in.HTTPMethod = strings.ToUpper(r.Text(verb))
	switch {
	case in.HTTPMethod == "":
		r.Add(verb, "missing; give the verb to send upstream, or ANY for the client's own")
	case in.HTTPMethod != definition.MethodAny && !slices.Contains(definition.Verbs, in.HTTPMethod):
		r.Add(verb, "%q is not a verb; use %s or ANY", document.Clip(verb.Value), strings.Join(definition.Verbs, ", "))
	}
	uri := at.Get("uri")
	in.URI = r.Text(uri)
	if in.URI == "" {
		r.Add(uri, "missing; give the upstream's address, such as http://127.0.0.1:9000/{proxy}")
		return
	}
	placeholders, err := expression.CheckURI(in.URI, "http", "https", "ws", "wss")
	if err != nil {
		r.Add(uri, "%s", err)
		return
	}
	for _, name := range placeholders {
		r.fill(uri, name, in, m, b)
	}
}

// fill maps the placeholder {name} of a uri to the path parameter of the same
// name, as the console does, unless the document maps it.
func (r *reader) fill(uri document.Node, name string, in *definition.Integration, m *definition.Method, b *branch) {
	target, source := "integration.request.path."+name, "method.request.path."+name
	switch {
	case in.RequestParameters[target] != "":
	case !b.hasVariable(name):
		r.Warn(uri, "{%s} stays empty: neither the path nor requestParameters gives it a value", document.Clip(name))
	default:
		if in.RequestParameters == nil {
			in.RequestParameters = map[string]string{}
		}
		in.RequestParameters[target] = source
		declare(m, source, true)
	}
}

func (r *reader) connection(at document.Node, in *definition.Integration) {
	connection := at.Get("connectionType")
	switch kind := strings.ToUpper(r.Text(connection)); kind {
	case "", "INTERNET":
	case "VPC_LINK":
		r.Add(connection, "VPC_LINK is not supported yet; use INTERNET and give the upstream's own address as uri")
	default:
		r.Add(connection, "%q is unknown; use INTERNET", document.Clip(kind))
	}
	mode := at.Get("responseTransferMode")
	switch text := strings.ToUpper(r.Text(mode)); text {
	case "", "BUFFERED":
	case "STREAM":
		r.Add(mode, "STREAM is not supported yet; use BUFFERED")
	default:
		r.Add(mode, "%q is unknown; use BUFFERED", document.Clip(text))
	}
	for name, value := range r.Mapping(at.Get("tlsConfig")).Fields() {
		switch name {
		case "insecureSkipVerification":
			in.InsecureSkipVerification = r.Boolean(value)
		case "serverNameToVerify":
			r.Add(value, "serverNameToVerify is not supported; %s", httpAPIFix)
		default:
			r.Add(value, "unknown field; tlsConfig has insecureSkipVerification")
		}
	}
}

func (r *reader) timeout(at document.Node) int {
	if at.Absent() {
		return min(defaultTimeoutMillis, r.options.MaxTimeoutMillis)
	}
	millis, err := strconv.Atoi(at.Value)
	if at.Tag != "!!int" || err != nil || millis < minTimeoutMillis || millis > r.options.MaxTimeoutMillis {
		r.Add(at, "must be a whole number of milliseconds from %d to %d; the host file can raise the most (limits.integration_timeout)", minTimeoutMillis, r.options.MaxTimeoutMillis)
	}
	return millis
}

func (r *reader) passthrough(at document.Node) string {
	behavior := strings.ToUpper(r.Text(at))
	if behavior != "" && !slices.Contains(passthroughBehaviors, behavior) {
		r.Add(at, "%q is unknown; use %s", document.Clip(at.Value), strings.ToLower(strings.Join(passthroughBehaviors, ", ")))
	}
	return behavior
}
