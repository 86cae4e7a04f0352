package openapi

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// cacheKey reads the parameters that tell the entries of a cache apart: what the
// method declares, or what the integration maps. Anything else would leave the
// key without it, and one caller with the answer of another.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html#enable-api-gateway-caching-keys
func (r *reader) cacheKey(at document.Node, in *definition.Integration, m *definition.Method, b *branch) []string {
	var out []string
	for _, item := range r.List(at).Items() {
		if r.isCacheKey(item, in, m, b) {
			out = append(out, item.Value)
		}
	}
	return out
}

func (r *reader) isCacheKey(item document.Node, in *definition.Integration, m *definition.Method, b *branch) bool {
	if !item.IsText() {
		r.Add(item, "must be a text, such as method.request.querystring.page")
		return false
	}
	kind, rest, _ := strings.Cut(item.Value, ".request.")
	place, name, _ := strings.Cut(rest, ".")
	switch {
	case kind != "method" && kind != "integration", !slices.Contains([]string{"path", "querystring", "header"}, place), !expression.IsName(name):
		r.Add(item, "%q is not a part of a cache key; use method.request.{path|querystring|header}.NAME or integration.request.{path|querystring|header}.NAME", document.Clip(item.Value))
		return false
	case kind == "integration":
		if _, mapped := in.RequestParameters[item.Value]; !mapped {
			r.Add(item, "%q is not among requestParameters; map it there, or name a parameter of the operation%s", document.Clip(item.Value), document.DidYouMean(item.Value, in.RequestParameters))
			return false
		}
	case place == "path":
		if !b.hasVariable(name) {
			r.Add(item, "the path has no {%s}; name one of its parameters", document.Clip(name))
			return false
		}
		declare(m, item.Value, true)
	default:
		if _, declared := m.RequestParameters[item.Value]; !declared {
			r.Add(item, "%q is not among the operation's parameters; declare it there%s", document.Clip(item.Value), document.DidYouMean(item.Value, m.RequestParameters))
			return false
		}
	}
	return true
}
