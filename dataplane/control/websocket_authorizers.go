package control

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireConnectAuthorizer(a *definition.Authorizer) ConnectAuthorizer {
	out := ConnectAuthorizer{
		AuthorizerID: a.ID, Name: a.Name, AuthorizerType: a.Type, AuthorizerURI: a.URI,
		IdentitySource: websocketapi.IdentitySource(a),
	}
	if a.ResultTTLSeconds != nil {
		out.AuthorizerResultTTLInSeconds = *a.ResultTTLSeconds
	}
	return out
}

func connectAuthorizerIndex(a *definition.API, id string) (int, error) {
	i, err := authorizerIndex(a, id)
	if err != nil {
		return 0, missing("Authorizer", "Invalid Authorizer identifier specified")
	}
	return i, nil
}

func (s *Server) getConnectAuthorizers(r *request) (int, any, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	return items(r, slices.Clone(a.Authorizers), func(a *definition.Authorizer) string { return a.ID }, wireConnectAuthorizer)
}

func (s *Server) getConnectAuthorizer(r *request) (int, any, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	i, err := connectAuthorizerIndex(a, r.params["authorizer"])
	if err != nil {
		return 0, nil, err
	}
	return 200, wireConnectAuthorizer(a.Authorizers[i]), nil
}

func (s *Server) createConnectAuthorizer(r *request) (int, any, error) {
	var made definition.Authorizer
	err := s.editWebSocket(r, func(a *definition.API, _ *definition.WebSocket) error {
		made = definition.Authorizer{}
		if err := websocketapi.ReadAuthorizer(r.body, &made); err != nil {
			return invalidInput(err)
		}
		if len(a.Authorizers) >= websocketapi.MaxAuthorizers {
			return limitExceeded("Maximum number of Authorizers for this API has been reached: %d", websocketapi.MaxAuthorizers)
		}
		made.ID = newID(6, func(id string) bool { _, err := authorizerIndex(a, id); return err == nil })
		a.Authorizers = append(a.Authorizers, &made)
		return s.checkConnectAuthorizer(a, &made)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireConnectAuthorizer(&made), nil
}

// checkConnectAuthorizer refuses a name that is taken, and what no deployment could
// use.
func (s *Server) checkConnectAuthorizer(a *definition.API, made *definition.Authorizer) error {
	for _, other := range a.Authorizers {
		if other != made && other.Name == made.Name {
			return conflict("Authorizer with name %s already exists for this API", made.Name)
		}
	}
	return s.checkAuthorizer(made)
}

func (s *Server) updateConnectAuthorizer(r *request) (int, any, error) {
	var next definition.Authorizer
	err := s.editWebSocket(r, func(a *definition.API, _ *definition.WebSocket) error {
		i, err := connectAuthorizerIndex(a, r.params["authorizer"])
		if err != nil {
			return err
		}
		next = *a.Authorizers[i]
		if err := websocketapi.ReadAuthorizer(r.body, &next); err != nil {
			return invalidInput(err)
		}
		a.Authorizers[i] = &next
		return s.checkConnectAuthorizer(a, &next)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireConnectAuthorizer(&next), nil
}

func (s *Server) deleteConnectAuthorizer(r *request) (int, any, error) {
	err := s.editWebSocket(r, func(a *definition.API, ws *definition.WebSocket) error {
		i, err := connectAuthorizerIndex(a, r.params["authorizer"])
		if err != nil {
			return err
		}
		var routes []string
		for _, route := range ws.Routes {
			if route.AuthorizerID == a.Authorizers[i].ID {
				routes = append(routes, route.ID)
			}
		}
		if len(routes) > 0 {
			return referenced("Authorizer", routes)
		}
		a.Authorizers = remove(a.Authorizers, i)
		return nil
	})
	return 204, nil, err
}

// resetAuthorizers forgets what the authorizers of a stage said.
func (s *Server) resetAuthorizers(r *request) (int, any, error) {
	st, err := s.webSocketStage(s.gateway.Catalog(), r)
	if err != nil {
		return 0, nil, err
	}
	if err := s.gateway.FlushAuthorizers(st.APIID, st.Name); err != nil {
		return 0, nil, fmt.Errorf("flush the authorizers of %s: %w", st.Name, err)
	}
	return 204, nil, nil
}
