package websocketapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// tell takes what is wrong with a field of a part: "routes" and a key,
// "integrations" and an id, "authorizers" and an id. Without a field it is the
// part itself, and without a part the API.
type tell func(parts, part, field, format string, args ...any)

// Check says what keeps a WebSocket API from being deployed: parts that are
// missing, or do not fit together. An error is a *document.Errors.
func Check(body *definition.Body) error {
	p := &document.Problems{}
	check(body.WebSocket, body.Authorizers, func(parts, part, field, format string, args ...any) {
		var at *document.Place
		for _, name := range []string{parts, part, field} {
			if name != "" {
				at = &document.Place{Up: at, Name: name}
			}
		}
		p.Add(document.Node{Place: at}, format, args...)
	})
	return p.Err()
}

func check(ws *definition.WebSocket, authorizers []*definition.Authorizer, t tell) {
	for _, c := range []struct {
		parts string
		n, of int
	}{{"routes", len(ws.Routes), MaxRoutes}, {"integrations", len(ws.Integrations), MaxIntegrations}, {"authorizers", len(authorizers), MaxAuthorizers}} {
		if c.n > c.of {
			t(c.parts, "", "", "an API has at most %d %s, and this has %d", c.of, c.parts, c.n)
		}
	}
	if len(ws.Routes) == 0 {
		t("routes", "", "", "At least one route is required before deploying the Api.")
	}
	users := map[*definition.RouteIntegration][]string{} // keys of the routes that point at each
	for _, route := range ws.Routes {
		in := ws.Integration(route.Target)
		if in != nil {
			users[in] = append(users[in], route.Key)
		}
		checkRoute(ws, route, in, authorizers, t)
	}
	for _, in := range ws.Integrations {
		checkSources(in, users[in], t)
	}
}

// checkRoute looks whether what a route refers to is there, and can do what it is
// there for.
func checkRoute(ws *definition.WebSocket, route *definition.Route, in *definition.RouteIntegration, authorizers []*definition.Authorizer, t tell) {
	wrong := func(field, format string, args ...any) { t("routes", route.Key, field, format, args...) }
	if route.Target != "" && in == nil {
		wrong("target", "there is no integration %q", strings.TrimPrefix(route.Target, definition.IntegrationTarget("")))
	}
	if id := route.AuthorizerID; id != "" && !slices.ContainsFunc(authorizers, func(a *definition.Authorizer) bool { return a.ID == id }) {
		wrong("authorizerId", "there is no authorizer %q", id)
	}
	if in != nil && IsPassThrough(in) {
		switch {
		case route.Key != definition.RouteConnect:
			wrong("target", "a WebSocket server is connected to by %s alone", definition.RouteConnect)
		case len(ws.Routes) > 1:
			wrong("target", "all frames go to the WebSocket server, so that no message reaches another route; remove those")
		case route.ResponseSelectionExpression != "":
			wrong("routeResponseSelectionExpression", "the WebSocket server answers; remove it")
		}
		return
	}
	if route.ResponseSelectionExpression == "" {
		return
	}
	if !slices.ContainsFunc(route.Responses, func(a *definition.RouteResponse) bool { return a.Key == definition.RouteDefault }) {
		wrong("routeResponseSelectionExpression", "the route has no route response %s", definition.RouteDefault)
	}
	switch {
	case route.Target == "":
		wrong("routeResponseSelectionExpression", "without a target there is nothing to answer with")
	case in != nil && makesAnswers(in) && !slices.ContainsFunc(in.Responses, func(a *definition.RouteIntegrationResponse) bool { return a.Key == definition.RouteDefault }):
		wrong("routeResponseSelectionExpression", "the integration has no integration response %s to answer with", definition.RouteDefault)
	}
}

// checkSources looks whether one of the routes that use an integration has what it
// maps: a request comes with $connect alone, and a body with messages.
func checkSources(in *definition.RouteIntegration, users []string, t tell) {
	if len(users) == 0 {
		return
	}
	connects := slices.Contains(users, definition.RouteConnect)
	messages := slices.ContainsFunc(users, func(key string) bool {
		return key != definition.RouteConnect && key != definition.RouteDisconnect
	})
	for _, target := range slices.Sorted(maps.Keys(in.RequestParameters)) {
		source := in.RequestParameters[target]
		rest, ok := strings.CutPrefix(source, routeRequest)
		body := strings.HasPrefix(rest, "body.")
		switch {
		case !ok:
		case body && !messages:
			t("integrations", in.ID, "requestParameters", "%s: only messages have a body, and none leads here", fmt.Sprintf("%.200s", source))
		case !body && !connects:
			t("integrations", in.ID, "requestParameters", "%s: only %s has a request, and it does not lead here", fmt.Sprintf("%.200s", source), definition.RouteConnect)
		}
	}
}
