package openapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// requestParameters reads the mapping from what a method gets to what its
// integration is sent.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
func (r *reader) requestParameters(at node, m *definition.Method, b *branch) map[string]string {
	var out map[string]string
	for target, source := range r.mapping(at).fields() {
		if isHTTPAPIKey(target) {
			r.add(source, "the mapping key %q is not supported; %s with integration.request.header.NAME", clip(target), httpAPIFix)
			continue
		}
		if err := checkTarget(target, "integration.request.", "path", "querystring", "header"); err != nil {
			r.add(source, "%s", err)
			continue
		}
		if !source.isText() {
			// API Gateway's own words; it imports the rest too.
			r.warn(source, "Invalid format for 'requestParameters'. Expected type string for property '%s' of resource '%s' and method '%s' but got '%s'",
				clip(target), b.path, m.HTTPMethod, clip(source.Value))
			continue
		}
		if err := checkSource(source.Value, "method.request.", "path", "querystring", "header", "multivaluequerystring", "multivalueheader"); err != nil {
			r.add(source, "%s", err)
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
func (r *reader) declared(source node, m *definition.Method, b *branch) {
	if !strings.HasPrefix(source.Value, "method.request.") {
		return
	}
	single := strings.Replace(source.Value, "method.request.multivalue", "method.request.", 1)
	if name, path := strings.CutPrefix(single, "method.request.path."); path {
		if !b.hasVariable(name) {
			r.add(source, "the path has no {%s}", clip(name))
			return
		}
		declare(m, single, true)
	} else if _, ok := m.RequestParameters[single]; !ok {
		r.warn(source, "%q is not among the operation's parameters; API Gateway refuses that", clip(source.Value))
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
func (r *reader) responseParameters(at node, declared []string, isDeclared bool) map[string]string {
	var out map[string]string
	for target, source := range r.mapping(at).fields() {
		if isHTTPAPIKey(target) {
			r.add(source, "the mapping key %q is not supported; %s with method.response.header.NAME", clip(target), httpAPIFix)
			continue
		}
		if err := checkTarget(target, "method.response.", "header"); err != nil {
			r.add(source, "%s", err)
			continue
		}
		if isDeclared && !slices.Contains(declared, target) {
			r.add(source, "the operation's response does not declare this header; add it to its headers")
			continue
		}
		if !source.isText() {
			r.add(source, "must be a text; a literal has single quotes inside the double ones: \"'*'\"")
			continue
		}
		if err := checkSource(source.Value, "integration.response.", "header", "multivalueheader"); err != nil {
			r.add(source, "%s", err)
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

func checkTarget(target, prefix string, places ...string) error {
	rest, ok := strings.CutPrefix(target, prefix)
	place, name, _ := strings.Cut(rest, ".")
	if ok && slices.Contains(places, place) && isName(name) {
		return nil
	}
	return fmt.Errorf("a mapping key is %s{%s}.NAME, and a name has letters, digits and ._$- only", prefix, strings.Join(places, "|"))
}

// checkSource checks a mapping expression.
func checkSource(source, prefix string, places ...string) error {
	if source != "" && source[0] == '\'' {
		return checkLiteral(source)
	}
	if name, ok := strings.CutPrefix(source, "stageVariables."); ok && isVariableName(name) {
		return nil
	}
	if name, ok := strings.CutPrefix(source, "context."); ok && isContextName(name) {
		return nil
	}
	if rest, ok := strings.CutPrefix(source, prefix); ok {
		place, name, _ := strings.Cut(rest, ".")
		if place == "body" {
			return fmt.Errorf("mapping from a body (%q) is not supported yet", clip(source))
		}
		if slices.Contains(places, place) && isName(name) {
			return nil
		}
	}
	if strings.HasPrefix(source, "$") {
		return fmt.Errorf("the mapping expression %q is not supported; %s", clip(source), httpAPIFix)
	}
	return fmt.Errorf("%q is not a mapping expression; use %s{%s}.NAME, stageVariables.NAME, context.NAME or a literal in single quotes",
		clip(source), prefix, strings.Join(places, "|"))
}

// isContextName reports the name of a context variable. Claims may be named
// "cognito:groups" or "https://example.com/roles".
func isContextName(name string) bool {
	said, ok := strings.CutPrefix(name, "authorizer.")
	return isName(name) || ok && consistsOf(said, "._$-:/")
}

func checkLiteral(source string) error {
	if len(source) < 2 || source[len(source)-1] != '\'' {
		return fmt.Errorf("the literal %q does not end with a single quote", clip(source))
	}
	for i := range len(source) {
		if c := source[i]; c < ' ' && c != '\t' || c == 0x7f {
			return errors.New("a literal may not hold line breaks or other control characters")
		}
	}
	return nil
}
