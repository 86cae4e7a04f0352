package openapi

import (
	"regexp/syntax"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// integrationResponses reads how an upstream's status becomes the method's
// answer. The keys are patterns for the whole status; "default" is for a
// status that none matches.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration-responses.html
func (r *reader) integrationResponses(at node, m *definition.Method) []*definition.IntegrationResponse {
	var out []*definition.IntegrationResponse
	byStatus := map[string]string{} // the pattern that leads to a status code
	seen := map[string]bool{}
	for pattern, value := range r.mapping(at).fields() {
		if value.absent() {
			continue
		}
		if pattern == "default" {
			pattern = ""
		}
		if seen[pattern] {
			r.add(value, `"default" and the empty pattern are the same; keep one`)
			continue
		}
		seen[pattern] = true
		if problem := checkPattern(pattern); problem != "" {
			r.add(value, "%s", problem)
			continue
		}
		response := r.integrationResponse(r.mapping(value), m)
		response.SelectionPattern = pattern
		if other, twice := byStatus[response.StatusCode]; twice && response.StatusCode != "" {
			r.add(value, "status code %s already belongs to the pattern %q; API Gateway keeps one pattern for each, so join them with |", response.StatusCode, clip(other))
			continue
		}
		byStatus[response.StatusCode] = pattern
		out = append(out, response)
	}
	return out
}

var responseFields = map[string]bool{
	"statusCode": true, "responseParameters": true, "responseTemplates": true, "contentHandling": true,
}

func (r *reader) integrationResponse(at node, m *definition.Method) *definition.IntegrationResponse {
	for name, value := range at.fields() {
		if !responseFields[name] {
			r.add(value, "unknown field%s", didYouMean(name, responseFields))
		}
	}
	r.unsupported(at, "contentHandling", "bodies pass as they are; remove it")
	status := at.get("statusCode")
	code := r.text(status)
	if !isStatus(code) {
		r.add(status, "%q is not a status code from 200 to 599", clip(code))
		code = ""
	}
	headers, declared := m.Responses[code]
	if !declared && code != "" {
		r.warn(status, "the operation has no response %s: the method answers 500 where it would give this one, as API Gateway does", code)
	}
	return &definition.IntegrationResponse{
		StatusCode:         code,
		ResponseParameters: r.responseParameters(at.get("responseParameters"), headers, declared),
		ResponseTemplates:  r.templates(at.get("responseTemplates")),
	}
}

// Bounds on a selection pattern. What it matches has three digits; a short
// pattern with nested repetition can compile to megabytes.
const (
	maxPatternBytes = 512
	maxPatternSize  = 5_000
)

// checkPattern returns what is wrong with a selection pattern, or "".
func checkPattern(pattern string) string {
	if len(pattern) > maxPatternBytes {
		return "a selection pattern has at most 512 bytes"
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return `the pattern cannot be matched in linear time or is not a regular expression (` +
			strings.TrimPrefix(err.Error(), "error parsing regexp: ") + `); write it in RE2 syntax, without lookaround, backreferences or possessive repetition`
	}
	if patternSize(re) > maxPatternSize {
		return "the pattern repeats too much for a status of three digits; simplify it"
	}
	return ""
}

// patternSize estimates the instructions that a pattern compiles to.
func patternSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		size += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return min(size, maxPatternSize+1)
}
