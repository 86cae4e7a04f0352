package websocketapi

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// draft is a document that is being read.
type draft struct {
	*reader
	apiID  string
	socket definition.WebSocket

	nodes map[string]document.Node // where each part stands
	names map[string]string        // of integrations and authorizers, by id
}

// rootFields are those of an API and its parts, which read sees to.
var rootFields = apiFields.with(object[API]{
	"integrations": later, "authorizers": later, "routes": later,

	"models": refused[API](noModels),
	"stages": refused[API]("a document is deployed to a stage, which UpdateStage and tidegate deploy set up; remove it"),
})

func later(*reader, document.Node, *API) {}

func (d *draft) read(root document.Node) *Result {
	result := &Result{}
	d.needsProtocol(root)
	read(d.reader, root, rootFields, &result.API)
	d.finishAPI(root, &result.API)
	d.socket = definition.WebSocket{
		RouteSelectionExpression: result.RouteSelectionExpression,
		AllowedOrigins:           result.AllowedOrigins, Subprotocols: result.Subprotocols,
	}
	for name, at := range d.named(root.Get("integrations"), MaxIntegrations) {
		d.integration(name, at)
	}
	for name, at := range d.named(root.Get("authorizers"), MaxAuthorizers) {
		result.Authorizers = append(result.Authorizers, d.authorizer(name, at))
	}
	for key, at := range d.parts(root.Get("routes"), MaxRoutes).Fields() {
		d.route(key, at)
	}
	if d.Err() == nil { // else parts are missing that are only wrong
		check(&d.socket, result.Authorizers, func(parts, part, field, format string, args ...any) {
			d.Add(d.place(root, parts, part, field), format, args...)
		})
		d.unused(result.Authorizers)
	}
	return result
}

// parts returns the mapping of a kind of parts, an empty one if it has too many.
func (d *draft) parts(at document.Node, most int) document.Node {
	at = d.Mapping(at)
	if at.IsMapping() && len(at.Content)/2 > most {
		d.Add(at, "an API has at most %d %s, and this has %d", most, at.Place.Name, len(at.Content)/2)
		return at.Here()
	}
	return at
}

// named yields the parts of a kind whose names the document chooses.
func (d *draft) named(at document.Node, most int) iter.Seq2[string, document.Node] {
	return func(yield func(string, document.Node) bool) {
		for name, part := range d.parts(at, most).Fields() {
			if !expression.ConsistsOf(name, "_-") || len(name) > maxName {
				d.Add(part, "a name has letters, digits and _- only, at most %d", maxName)
			} else if !yield(name, part) {
				return
			}
		}
	}
}

const maxName = 64 // bytes

// place is where a field of a part stands, or would stand.
func (d *draft) place(root document.Node, parts, part, field string) document.Node {
	if part == "" {
		return root.Get(parts)
	}
	at := d.nodes[parts+"."+part]
	if field == "authorizerId" {
		field = "authorizer"
	}
	return at.Get(field)
}

var documentIntegrationFields = integrationFields.with(object[definition.RouteIntegration]{
	"integrationResponses": func(r *reader, at document.Node, in *definition.RouteIntegration) {
		for key, value := range r.Mapping(at).Fields() {
			a := &definition.RouteIntegrationResponse{Key: key}
			read(r, value, integrationResponseFields.with(object[definition.RouteIntegrationResponse]{
				"integrationResponseKey": nameIsKey[definition.RouteIntegrationResponse],
			}), a)
			r.finishIntegrationResponse(value, a)
			a.ID = definition.RouteResponseID(in.ID, a.Key)
			in.Responses = append(in.Responses, a)
		}
	},
})

// nameIsKey refuses the key of an object that has it as its name already.
func nameIsKey[T any](r *reader, at document.Node, _ *T) {
	r.Add(at, "the name before the colon is the key; remove it")
}

func (d *draft) integration(name string, at document.Node) {
	in := &definition.RouteIntegration{ID: definition.RouteIntegrationID(name)}
	d.nodes["integrations."+in.ID], d.names[in.ID] = at, name
	read(d.reader, at, documentIntegrationFields, in)
	d.finishIntegration(at, in)
	slices.SortFunc(in.Responses, func(a, b *definition.RouteIntegrationResponse) int { return cmp.Compare(a.Key, b.Key) })
	d.socket.Integrations = append(d.socket.Integrations, in)
}

var documentAuthorizerFields = authorizerFields.with(object[definition.Authorizer]{"name": nameIsKey[definition.Authorizer]})

func (d *draft) authorizer(name string, at document.Node) *definition.Authorizer {
	a := &definition.Authorizer{ID: definition.AuthorizerID(d.apiID, name), Name: name}
	d.nodes["authorizers."+a.ID], d.names[a.ID] = at, name
	read(d.reader, at, documentAuthorizerFields, a)
	d.finishAuthorizer(at, a)
	return a
}

// documentRouteFields name parts where those of operations have ids.
var documentRouteFields = routeFields.with(object[definition.Route]{
	"routeKey": nameIsKey[definition.Route],
	"authorizerId": func(r *reader, at document.Node, _ *definition.Route) {
		r.Add(at, "write authorizer and the name of one of the document's authorizers")
	},
	"authorizer": text(maxName, func(r *definition.Route) *string { return &r.AuthorizerID }),
	"routeResponses": func(r *reader, at document.Node, to *definition.Route) {
		for key, value := range r.Mapping(at).Fields() {
			a := &definition.RouteResponse{Key: key}
			read(r, value, routeResponseFields.with(object[definition.RouteResponse]{"routeResponseKey": nameIsKey[definition.RouteResponse]}), a)
			if key != definition.RouteDefault {
				r.Add(value, "%q is not supported; a route has the response %s, or none", document.Clip(key), definition.RouteDefault)
			}
			to.Responses = append(to.Responses, a)
		}
	},
})

func (d *draft) route(key string, at document.Node) {
	route := &definition.Route{ID: definition.RouteID(key), Key: key}
	d.nodes["routes."+key] = at
	read(d.reader, at, documentRouteFields, route)
	authorizer := route.AuthorizerID
	if authorizer != "" && route.AuthorizationType != definition.AuthCustom {
		d.Add(at.Get("authorizer"), "an authorizer is for authorizationType CUSTOM")
	}
	d.finishRoute(at, route)
	if authorizer != "" {
		route.AuthorizerID = d.reference(at.Get("authorizer"), "authorizers", authorizer, definition.AuthorizerID(d.apiID, authorizer))
	}
	if name, ok := strings.CutPrefix(route.Target, definition.IntegrationTarget("")); ok {
		route.Target = definition.IntegrationTarget(d.reference(at.Get("target"), "integrations", name, definition.RouteIntegrationID(name)))
	}
	switch answers := route.ResponseSelectionExpression != ""; {
	case answers && len(route.Responses) == 0:
		route.Responses = []*definition.RouteResponse{{Key: definition.RouteDefault}}
	case !answers && len(route.Responses) > 0:
		d.Add(at.Get("routeResponses"), "without routeResponseSelectionExpression: %s the route does not answer", definition.RouteDefault)
	}
	for _, a := range route.Responses {
		a.ID = definition.RouteResponseID(route.ID, a.Key)
	}
	d.socket.Routes = append(d.socket.Routes, route)
}

// reference returns the id of the part of that name, which has to be there.
func (d *draft) reference(at document.Node, parts, name, id string) string {
	if _, ok := d.nodes[parts+"."+id]; !ok {
		known := map[string]bool{}
		for id, name := range d.names {
			if _, ok := d.nodes[parts+"."+id]; ok {
				known[name] = true
			}
		}
		d.Add(at, "there is no %q among the %s%s", document.Clip(name), parts, document.DidYouMean(name, known))
	}
	return id
}

// unused warns of parts that nothing refers to.
func (d *draft) unused(authorizers []*definition.Authorizer) {
	used := map[string]bool{}
	for _, route := range d.socket.Routes {
		used[strings.TrimPrefix(route.Target, definition.IntegrationTarget(""))], used[route.AuthorizerID] = true, true
	}
	for _, in := range d.socket.Integrations {
		if !used[in.ID] {
			d.Warn(d.nodes["integrations."+in.ID], "no route points at it")
		}
	}
	for _, a := range authorizers {
		if !used[a.ID] {
			d.Warn(d.nodes["authorizers."+a.ID], "no route uses it")
		}
	}
}
