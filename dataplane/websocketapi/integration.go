package websocketapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
	"github.com/tidegate/tidegate/dataplane/template"
)

const minTimeoutMillis = 50

const noVPCLink = "it names a VPC link; give the backend's own address as integrationUri"

var integrationTypes = []string{
	definition.IntegrationHTTPProxy, definition.IntegrationHTTP, definition.IntegrationMock, definition.IntegrationAWSProxy, definition.IntegrationAWS,
}

var integrationFields = object[definition.RouteIntegration]{
	"description":       text(1024, func(in *definition.RouteIntegration) *string { return &in.Description }),
	"integrationType":   oneOf(func(in *definition.RouteIntegration) *string { return &in.Type }, integrationTypes...),
	"integrationMethod": oneOf(func(in *definition.RouteIntegration) *string { return &in.HTTPMethod }, definition.Verbs...),
	"integrationUri":    text(2048, func(in *definition.RouteIntegration) *string { return &in.URI }),
	"timeoutInMillis":   timeout,
	"requestParameters": parameters(func(in *definition.RouteIntegration) *map[string]string { return &in.RequestParameters }, checkParameter),
	"requestTemplates":  templates(func(in *definition.RouteIntegration) *map[string]string { return &in.RequestTemplates }),
	"tlsConfig":         tlsConfig,

	"x-tidegate-targets":      notEmpty(texts(func(in *definition.RouteIntegration) *[]string { return &in.Targets }, definition.CheckTarget), "lists no target; write host:port pairs, or remove it"),
	"x-tidegate-health-check": healthCheck,

	"templateSelectionExpression": templateSelection(func(in *definition.RouteIntegration) *string { return &in.TemplateSelection }, expression.FromBody),
	"passthroughBehavior":         oneOf(func(in *definition.RouteIntegration) *string { return &in.PassthroughBehavior }, "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
	"contentHandlingStrategy":     contentHandling(func(in *definition.RouteIntegration) *string { return &in.ContentHandling }),

	"connectionType":       refused[definition.RouteIntegration](noVPCLink, "INTERNET"),
	"connectionId":         refused[definition.RouteIntegration](noVPCLink),
	"credentialsArn":       refused[definition.RouteIntegration]("roles are not assumed here, functions are called with the host's credentials; remove it"),
	"integrationSubtype":   refused[definition.RouteIntegration](ofHTTPAPIs),
	"payloadFormatVersion": refused[definition.RouteIntegration](ofHTTPAPIs, "1.0"),
	"responseParameters":   refused[definition.RouteIntegration](ofHTTPAPIs),
}

// ReadIntegration reads the body of CreateIntegration or UpdateIntegration into to.
// What the body does not mention stays. An error is a *document.Errors.
func ReadIntegration(body []byte, maxTimeoutMillis int, to *definition.RouteIntegration) error {
	return readBody(body, maxTimeoutMillis, func(r *reader, root document.Node) {
		read(r, root, integrationFields, to)
		r.finishIntegration(root, to)
	})
}

// finishIntegration looks whether the fields of an integration fit together. at is
// where those stand that were read.
func (r *reader) finishIntegration(at document.Node, in *definition.RouteIntegration) {
	if in.TimeoutMillis == 0 {
		in.TimeoutMillis = min(defaultTimeoutMillis, r.maxTimeoutMillis)
	}
	switch in.Type {
	case "":
		if at.Get("integrationType").Absent() || at.Get("integrationType").IsEmpty() {
			r.Add(at.Get("integrationType"), "missing; use %s", strings.Join(integrationTypes, ", "))
		}
		return
	case definition.IntegrationMock:
		r.needsNot(at, in, "a mock calls nothing")
		for _, name := range slices.Sorted(maps.Keys(in.RequestTemplates)) {
			if !expression.GivesStatus(in.RequestTemplates[name]) {
				r.Add(at.Get("requestTemplates").Get(name), `must be JSON with a whole number as statusCode, such as {"statusCode": 200}`)
			}
		}
	case definition.IntegrationAWSProxy, definition.IntegrationAWS:
		r.finishFunction(at, in)
	default:
		r.finishHTTP(at, in)
	}
	proxy := !makesAnswers(in)
	if proxy && len(in.Responses) > 0 {
		r.Add(at.Get("integrationResponses"), "the answers of %s pass as they are; use %s, or remove them", in.Type, strings.TrimSuffix(in.Type, "_PROXY"))
	}
	switch {
	case proxy && len(in.RequestTemplates) > 0:
		r.Add(at.Get("requestTemplates"), "%s passes messages as they are; use %s", in.Type, strings.TrimSuffix(in.Type, "_PROXY"))
	case in.TemplateSelection != "" && len(in.RequestTemplates) == 0:
		r.Add(at.Get("templateSelectionExpression"), "there are no requestTemplates to choose from")
	}
}

func (r *reader) needsNot(at document.Node, in *definition.RouteIntegration, why string) {
	for _, f := range []struct {
		name  string
		given bool
	}{{"integrationUri", in.URI != ""}, {"integrationMethod", in.HTTPMethod != ""}, {"requestParameters", len(in.RequestParameters) > 0},
		{"x-tidegate-targets", in.Targets != nil}, {"x-tidegate-health-check", in.HealthCheck != nil}} {
		if f.given {
			r.Add(at.Get(f.name), "%s; remove it", why)
		}
	}
}

func (r *reader) finishFunction(at document.Node, in *definition.RouteIntegration) {
	if in.Targets != nil || in.HealthCheck != nil {
		r.Add(at.Get("integrationType"), "functions have no targets; remove x-tidegate-targets and x-tidegate-health-check")
	}
	if in.HTTPMethod == "" {
		in.HTTPMethod = "POST"
	}
	if in.HTTPMethod != "POST" {
		r.Add(at.Get("integrationMethod"), "functions are invoked with POST")
	}
	if !strings.HasPrefix(in.URI, "arn:") || !strings.Contains(in.URI, ":lambda:path/") || !strings.HasSuffix(in.URI, "/invocations") {
		r.Add(at.Get("integrationUri"), "%q is not the invocation of a function; write arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations", document.Clip(in.URI))
	}
}

// finishHTTP checks what is sent where. An address of the scheme ws or wss is that
// of a WebSocket server, to which everything is passed on.
func (r *reader) finishHTTP(at document.Node, in *definition.RouteIntegration) {
	if in.URI == "" {
		r.Add(at.Get("integrationUri"), "missing; give the backend's address, such as http://127.0.0.1:9000/")
		return
	}
	placeholders, err := expression.CheckURI(in.URI, "http", "https", "ws", "wss")
	if err != nil {
		r.Add(at.Get("integrationUri"), "%s", err)
		return
	}
	for _, name := range placeholders {
		if in.RequestParameters["integration.request.path."+name] == "" {
			r.Add(at.Get("integrationUri"), "{%s} has no value; map integration.request.path.%s in requestParameters", document.Clip(name), document.Clip(name))
		}
	}
	if IsPassThrough(in) {
		switch {
		case in.Type != definition.IntegrationHTTPProxy:
			r.Add(at.Get("integrationUri"), "a WebSocket server takes messages as they are; use HTTP_PROXY")
		case in.HTTPMethod != "" && in.HTTPMethod != "GET":
			r.Add(at.Get("integrationMethod"), "a WebSocket server is connected to with GET")
		}
		return
	}
	if in.HTTPMethod == "" {
		r.Add(at.Get("integrationMethod"), "missing; give the verb to send, such as POST")
	}
}

// IsPassThrough reports an integration that is a WebSocket server: it is for
// $connect, and gets all frames of the connection.
func IsPassThrough(in *definition.RouteIntegration) bool {
	scheme, _, _ := strings.Cut(in.URI, "://")
	return strings.EqualFold(scheme, "ws") || strings.EqualFold(scheme, "wss")
}

func timeout(r *reader, at document.Node, in *definition.RouteIntegration) {
	millis, err := strconv.Atoi(at.Value)
	if at.Tag != "!!int" || err != nil || millis < minTimeoutMillis || millis > r.maxTimeoutMillis {
		r.Add(at, "must be a whole number of milliseconds from %d to %d; the host file can raise the most (limits.integration_timeout)", minTimeoutMillis, r.maxTimeoutMillis)
		return
	}
	in.TimeoutMillis = millis
}

func healthCheck(r *reader, at document.Node, in *definition.RouteIntegration) {
	h := definition.NewHealthCheck()
	one := func(name string) field[definition.HealthCheck] {
		return func(r *reader, at document.Node, h *definition.HealthCheck) {
			if err := h.Set(name, at.Value); err != nil {
				r.Add(at, "%s", err)
			}
		}
	}
	fields := object[definition.HealthCheck]{}
	for name := range definition.HealthCheckFields {
		fields[name] = one(name)
	}
	read(r, at, fields, h)
	if err := h.Check(); err != nil {
		r.Add(at, "%s", err)
	}
	in.HealthCheck = h
}

func checkParameter(target, source string) error {
	if err := expression.CheckTarget(target, "integration.request.", "path", "querystring", "header"); err != nil {
		return err
	}
	return expression.CheckSource(source, "route.request.", "querystring", "header", "multivaluequerystring", "multivalueheader", "body")
}

func templates[T any](to func(*T) *map[string]string) field[T] {
	return pairs(to, func(name, text string) error {
		if name == "" || len(name) > maxKey {
			return fmt.Errorf("the key of a template has 1 to %d bytes", maxKey)
		}
		if len(text) > expression.MaxTemplateBytes {
			return fmt.Errorf("a template has at most %d bytes", expression.MaxTemplateBytes)
		}
		return template.Check(text)
	})
}

func templateSelection[T any](to func(*T) *string, sources ...string) field[T] {
	return func(r *reader, at document.Node, v *T) {
		s := r.Text(at)
		if s != "" {
			if _, err := expression.ParseSelection(s, sources...); err != nil {
				r.Add(at, "%s", err)
			}
		}
		*to(v) = s
	}
}

func contentHandling[T any](to func(*T) *string) field[T] {
	return oneOf(to, "CONVERT_TO_TEXT", "CONVERT_TO_BINARY")
}

// tlsConfig has what integrations of REST APIs have; on AWS those of WebSocket APIs
// have nothing.
func tlsConfig(r *reader, at document.Node, in *definition.RouteIntegration) {
	read(r, at, object[definition.RouteIntegration]{
		"insecureSkipVerification": flag(func(in *definition.RouteIntegration) *bool { return &in.InsecureSkipVerification }),
		"serverNameToVerify":       refused[definition.RouteIntegration](ofHTTPAPIs),
	}, in)
}

var integrationResponseFields = object[definition.RouteIntegrationResponse]{
	"integrationResponseKey": text(maxKey, func(a *definition.RouteIntegrationResponse) *string { return &a.Key }),
	"responseParameters":     parameters(func(a *definition.RouteIntegrationResponse) *map[string]string { return &a.ResponseParameters }, checkResponseParameter),
	"responseTemplates":      templates(func(a *definition.RouteIntegrationResponse) *map[string]string { return &a.ResponseTemplates }),

	"templateSelectionExpression": templateSelection(func(a *definition.RouteIntegrationResponse) *string { return &a.TemplateSelection },
		expression.FromBody, expression.FromStatus, expression.FromHeader, expression.FromHeaders),
	"contentHandlingStrategy": contentHandling(func(a *definition.RouteIntegrationResponse) *string { return &a.ContentHandling }),
}

// ReadIntegrationResponse is ReadIntegration for a response of an integration.
func ReadIntegrationResponse(body []byte, to *definition.RouteIntegrationResponse) error {
	return readBody(body, 0, func(r *reader, root document.Node) {
		read(r, root, integrationResponseFields, to)
		r.finishIntegrationResponse(root, to)
	})
}

func (r *reader) finishIntegrationResponse(at document.Node, to *definition.RouteIntegrationResponse) {
	key := at.Get("integrationResponseKey")
	switch pattern := strings.Trim(to.Key, "/"); {
	case to.Key == "":
		r.Add(key, "missing; use %s, or an expression between slashes", definition.RouteDefault)
	case to.Key == definition.RouteDefault:
	case len(to.Key) < 3 || to.Key[0] != '/' || to.Key[len(to.Key)-1] != '/':
		r.Add(key, `%q is not a key; use %s, or an expression between slashes such as /4\d\d/`, document.Clip(to.Key), definition.RouteDefault)
	default:
		if err := expression.CheckPattern(pattern); err != nil {
			r.Add(key, "%s", err)
		}
	}
	if to.TemplateSelection != "" && len(to.ResponseTemplates) == 0 {
		r.Add(at.Get("templateSelectionExpression"), "there are no responseTemplates to choose from")
	}
}

func checkResponseParameter(target, source string) error {
	if err := expression.CheckTarget(target, "route.response.", "header"); err != nil {
		return err
	}
	return expression.CheckSource(source, "integration.response.", "header", "multivalueheader")
}

// makesAnswers reports an integration whose answers are made by its responses, as
// opposed to a proxy, whose answers pass as they are.
func makesAnswers(in *definition.RouteIntegration) bool {
	return !slices.Contains([]string{definition.IntegrationHTTPProxy, definition.IntegrationAWSProxy}, in.Type)
}
