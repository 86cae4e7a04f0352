package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
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
func (r *reader) integration(at node, m *definition.Method, b *branch) *definition.Integration {
	for name, value := range r.mapping(at).fields() {
		instead, known := integrationFields[name]
		switch {
		case name == "$ref":
			r.add(value, "named integrations are not supported; %s with the integration in each operation", httpAPIFix)
		case !known:
			r.add(value, "unknown field%s", didYouMean(name, integrationFields))
		case instead != "":
			r.unsupported(at, name, instead)
		}
	}
	in := &definition.Integration{TimeoutMillis: r.timeout(at.get("timeoutInMillis"))}
	kind := at.get("type")
	switch strings.ToLower(r.text(kind)) {
	case "http_proxy":
		in.Type = definition.IntegrationHTTPProxy
	case "http":
		in.Type = definition.IntegrationHTTP
	case "mock":
		in.Type = definition.IntegrationMock
	case "aws", "aws_proxy":
		r.add(kind, "%q is not supported yet; use http_proxy, http or mock", kind.Value)
		return nil
	case "":
		r.add(kind, "missing; use http_proxy, http or mock")
		return nil
	default:
		r.add(kind, "%q is unknown; use http_proxy, http or mock", clip(kind.Value))
		return nil
	}
	r.connection(at, in)
	in.PassthroughBehavior = r.passthrough(at.get("passthroughBehavior"))
	in.RequestParameters = r.requestParameters(at.get("requestParameters"), m, b)
	in.RequestTemplates = r.requestTemplates(at.get("requestTemplates"), in.Type)
	in.Responses = r.integrationResponses(at.get("responses"), m)
	if in.Type != definition.IntegrationMock {
		r.upstream(at, in, m, b)
	}
	in.CacheNamespace = r.text(at.get("cacheNamespace"))
	in.CacheAcrossCallers = r.boolean(at.get(acrossCallers))
	in.CacheKeyParameters = r.cacheKey(at.get("cacheKeyParameters"), in, m, b) // may name what upstream has mapped
	return in
}

// upstream reads where an HTTP integration sends its requests. A mock sends
// none: API Gateway drops these fields of one.
func (r *reader) upstream(at node, in *definition.Integration, m *definition.Method, b *branch) {
	verb := at.get("httpMethod")
	in.HTTPMethod = strings.ToUpper(r.text(verb))
	switch {
	case in.HTTPMethod == "":
		r.add(verb, "missing; give the verb to send upstream, or ANY for the client's own")
	case in.HTTPMethod != definition.MethodAny && !slices.Contains(definition.Verbs, in.HTTPMethod):
		r.add(verb, "%q is not a verb; use %s or ANY", clip(verb.Value), strings.Join(definition.Verbs, ", "))
	}
	uri := at.get("uri")
	in.URI = r.text(uri)
	if in.URI == "" {
		r.add(uri, "missing; give the upstream's address, such as http://127.0.0.1:9000/{proxy}")
		return
	}
	placeholders, err := checkURI(in.URI)
	if err != nil {
		r.add(uri, "%s", err)
		return
	}
	for _, name := range placeholders {
		r.fill(uri, name, in, m, b)
	}
}

// fill maps the placeholder {name} of a uri to the path parameter of the same
// name, as the console does, unless the document maps it.
func (r *reader) fill(uri node, name string, in *definition.Integration, m *definition.Method, b *branch) {
	target, source := "integration.request.path."+name, "method.request.path."+name
	switch {
	case in.RequestParameters[target] != "":
	case !b.hasVariable(name):
		r.warn(uri, "{%s} stays empty: neither the path nor requestParameters gives it a value", clip(name))
	default:
		if in.RequestParameters == nil {
			in.RequestParameters = map[string]string{}
		}
		in.RequestParameters[target] = source
		declare(m, source, true)
	}
}

func (r *reader) connection(at node, in *definition.Integration) {
	connection := at.get("connectionType")
	switch kind := strings.ToUpper(r.text(connection)); kind {
	case "", "INTERNET":
	case "VPC_LINK":
		r.add(connection, "VPC_LINK is not supported yet; use INTERNET and give the upstream's own address as uri")
	default:
		r.add(connection, "%q is unknown; use INTERNET", clip(kind))
	}
	mode := at.get("responseTransferMode")
	switch text := strings.ToUpper(r.text(mode)); text {
	case "", "BUFFERED":
	case "STREAM":
		r.add(mode, "STREAM is not supported yet; use BUFFERED")
	default:
		r.add(mode, "%q is unknown; use BUFFERED", clip(text))
	}
	for name, value := range r.mapping(at.get("tlsConfig")).fields() {
		switch name {
		case "insecureSkipVerification":
			in.InsecureSkipVerification = r.boolean(value)
		case "serverNameToVerify":
			r.add(value, "serverNameToVerify is not supported; %s", httpAPIFix)
		default:
			r.add(value, "unknown field; tlsConfig has insecureSkipVerification")
		}
	}
}

func (r *reader) timeout(at node) int {
	if at.absent() {
		return min(defaultTimeoutMillis, r.options.MaxTimeoutMillis)
	}
	millis, err := strconv.Atoi(at.Value)
	if at.Tag != "!!int" || err != nil || millis < minTimeoutMillis || millis > r.options.MaxTimeoutMillis {
		r.add(at, "must be a whole number of milliseconds from %d to %d; the host file can raise the most (limits.integration_timeout)", minTimeoutMillis, r.options.MaxTimeoutMillis)
	}
	return millis
}

func (r *reader) passthrough(at node) string {
	behavior := strings.ToUpper(r.text(at))
	if behavior != "" && !slices.Contains(passthroughBehaviors, behavior) {
		r.add(at, "%q is unknown; use %s", clip(at.Value), strings.ToLower(strings.Join(passthroughBehaviors, ", ")))
	}
	return behavior
}
