package websocketapi

import (
	"fmt"
	"maps"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

const maxKey = 128 // bytes of a route key

var routeFields = object[definition.Route]{
	"routeKey":          text(maxKey, func(r *definition.Route) *string { return &r.Key }),
	"operationName":     text(64, func(r *definition.Route) *string { return &r.OperationName }),
	"target":            text(128, func(r *definition.Route) *string { return &r.Target }),
	"authorizationType": routeAuthorization,
	"authorizerId":      text(64, func(r *definition.Route) *string { return &r.AuthorizerID }),
	"apiKeyRequired":    flag(func(r *definition.Route) *bool { return &r.APIKeyRequired }),
	"requestParameters": routeParameters,

	"routeResponseSelectionExpression": defaultOnly(func(r *definition.Route) *string { return &r.ResponseSelectionExpression }),

	"authorizationScopes":      refused[definition.Route]("scopes are for tokens of JWT authorizers, which belong to HTTP APIs; remove it"),
	"modelSelectionExpression": refused[definition.Route](noModels),
	"requestModels":            refused[definition.Route](noModels),
}

// ReadRoute reads the body of CreateRoute or UpdateRoute into to. What the body
// does not mention stays. An error is a *document.Errors.
func ReadRoute(body []byte, to *definition.Route) error {
	return readBody(body, 0, func(r *reader, root document.Node) {
		read(r, root, routeFields, to)
		r.finishRoute(root, to)
	})
}

// finishRoute looks whether the fields of a route fit together. at is where those
// stand that were read.
func (r *reader) finishRoute(at document.Node, to *definition.Route) {
	if to.Key == "" {
		r.Add(at.Get("routeKey"), "missing; it is what messages choose the route by")
	} else if err := checkKey(to.Key); err != nil {
		r.Add(at.Get("routeKey"), "%s", err)
	}
	if id, ok := strings.CutPrefix(to.Target, definition.IntegrationTarget("")); to.Target != "" && (!ok || id == "") {
		r.Add(at.Get("target"), "%q is not a target; write integrations/ and the integration", document.Clip(to.Target))
	}
	custom := to.AuthorizationType == definition.AuthCustom
	switch {
	case custom && to.AuthorizerID == "":
		r.Add(at.Get("authorizationType"), "CUSTOM needs an authorizer")
	case !custom && to.AuthorizerID != "" && !at.Get("authorizerId").Absent():
		r.Add(at.Get("authorizerId"), "an authorizer is for authorizationType CUSTOM")
	case !custom:
		to.AuthorizerID = "" // it was for the type that was there before
	}
	if to.Key == definition.RouteConnect {
		return
	}
	if to.AuthorizationType != "" && to.AuthorizationType != definition.AuthNone {
		r.Add(at.Get("authorizationType"), "only %s authorizes callers: what a connection may do is settled when it begins", definition.RouteConnect)
	}
	if len(to.RequestParameters) > 0 {
		r.Add(at.Get("requestParameters"), "only %s has a request with parameters", definition.RouteConnect)
	}
	if to.Key == definition.RouteDisconnect && to.ResponseSelectionExpression != "" {
		r.Add(at.Get("routeResponseSelectionExpression"), "%s cannot answer: nobody is there any more", definition.RouteDisconnect)
	}
}

// checkKey takes a text that a message may choose, or one of the three keys of
// AWS.
func checkKey(key string) error {
	switch {
	case key == definition.RouteConnect, key == definition.RouteDisconnect, key == definition.RouteDefault:
		return nil
	case !definition.SelectsRoute(key):
		return fmt.Errorf("%.200q is not a route key; those that begin with $ are %s, %s and %s", key, definition.RouteConnect, definition.RouteDisconnect, definition.RouteDefault)
	case len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return fmt.Errorf("%.200q is not a route key; it has at most %d bytes and no control characters", key, maxKey)
	}
	return nil
}

func routeAuthorization(r *reader, at document.Node, to *definition.Route) {
	switch kind := strings.ToUpper(r.Text(at)); kind {
	case "", definition.AuthNone:
		to.AuthorizationType = ""
	case definition.AuthIAM, definition.AuthCustom:
		to.AuthorizationType = kind
	case definition.AuthJWT:
		r.Add(at, "JWT is not supported: it belongs to HTTP APIs; use CUSTOM with an authorizer of type REQUEST")
	default:
		r.Add(at, "%q is unknown; use NONE, AWS_IAM or CUSTOM", document.Clip(at.Value))
	}
}

// routeParameters reads what $connect declares: by name, {required: true}.
func routeParameters(r *reader, at document.Node, to *definition.Route) {
	all := maps.Clone(to.RequestParameters)
	for name, value := range r.Mapping(at).Fields() {
		if err := expression.CheckTarget(name, "route.request.", "querystring", "header"); err != nil {
			r.Add(value, "%s", err)
			continue
		}
		var required bool
		read(r, value, object[bool]{"required": flag(func(b *bool) *bool { return b })}, &required)
		if all == nil {
			all = map[string]bool{}
		}
		all[name] = required
	}
	to.RequestParameters = all
}

// defaultOnly reads an expression that can only be "$default".
func defaultOnly[T any](to func(*T) *string) field[T] {
	return func(r *reader, at document.Node, v *T) {
		s := strings.TrimPrefix(r.Text(at), `\`)
		if s != "" && s != definition.RouteDefault {
			r.Add(at, "%q is not supported; it is %s, or empty", document.Clip(at.Value), definition.RouteDefault)
			return
		}
		*to(v) = s
	}
}

var routeResponseFields = object[definition.RouteResponse]{
	"routeResponseKey":         defaultOnly(func(r *definition.RouteResponse) *string { return &r.Key }),
	"modelSelectionExpression": refused[definition.RouteResponse](noModels),
	"responseModels":           refused[definition.RouteResponse](noModels),
	"responseParameters":       refused[definition.RouteResponse]("messages have no parameters, and the answer to a connection has those of its integration; remove it"),
}

// ReadRouteResponse is ReadRoute for a route response.
func ReadRouteResponse(body []byte, to *definition.RouteResponse) error {
	return readBody(body, 0, func(r *reader, root document.Node) {
		read(r, root, routeResponseFields, to)
		if to.Key == "" {
			r.Add(root.Get("routeResponseKey"), "missing; it is %s", definition.RouteDefault)
		}
	})
}
