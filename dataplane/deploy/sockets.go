package deploy

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/selection"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// Sockets is a compiled stage of a WebSocket API. It is immutable.
type Sockets struct {
	// Connect is what a wish to connect meets before the route $connect, and
	// Manage what a call of @connections meets.
	Connect, Manage *Method

	Origins      *websocket.Origins // nil: all
	Subprotocols []string           // that the gateway agrees to by itself
	Required     Required           // of a wish to connect

	OnConnect, OnDisconnect *Route // nil: nothing to do

	choose   *selection.Expression
	routes   map[string]*Route // that messages choose
	fallback *Route            // $default, or nil
}

// Required names what a wish to connect must have.
type Required struct{ Headers, Query []string }

// Find returns the route that a message chooses, or nil. scratch is used up.
func (s *Sockets) Find(scratch, message []byte) *Route {
	if key, ok := s.choose.Append(scratch, &selection.Input{Body: message}); ok {
		if r := s.routes[string(key)]; r != nil {
			return r
		}
	}
	return s.fallback
}

// ManagePath begins the paths of the calls of @connections, behind the stage.
const ManagePath = "/@connections"

// compileSockets compiles the WebSocket part of a stage.
func (s *Stage) compileSockets(ws *definition.WebSocket, scope *proxy.Scope, stores Stores) error {
	out := &Sockets{Subprotocols: ws.Subprotocols, routes: map[string]*Route{}}
	scope.Route = true
	var err error
	if out.choose, err = selection.Compile(ws.RouteSelectionExpression, selection.Message); err != nil {
		return fmt.Errorf("routeSelectionExpression: %w", err)
	}
	if ws.AllowedOrigins != nil {
		if out.Origins, err = websocket.CompileOrigins(ws.AllowedOrigins, true); err != nil {
			return fmt.Errorf("allowedOrigins: %w", err)
		}
	}
	connect := ws.Route(definition.RouteConnect)
	if connect == nil {
		connect = &definition.Route{Key: definition.RouteConnect}
	}
	if out.Connect, err = s.compileConnect(connect); err != nil {
		return routeError(connect.Key, err)
	}
	if out.Required, err = required(connect.RequestParameters); err != nil {
		return routeError(connect.Key, err)
	}
	out.Manage = &Method{
		ResourcePath: "/@connections/{connectionId}", Guard: s.guards.Manage(), Throttle: s.limits.Method("@connections", ""), Role: Manages, Priority: s.Priority,
	}
	for _, r := range ws.Routes {
		compiled, err := s.compileRoute(ws, r, scope, stores)
		if err != nil {
			return routeError(r.Key, err)
		}
		switch r.Key {
		case definition.RouteConnect:
			out.OnConnect = compiled
			if compiled != nil && compiled.HTTP.WebSocket {
				out.Connect.Proxy, out.Connect.Targets = compiled.HTTP, compiled.Targets
			}
		case definition.RouteDisconnect:
			out.OnDisconnect = compiled
		case definition.RouteDefault:
			out.fallback = compiled
		default:
			out.routes[r.Key] = compiled
		}
	}
	s.Sockets = out
	return nil
}

func routeError(key string, err error) error { return fmt.Errorf("route %s: %w", key, err) }

// compileConnect compiles what stands before the route $connect.
func (s *Stage) compileConnect(r *definition.Route) (m *Method, err error) {
	m = &Method{
		ResourcePath: r.Key, Throttle: s.limits.Route(r.Key), KeyRequired: r.APIKeyRequired, Role: Connects, Priority: s.Priority,
	}
	m.Guard, err = s.guards.Method(&definition.Method{AuthorizationType: r.AuthorizationType, AuthorizerID: r.AuthorizerID})
	if err == nil && m.Guard != nil && m.Guard.Kind == auth.Tokens {
		err = fmt.Errorf("authorization type %q is not for WebSocket APIs: use NONE, AWS_IAM or CUSTOM", r.AuthorizationType)
	}
	return m, err
}

// required reads which parameters have to be there.
func required(parameters map[string]bool) (r Required, err error) {
	for name, needed := range parameters {
		rest, ok := strings.CutPrefix(name, "route.request.")
		kind, field, ok2 := strings.Cut(rest, ".")
		switch {
		case !ok || !ok2 || field == "" || kind != "header" && kind != "querystring":
			return r, fmt.Errorf("requestParameters: %q is not route.request.{querystring|header}.NAME", name)
		case !needed:
		case kind == "header":
			r.Headers = append(r.Headers, strings.ToLower(field))
		default:
			r.Query = append(r.Query, field)
		}
	}
	return r, nil
}
