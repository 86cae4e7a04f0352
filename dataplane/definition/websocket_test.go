package definition

import (
	"encoding/json"
	"testing"
)

func TestNewWebSocketBody(t *testing.T) {
	routes := []*Route{{Key: "b"}, {Key: "$default"}, {Key: "a"}}
	integrations := []*RouteIntegration{{ID: "z"}, {ID: "y"}}
	ws := WebSocket{RouteSelectionExpression: "$request.body.action", Routes: routes, Integrations: integrations}
	b := NewWebSocketBody("api", ws, Settings{EndpointType: EndpointRegional})
	if got := b.WebSocket.Routes; got[0].Key != "$default" || got[1].Key != "a" || got[2].Key != "b" || routes[0].Key != "b" {
		t.Errorf("routes are not sorted, or those given were: %v", got)
	}
	if b.WebSocket.Integrations[0].ID != "y" || len(b.Resources) != 1 || b.RootResourceID == "" {
		t.Errorf("%+v", b)
	}
	routes[0], routes[2] = routes[2], routes[0]
	again := NewWebSocketBody("api", ws, Settings{EndpointType: EndpointRegional})
	if again.Revision != b.Revision {
		t.Error("the order of the routes changes the revision")
	}
	ws.RouteSelectionExpression = "$request.body.other"
	if NewWebSocketBody("api", ws, Settings{EndpointType: EndpointRegional}).Revision == b.Revision {
		t.Error("the expression does not change the revision")
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var back Body
	if err := json.Unmarshal(text, &back); err != nil || back.hash() != b.Revision {
		t.Errorf("it comes back otherwise than it was: %v", err)
	}
}

func TestTargets(t *testing.T) {
	ws := &WebSocket{Routes: []*Route{{Key: "a"}}, Integrations: []*RouteIntegration{{ID: "i1"}}}
	if ws.Integration("integrations/i1") != ws.Integrations[0] || ws.Integration("i1") != nil || ws.Integration("") != nil {
		t.Error("a target is the integration's id behind a word")
	}
	if ws.Route("a") != ws.Routes[0] || ws.Route("b") != nil {
		t.Error("routes are found by key")
	}
	if id := RouteID("a"); len(id) != 7 || id == RouteID("b") || id != RouteID("a") {
		t.Errorf("id %q", id)
	}
}
