package control

import (
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireWebSocketAPI(a *definition.API, status *Status) WebSocketAPI {
	ws := a.Body.WebSocket
	out := WebSocketAPI{
		APIID: a.ID, Name: a.Name, ProtocolType: a.Protocol, Description: a.Description, Version: a.Version,
		RouteSelectionExpression: ws.RouteSelectionExpression, APIKeySelectionExpression: websocketapi.KeySelection(a.APIKeySource),
		APIEndpoint: status.WebSocketURL(a.ID, ""), CreatedDate: wholeSeconds(a.CreatedDate),
		DisableExecuteAPIEndpoint: a.DisableExecuteAPIEndpoint, IPAddressType: "ipv4", Tags: orEmpty(a.Tags), Warnings: a.Warnings,
		AllowedOrigins: ws.AllowedOrigins, Subprotocols: ws.Subprotocols, Priority: a.Priority,
	}
	if a.GuaranteedRate > 0 {
		out.GuaranteedRate = (*Double)(&a.GuaranteedRate)
	}
	return out
}

// wholeSeconds is a time as AWS prints it.
func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// orEmpty has JSON print {} rather than null.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// answerWebSocketAPI answers with an API as it is.
func (s *Server) answerWebSocketAPI(code int, a *definition.API) (int, any, error) {
	status := s.gateway.Status()
	return code, wireWebSocketAPI(a, &status), nil
}

func (s *Server) createWebSocketAPI(r *request) (int, any, error) {
	var in websocketapi.API
	if err := websocketapi.ReadAPI(r.body, true, &in); err != nil {
		return 0, nil, invalidInput(err)
	}
	if err := checkTags(in.Tags); err != nil {
		return 0, nil, err
	}
	var a *definition.API
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		a = &definition.API{
			ID: newID(10, func(id string) bool { return c.APIs[id] != nil }), Protocol: definition.ProtocolWebSocket,
			EndpointType: definition.EndpointRegional, CreatedDate: s.now().UTC(), Tags: in.Tags,
		}
		ws := definition.WebSocket{}
		adoptProperties(a, &ws, &in)
		a.Body = sealedWebSocket(a, ws)
		return definition.Change{PutAPIs: []*definition.API{a}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = a.ID
	return s.answerWebSocketAPI(201, a)
}

// properties are what an API has besides its parts; adoptProperties is the
// reverse, but for tags.
func properties(a *definition.API, ws *definition.WebSocket) websocketapi.API {
	return websocketapi.API{
		Name: a.Name, Description: a.Description, Version: a.Version,
		RouteSelectionExpression: ws.RouteSelectionExpression, APIKeySource: a.APIKeySource,
		DisableExecuteAPIEndpoint: a.DisableExecuteAPIEndpoint,
		AllowedOrigins:            ws.AllowedOrigins, Subprotocols: ws.Subprotocols, GuaranteedRate: a.GuaranteedRate, Priority: a.Priority,
	}
}

func adoptProperties(a *definition.API, ws *definition.WebSocket, in *websocketapi.API) {
	a.Name, a.Description, a.Version = in.Name, in.Description, in.Version
	a.APIKeySource, a.DisableExecuteAPIEndpoint, a.GuaranteedRate = storedKeySource(in.APIKeySource), in.DisableExecuteAPIEndpoint, in.GuaranteedRate
	a.Priority = in.Priority
	ws.RouteSelectionExpression, ws.AllowedOrigins, ws.Subprotocols = in.RouteSelectionExpression, in.AllowedOrigins, in.Subprotocols
}

func (s *Server) getWebSocketAPI(r *request) (int, any, error) {
	a, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	return s.answerWebSocketAPI(200, a)
}

func (s *Server) getWebSocketAPIs(r *request) (int, any, error) {
	var all []*definition.API
	for _, a := range s.gateway.Catalog().APIs {
		if a.Protocol == definition.ProtocolWebSocket {
			all = append(all, a)
		}
	}
	status := s.gateway.Status()
	return items(r, all, func(a *definition.API) string { return byTime(a.CreatedDate, a.ID) },
		func(a *definition.API) WebSocketAPI { return wireWebSocketAPI(a, &status) })
}

// items answers a page of a list, which it may sort.
func items[T, W any](r *request, all []T, key func(T) string, wire func(T) W) (int, any, error) {
	some, err := pageBy(webSocketPager, all, key, r.query)
	if err != nil {
		return 0, nil, err
	}
	out := Items[W]{Items: make([]W, len(some.Items)), NextToken: some.Position}
	for i, it := range some.Items {
		out.Items[i] = wire(it)
	}
	return 200, out, nil
}

func (s *Server) updateWebSocketAPI(r *request) (int, any, error) {
	var next *definition.API
	err := s.editWebSocket(r, func(a *definition.API, ws *definition.WebSocket) error {
		in := properties(a, ws)
		if err := websocketapi.ReadAPI(r.body, false, &in); err != nil {
			return invalidInput(err)
		}
		adoptProperties(a, ws, &in)
		next = a
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return s.answerWebSocketAPI(200, next)
}

func (s *Server) deleteWebSocketAPI(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.webSocketAPI(c, r.apiID()); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{
			DeleteAPIs: []string{r.apiID()},
			PutPlans:   detach(c, func(st definition.PlanStage) bool { return st.APIID == r.apiID() }),
		}, nil
	})
	return 204, nil, err
}

// referenced refuses to delete what routes point at, in AWS's words.
func referenced(what string, routes []string) error {
	return conflict("Cannot delete %s because it is referenced by the following Routes with Ids: [%s]", what, strings.Join(routes, ", "))
}
