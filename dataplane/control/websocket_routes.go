package control

import (
	"cmp"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireRoute(r *definition.Route) Route {
	out := Route{
		RouteID: r.ID, RouteKey: r.Key, Target: r.Target, OperationName: r.OperationName,
		AuthorizationType: cmp.Or(r.AuthorizationType, definition.AuthNone), AuthorizerID: r.AuthorizerID, APIKeyRequired: r.APIKeyRequired,
		RouteResponseSelectionExpression: r.ResponseSelectionExpression,
	}
	for name, required := range r.RequestParameters {
		if out.RequestParameters == nil {
			out.RequestParameters = make(map[string]ParameterConstraints, len(r.RequestParameters))
		}
		out.RequestParameters[name] = ParameterConstraints{required}
	}
	return out
}

// routeIndex is where a WebSocket API has the route that a request names.
func routeIndex(ws *definition.WebSocket, r *request) (int, error) {
	i := slices.IndexFunc(ws.Routes, func(route *definition.Route) bool { return route.ID == r.params["route"] })
	if i < 0 {
		return 0, missing("Route", "Invalid Route identifier specified")
	}
	return i, nil
}

// routeOf returns the route that a request names.
func (s *Server) routeOf(r *request) (*definition.Route, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return nil, err
	}
	i, err := routeIndex(a.Body.WebSocket, r)
	if err != nil {
		return nil, err
	}
	return a.Body.WebSocket.Routes[i], nil
}

// editRoute changes a copy of the route that a request names.
func (s *Server) editRoute(r *request, edit func(*definition.API, *definition.WebSocket, *definition.Route) error) error {
	return s.editWebSocket(r, func(a *definition.API, ws *definition.WebSocket) error {
		i, err := routeIndex(ws, r)
		if err != nil {
			return err
		}
		next := *ws.Routes[i]
		next.Responses = slices.Clone(next.Responses)
		ws.Routes[i] = &next
		return edit(a, ws, &next)
	})
}

func (s *Server) getRoutes(r *request) (int, any, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	return items(r, slices.Clone(a.Body.WebSocket.Routes), func(r *definition.Route) string { return r.ID }, wireRoute)
}

func (s *Server) getRoute(r *request) (int, any, error) {
	route, err := s.routeOf(r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRoute(route), nil
}

func (s *Server) createRoute(r *request) (int, any, error) {
	var made definition.Route
	err := s.editWebSocket(r, func(a *definition.API, ws *definition.WebSocket) error {
		made = definition.Route{}
		if err := websocketapi.ReadRoute(r.body, &made); err != nil {
			return invalidInput(err)
		}
		if len(ws.Routes) >= websocketapi.MaxRoutes {
			return limitExceeded("Maximum number of Routes for this API has been reached: %d", websocketapi.MaxRoutes)
		}
		made.ID = newID(7, func(id string) bool {
			return slices.ContainsFunc(ws.Routes, func(r *definition.Route) bool { return r.ID == id })
		})
		ws.Routes = append(ws.Routes, &made)
		return checkRoute(a, ws, &made)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireRoute(&made), nil
}

func (s *Server) updateRoute(r *request) (int, any, error) {
	var next *definition.Route
	err := s.editRoute(r, func(a *definition.API, ws *definition.WebSocket, route *definition.Route) error {
		next = route
		if err := websocketapi.ReadRoute(r.body, route); err != nil {
			return invalidInput(err)
		}
		return checkRoute(a, ws, route)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRoute(next), nil
}

// checkRoute looks whether a route of ws is the only one with its key, and what it
// refers to is there.
func checkRoute(a *definition.API, ws *definition.WebSocket, route *definition.Route) error {
	for _, other := range ws.Routes {
		if other != route && other.Key == route.Key {
			return conflict("Route with key %s already exists for this API", route.Key)
		}
	}
	if route.Target != "" && ws.Integration(route.Target) == nil {
		return missing("Integration", "Invalid Integration identifier specified: there is no %s", route.Target)
	}
	if route.AuthorizerID != "" {
		if _, err := connectAuthorizerIndex(a, route.AuthorizerID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) deleteRoute(r *request) (int, any, error) {
	err := s.editWebSocket(r, func(_ *definition.API, ws *definition.WebSocket) error {
		i, err := routeIndex(ws, r)
		if err == nil {
			ws.Routes = remove(ws.Routes, i)
		}
		return err
	})
	return 204, nil, err
}

func (s *Server) deleteRouteParameter(r *request) (int, any, error) {
	err := s.editRoute(r, func(_ *definition.API, _ *definition.WebSocket, route *definition.Route) error {
		name := r.params["parameter"]
		if _, ok := route.RequestParameters[name]; !ok {
			return missing("RequestParameter", "Invalid request parameter specified: the route has no %s", name)
		}
		route.RequestParameters = without(route.RequestParameters, name)
		return nil
	})
	return 204, nil, err
}

// without is a copy of a map without a key; nil when nothing is left.
func without[V any](m map[string]V, key string) map[string]V {
	var rest map[string]V
	for k, v := range m {
		if k == key {
			continue
		}
		if rest == nil {
			rest = make(map[string]V, len(m)-1)
		}
		rest[k] = v
	}
	return rest
}
