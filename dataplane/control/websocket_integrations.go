package control

import (
	"cmp"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireRouteIntegration(in *definition.RouteIntegration) RouteIntegration {
	out := RouteIntegration{
		IntegrationID: in.ID, IntegrationType: in.Type, IntegrationMethod: in.HTTPMethod, IntegrationURI: in.URI,
		Description: in.Description, ConnectionType: "INTERNET", RequestParameters: in.RequestParameters, RequestTemplates: in.RequestTemplates,
		TemplateSelectionExpression: in.TemplateSelection, PassthroughBehavior: cmp.Or(in.PassthroughBehavior, "WHEN_NO_MATCH"),
		PayloadFormatVersion: "1.0", ContentHandlingStrategy: in.ContentHandling, TimeoutInMillis: in.TimeoutMillis,
	}
	switch in.Type {
	case definition.IntegrationMock:
		out.ConnectionType, out.IntegrationResponseSelectionExpression = "", "${integration.response.statuscode}"
	case definition.IntegrationHTTP:
		out.IntegrationResponseSelectionExpression = "${integration.response.statuscode}"
	case definition.IntegrationAWS:
		out.IntegrationResponseSelectionExpression = "${integration.response.body.errorMessage}"
	}
	out.Targets, out.HealthCheck = in.Targets, in.HealthCheck
	if in.InsecureSkipVerification {
		out.TLSConfig = &TLSConfig{InsecureSkipVerification: true}
	}
	return out
}

func integrationIndex(ws *definition.WebSocket, r *request) (int, error) {
	i := slices.IndexFunc(ws.Integrations, func(in *definition.RouteIntegration) bool { return in.ID == r.params["integration"] })
	if i < 0 {
		return 0, missing("Integration", "Invalid Integration identifier specified")
	}
	return i, nil
}

// integrationOf returns the integration that a request names.
func (s *Server) integrationOf(r *request) (*definition.RouteIntegration, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return nil, err
	}
	i, err := integrationIndex(a.Body.WebSocket, r)
	if err != nil {
		return nil, err
	}
	return a.Body.WebSocket.Integrations[i], nil
}

// editIntegration changes a copy of the integration that a request names.
func (s *Server) editIntegration(r *request, edit func(*definition.RouteIntegration) error) error {
	return s.editWebSocket(r, func(_ *definition.API, ws *definition.WebSocket) error {
		i, err := integrationIndex(ws, r)
		if err != nil {
			return err
		}
		next := *ws.Integrations[i]
		next.Responses = slices.Clone(next.Responses)
		ws.Integrations[i] = &next
		return edit(&next)
	})
}

func (s *Server) getIntegrations(r *request) (int, any, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	return items(r, slices.Clone(a.Body.WebSocket.Integrations), func(in *definition.RouteIntegration) string { return in.ID }, wireRouteIntegration)
}

func (s *Server) getIntegration(r *request) (int, any, error) {
	in, err := s.integrationOf(r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRouteIntegration(in), nil
}

func (s *Server) createIntegration(r *request) (int, any, error) {
	var made definition.RouteIntegration
	err := s.editWebSocket(r, func(_ *definition.API, ws *definition.WebSocket) error {
		made = definition.RouteIntegration{}
		if err := websocketapi.ReadIntegration(r.body, s.options.MaxTimeoutMillis, &made); err != nil {
			return invalidInput(err)
		}
		if len(ws.Integrations) >= websocketapi.MaxIntegrations {
			return limitExceeded("Maximum number of Integrations for this API has been reached: %d", websocketapi.MaxIntegrations)
		}
		made.ID = newID(7, func(id string) bool { return ws.Integration(definition.IntegrationTarget(id)) != nil })
		ws.Integrations = append(ws.Integrations, &made)
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireRouteIntegration(&made), nil
}

func (s *Server) updateIntegration(r *request) (int, any, error) {
	var next *definition.RouteIntegration
	err := s.editIntegration(r, func(in *definition.RouteIntegration) error {
		next = in
		if err := websocketapi.ReadIntegration(r.body, s.options.MaxTimeoutMillis, in); err != nil {
			return invalidInput(err)
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRouteIntegration(next), nil
}

func (s *Server) deleteIntegration(r *request) (int, any, error) {
	err := s.editWebSocket(r, func(_ *definition.API, ws *definition.WebSocket) error {
		i, err := integrationIndex(ws, r)
		if err != nil {
			return err
		}
		var routes []string
		for _, route := range ws.Routes {
			if route.Target == definition.IntegrationTarget(ws.Integrations[i].ID) {
				routes = append(routes, route.ID)
			}
		}
		if len(routes) > 0 {
			return referenced("Integration", routes)
		}
		ws.Integrations = remove(ws.Integrations, i)
		return nil
	})
	return 204, nil, err
}

func wireIntegrationResponse(a *definition.RouteIntegrationResponse) RouteIntegrationResponse {
	return RouteIntegrationResponse{
		IntegrationResponseID: a.ID, IntegrationResponseKey: a.Key, ResponseParameters: a.ResponseParameters,
		ResponseTemplates: a.ResponseTemplates, TemplateSelectionExpression: a.TemplateSelection, ContentHandlingStrategy: a.ContentHandling,
	}
}

func integrationResponseIndex(in *definition.RouteIntegration, r *request) (int, error) {
	i := slices.IndexFunc(in.Responses, func(a *definition.RouteIntegrationResponse) bool { return a.ID == r.params["response"] })
	if i < 0 {
		return 0, missing("IntegrationResponse", "Invalid Integration Response identifier specified")
	}
	return i, nil
}

func (s *Server) getIntegrationResponses(r *request) (int, any, error) {
	in, err := s.integrationOf(r)
	if err != nil {
		return 0, nil, err
	}
	return items(r, slices.Clone(in.Responses), func(a *definition.RouteIntegrationResponse) string { return a.ID }, wireIntegrationResponse)
}

func (s *Server) getIntegrationResponse(r *request) (int, any, error) {
	in, err := s.integrationOf(r)
	if err != nil {
		return 0, nil, err
	}
	i, err := integrationResponseIndex(in, r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireIntegrationResponse(in.Responses[i]), nil
}

func (s *Server) createIntegrationResponse(r *request) (int, any, error) {
	var made definition.RouteIntegrationResponse
	err := s.editIntegration(r, func(in *definition.RouteIntegration) error {
		made = definition.RouteIntegrationResponse{}
		if err := websocketapi.ReadIntegrationResponse(r.body, &made); err != nil {
			return invalidInput(err)
		}
		made.ID = newID(6, func(id string) bool {
			return slices.ContainsFunc(in.Responses, func(a *definition.RouteIntegrationResponse) bool { return a.ID == id })
		})
		return putIntegrationResponse(in, &made)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireIntegrationResponse(&made), nil
}

// putIntegrationResponse puts a response in its place by the key.
func putIntegrationResponse(in *definition.RouteIntegration, a *definition.RouteIntegrationResponse) error {
	if in.Type == definition.IntegrationHTTPProxy || in.Type == definition.IntegrationAWSProxy {
		return badRequest("Integration responses are not supported for integrations of type %s, whose answers pass as they are", in.Type)
	}
	in.Responses = slices.DeleteFunc(in.Responses, func(b *definition.RouteIntegrationResponse) bool { return b.ID == a.ID })
	at, there := slices.BinarySearchFunc(in.Responses, a, func(x, y *definition.RouteIntegrationResponse) int { return cmp.Compare(x.Key, y.Key) })
	if there {
		return conflict("Integration Response with key %s already exists for this Integration", a.Key)
	}
	in.Responses = slices.Insert(in.Responses, at, a)
	return nil
}

func (s *Server) updateIntegrationResponse(r *request) (int, any, error) {
	var next definition.RouteIntegrationResponse
	err := s.editIntegration(r, func(in *definition.RouteIntegration) error {
		i, err := integrationResponseIndex(in, r)
		if err != nil {
			return err
		}
		next = *in.Responses[i]
		if err := websocketapi.ReadIntegrationResponse(r.body, &next); err != nil {
			return invalidInput(err)
		}
		return putIntegrationResponse(in, &next)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireIntegrationResponse(&next), nil
}

func (s *Server) deleteIntegrationResponse(r *request) (int, any, error) {
	err := s.editIntegration(r, func(in *definition.RouteIntegration) error {
		i, err := integrationResponseIndex(in, r)
		if err == nil {
			in.Responses = remove(in.Responses, i)
		}
		return err
	})
	return 204, nil, err
}
