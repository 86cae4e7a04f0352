package openapi

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// requestParameters reads the mapping from what a method gets to what its
// integration is sent.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
func (r *reader) requestParameters(at document.Node, m *definition.Method, b *branch) map[string]string {
	var out map[string]string
	for target, source := range r.Mapping(at).Fields() {
		if isHTTPAPIKey(target) {
			r.Add(source, "the mapping key %q is not supported; %s with integration.request.header.NAME", document.Clip(target), httpAPIFix)
			continue
		}
		if err := expression.CheckTarget(target, "integration.request.", "path", "querystring", "header"); err != nil {
			r.Add(source, "%s", err)
			continue
		}
		if !source.IsText() {
			// API Gateway's own words; it imports the rest too.
			r.Warn(source, "Invalid format for 'requestParameters'. Expected type string for property '%s' of resource '%s' and method '%s' but got '%s'",
				document.Clip(target), b.path, m.HTTPMethod, document.Clip(source.Value))
			continue
		}
		if err := expression.CheckSource(source.Value, "method.request.", "path", "querystring", "header", "multivaluequerystring", "multivalueheader"); err != nil {
			r.Add(source, "%s", err)
			continue
		}
		r.declared(source, m, b)
		if out == nil {
			out = map[string]string{}
		}
		out[target] = source.Value
	}
	return out
}

// declared checks that the method has the parameter that a mapping reads.
func (r *reader) declared(source document.Node, m *definition.Method, b *branch) {
	if !strings.HasPrefix(source.Value, "method.request.") {
		return
	}
	single := strings.Replace(source.Value, "method.request.multivalue", "method.request.", 1)
	if name, path := strings.CutPrefix(single, "method.request.path."); path {
		if !b.hasVariable(name) {
			r.Add(source, "the path has no {%s}", document.Clip(name))
			return
		}
		declare(m, single, true)
	} else if _, ok := m.RequestParameters[single]; !ok {
		r.Warn(source, "%q is not among the operation's parameters; API Gateway refuses that", document.Clip(source.Value))
	}
}

func declare(m *definition.Method, parameter string, required bool) {
	if m.RequestParameters == nil {
		m.RequestParameters = map[string]bool{}
	}
	m.RequestParameters[parameter] = required
}

// responseParameters reads the mapping from an upstream's answer to the
// method's. declared are the headers of the method response.
func (r *reader) responseParameters(at document.Node, declared []string, isDeclared bool) map[string]string {
	var out map[string]string
	for target, source := range r.Mapping(at).Fields() {
		if isHTTPAPIKey(target) {
			r.Add(source, "the mapping key %q is not supported; %s with method.response.header.NAME", document.Clip(target), httpAPIFix)
			continue
		}
		if err := expression.CheckTarget(target, "method.response.", "header"); err != nil {
			r.Add(source, "%s", err)
			continue
		}
		if isDeclared && !slices.Contains(declared, target) {
			r.Add(source, "the operation's response does not declare this header; add it to its headers")
			continue
		}
		if !source.IsText() {
			r.Add(source, "must be a text; a literal has single quotes inside the double ones: \"'*'\"")
			continue
		}
		if err := expression.CheckSource(source.Value, "integration.response.", "header", "multivalueheader"); err != nil {
			r.Add(source, "%s", err)
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[target] = source.Value
	}
	return out
}

// isHTTPAPIKey reports a mapping key of an HTTP API, such as "append:header.x".
func isHTTPAPIKey(key string) bool {
	for _, verb := range []string{"append:", "overwrite:", "remove:"} {
		if strings.HasPrefix(key, verb) {
			return true
		}
	}
	return false
}
