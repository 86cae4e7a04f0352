package control

import (
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireRouteResponse(a *definition.RouteResponse) RouteResponse {
	return RouteResponse{RouteResponseID: a.ID, RouteResponseKey: a.Key}
}

func routeResponseIndex(route *definition.Route, r *request) (int, error) {
	i := slices.IndexFunc(route.Responses, func(a *definition.RouteResponse) bool { return a.ID == r.params["response"] })
	if i < 0 {
		return 0, missing("RouteResponse", "Invalid Route Response identifier specified")
	}
	return i, nil
}

func (s *Server) getRouteResponses(r *request) (int, any, error) {
	route, err := s.routeOf(r)
	if err != nil {
		return 0, nil, err
	}
	return items(r, slices.Clone(route.Responses), func(a *definition.RouteResponse) string { return a.ID }, wireRouteResponse)
}

func (s *Server) getRouteResponse(r *request) (int, any, error) {
	route, err := s.routeOf(r)
	if err != nil {
		return 0, nil, err
	}
	i, err := routeResponseIndex(route, r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRouteResponse(route.Responses[i]), nil
}

func (s *Server) createRouteResponse(r *request) (int, any, error) {
	var made definition.RouteResponse
	err := s.editRoute(r, func(_ *definition.API, _ *definition.WebSocket, route *definition.Route) error {
		made = definition.RouteResponse{}
		if err := websocketapi.ReadRouteResponse(r.body, &made); err != nil {
			return invalidInput(err)
		}
		switch {
		case route.Key == definition.RouteDisconnect:
			return badRequest("%s cannot answer: nobody is there any more", definition.RouteDisconnect)
		case len(route.Responses) > 0: // they all have the one key there is
			return conflict("Route Response with key %s already exists for this Route", made.Key)
		}
		made.ID = newID(6, func(string) bool { return false })
		route.Responses = append(route.Responses, &made)
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireRouteResponse(&made), nil
}

func (s *Server) updateRouteResponse(r *request) (int, any, error) {
	var next definition.RouteResponse
	err := s.editRoute(r, func(_ *definition.API, _ *definition.WebSocket, route *definition.Route) error {
		i, err := routeResponseIndex(route, r)
		if err != nil {
			return err
		}
		next = *route.Responses[i]
		route.Responses[i] = &next
		return invalidInput(websocketapi.ReadRouteResponse(r.body, &next))
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRouteResponse(&next), nil
}

func (s *Server) deleteRouteResponse(r *request) (int, any, error) {
	err := s.editRoute(r, func(_ *definition.API, _ *definition.WebSocket, route *definition.Route) error {
		i, err := routeResponseIndex(route, r)
		if err == nil {
			route.Responses = remove(route.Responses, i)
		}
		return err
	})
	return 204, nil, err
}
