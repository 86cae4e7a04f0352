package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/mock"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/selection"
	"github.com/tidegate/tidegate/dataplane/template"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
)

// Route is a compiled route: who answers, and how. It is immutable.
type Route struct {
	Key         string
	Throttle    throttle.Method
	KeyRequired bool
	Overrides   usage.Overrides
	Answers     bool // with a message of its own

	Kind          RouteKind
	Whole         bool // the integration gets the message, and the client its answer, as they are
	TimeoutMillis int

	HTTP       proxy.Program   // of RouteHTTP
	Targets    *upstream.Group // of HTTP; nil if it has no endpoint
	Function   string          // of RouteFunction; as lambda.Client.Invoke takes it
	Unresolved error           // why Function cannot be called: the stage's variables
	Status     int             // of RouteMock; 0 is a mistake in its template

	requests    *template.Set
	passthrough string
	responses   []routeResponse
}

// RouteKind is what kind of integration a route has.
type RouteKind uint8

// Kinds of routes.
const (
	RouteNothing RouteKind = iota // it has none
	RouteHTTP
	RouteFunction
	RouteMock
)

// routeResponse makes an answer of what an integration says.
type routeResponse struct {
	pattern   *regexp.Regexp // on the status or the error message; nil is the default
	templates *template.Set
}

// Request appends what the integration gets for a message. It is false when
// there is no template for it.
func (r *Route) Request(dst, scratch, message []byte, in template.Input) ([]byte, bool) {
	if r.Whole {
		return append(dst, message...), true
	}
	if t := r.requests.Choose(scratch, &selection.Input{Body: message}); t != nil {
		return t.Append(dst, message, in), true
	}
	switch {
	case r.passthrough == "NEVER", r.passthrough == "WHEN_NO_TEMPLATES" && !r.requests.Empty():
		return dst, false
	}
	return append(dst, message...), true
}

// Answer is what an integration said.
type Answer struct {
	Status  []byte // digits
	Error   []byte // of a function that failed
	Body    []byte
	Message []byte // that it was asked about
	Header  func(name string) []byte
}

// Response appends the message that answers. It is false when the definition
// has no response for what the integration said.
func (r *Route) Response(dst, scratch []byte, a *Answer, in template.Input) ([]byte, bool) {
	if r.Whole {
		return append(dst, a.Body...), true
	}
	by := a.Status
	if r.Kind == RouteFunction {
		by = a.Error
	}
	for i := range r.responses {
		c := &r.responses[i]
		if c.pattern != nil && !c.pattern.Match(by) {
			continue
		}
		t := c.templates.Choose(scratch, &selection.Input{Body: a.Message, Status: a.Status, Header: a.Header})
		if t != nil {
			return t.Append(dst, a.Body, in), true
		}
		return append(dst, a.Body...), c.templates.Empty()
	}
	return dst, false
}

// compileRoute compiles a route; nil is one that has nothing to do.
func (s *Stage) compileRoute(ws *definition.WebSocket, r *definition.Route, scope *proxy.Scope, stores Stores) (*Route, error) {
	out := &Route{Key: r.Key, KeyRequired: r.APIKeyRequired}
	if definition.SelectsRoute(r.Key) || r.Key == definition.RouteDefault {
		out.Throttle = s.limits.Route(r.Key)
		out.Overrides = s.Plans.Overrides(r.Key, "")
	} else if r.Key != definition.RouteConnect && r.Key != definition.RouteDisconnect {
		return nil, fmt.Errorf("a key that begins with $ is $connect, $disconnect or $default")
	}
	if r.ResponseSelectionExpression != "" {
		if r.ResponseSelectionExpression != definition.RouteDefault {
			return nil, fmt.Errorf("routeResponseSelectionExpression: %q: only $default is possible", r.ResponseSelectionExpression)
		}
		out.Answers = slices.ContainsFunc(r.Responses, func(rr *definition.RouteResponse) bool { return rr.Key == definition.RouteDefault })
	}
	if r.Target == "" {
		if out.Key == definition.RouteConnect || out.Key == definition.RouteDisconnect {
			return nil, nil
		}
		return nil, fmt.Errorf("it has no target: write integrations/ and the id of an integration")
	}
	in := ws.Integration(r.Target)
	if in == nil {
		return nil, fmt.Errorf("target %q does not exist", r.Target)
	}
	if err := s.compileRouteIntegration(out, in, scope, stores); err != nil {
		return nil, fmt.Errorf("integration %s: %w", in.ID, err)
	}
	return out, nil
}

func (s *Stage) compileRouteIntegration(out *Route, in *definition.RouteIntegration, scope *proxy.Scope, stores Stores) (err error) {
	out.TimeoutMillis, out.passthrough = in.TimeoutMillis, in.PassthroughBehavior
	switch in.Type {
	case definition.IntegrationHTTPProxy, definition.IntegrationHTTP:
		out.Kind, out.Whole = RouteHTTP, in.Type == definition.IntegrationHTTPProxy
		err = s.compileRouteHTTP(out, in, scope, stores)
	case definition.IntegrationAWSProxy, definition.IntegrationAWS:
		out.Kind, out.Whole = RouteFunction, in.Type == definition.IntegrationAWSProxy
		err = s.compileFunction(out, in)
	case definition.IntegrationMock:
		out.Kind = RouteMock
	default:
		err = fmt.Errorf("integrationType %q is not supported", in.Type)
	}
	if err != nil || out.Whole {
		return err
	}
	names := &template.Scope{Variables: s.Variables, Context: contextOf(scope)}
	if out.requests, err = template.CompileSet(in.RequestTemplates, in.TemplateSelection, selection.Message, names); err != nil {
		return fmt.Errorf("requestTemplates: %w", err)
	}
	if out.Kind == RouteMock {
		if t := out.requests.Choose(nil, &selection.Input{}); t != nil {
			if text, ok := t.Fixed(); ok {
				out.Status, _ = mock.TemplateStatus(text)
			}
		}
	}
	return out.compileResponses(in.Responses, names)
}

// compileRouteHTTP makes a proxy of a route. For $connect the client's request
// goes through; a message is a body, and nothing else of the client's is there.
func (s *Stage) compileRouteHTTP(out *Route, in *definition.RouteIntegration, scope *proxy.Scope, stores Stores) (err error) {
	as := &definition.Integration{
		Type: definition.IntegrationHTTP, HTTPMethod: in.HTTPMethod, URI: in.URI, TimeoutMillis: in.TimeoutMillis,
		RequestParameters: in.RequestParameters, InsecureSkipVerification: in.InsecureSkipVerification, Targets: in.Targets,
	}
	socket := strings.HasPrefix(in.URI, "ws://") || strings.HasPrefix(in.URI, "wss://")
	if out.Key == definition.RouteConnect && out.Whole {
		as.Type = definition.IntegrationHTTPProxy
	}
	switch {
	case socket && out.Key != definition.RouteConnect:
		return fmt.Errorf("integrationUri: %s passes a whole connection on, and only the route $connect can do so", in.URI)
	case socket:
		as.HTTPMethod = "GET"
	case as.HTTPMethod == "":
		return fmt.Errorf("integrationMethod: it is missing; write the HTTP method that the backend gets, such as POST")
	case as.HTTPMethod == definition.MethodAny:
		return fmt.Errorf("integrationMethod: ANY is the client's, and a message has none; write POST")
	}
	scope.Params = nil
	if out.HTTP, err = proxy.Compile(&definition.Method{Integration: as}, scope); err != nil {
		return err
	}
	if out.HTTP.Unresolved == nil && stores.Upstream != nil {
		out.Targets = s.group(out.HTTP.Endpoint, in.HealthCheck, stores.Upstream)
	}
	return nil
}

// compileFunction finds the function that a URI names.
func (s *Stage) compileFunction(out *Route, in *definition.RouteIntegration) error {
	if in.Credentials != "" {
		return fmt.Errorf("credentialsArn: roles are not assumed here, functions are called with the host's credentials; remove it")
	}
	uri := proxy.Resolve(in.URI, s.Variables)
	var err error
	if out.Function, err = lambda.ParseURI(uri); err != nil {
		err = fmt.Errorf("integrationUri: %w", err)
		if uri == in.URI {
			return err
		}
		out.Unresolved = err // the variables may come yet
	}
	return nil
}

func (r *Route) compileResponses(responses []*definition.RouteIntegrationResponse, names *template.Scope) error {
	for _, def := range responses {
		fail := func(err error) error { return fmt.Errorf("integration response %s: %w", def.Key, err) }
		c := routeResponse{}
		var err error
		if def.Key != definition.RouteDefault {
			expression, ok := strings.CutPrefix(def.Key, "/")
			expression, ok2 := strings.CutSuffix(expression, "/")
			if !ok || !ok2 {
				return fail(fmt.Errorf(`write a regular expression between slashes, such as /4\d\d/, or $default`))
			}
			if c.pattern, err = regexp.Compile(`^(?:` + expression + `)$`); err != nil {
				return fail(fmt.Errorf("%w; write it in RE2 syntax", err))
			}
		}
		if len(def.ResponseParameters) > 0 {
			return fail(fmt.Errorf("responseParameters: a message has no headers; remove them"))
		}
		if c.templates, err = template.CompileSet(def.ResponseTemplates, def.TemplateSelection, selection.Answer, names); err != nil {
			return fail(err)
		}
		r.responses = append(r.responses, c)
	}
	// The default comes last.
	slices.SortStableFunc(r.responses, func(a, b routeResponse) int {
		switch {
		case a.pattern != nil && b.pattern == nil:
			return -1
		case a.pattern == nil && b.pattern != nil:
			return 1
		}
		return 0
	})
	return nil
}

// contextOf lets templates refer to what mappings can.
func contextOf(scope *proxy.Scope) func(string) (string, int, string, error) {
	return func(name string) (fixed string, number int, rest string, err error) {
		if fixed, ok := scope.Context[name]; ok {
			return fixed, 0, "", nil
		}
		v, rest, ok := proxy.FindContext(name)
		if !ok {
			return "", 0, "", fmt.Errorf("it is not a context variable that can be used here")
		}
		return "", int(v), rest, nil
	}
}

// AppendStatus appends a status as Answer wants it.
func AppendStatus(dst []byte, status int) []byte { return strconv.AppendInt(dst, int64(status), 10) }
