package openapi

import (
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// integrationResponses reads how an upstream's status becomes the method's
// answer. The keys are patterns for the whole status; "default" is for a
// status that none matches.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration-responses.html
func (r *reader) integrationResponses(at document.Node, m *definition.Method) []*definition.IntegrationResponse {
	var out []*definition.IntegrationResponse
	byStatus := map[string]string{} // the pattern that leads to a status code
	seen := map[string]bool{}
	for pattern, value := range r.Mapping(at).Fields() {
		if value.Absent() {
			continue
		}
		if pattern == "default" {
			pattern = ""
		}
		if seen[pattern] {
			r.Add(value, `"default" and the empty pattern are the same; keep one`)
			continue
		}
		seen[pattern] = true
		if err := expression.CheckPattern(pattern); err != nil {
			r.Add(value, "%s", err)
			continue
		}
		response := r.integrationResponse(r.Mapping(value), m)
		response.SelectionPattern = pattern
		if other, twice := byStatus[response.StatusCode]; twice && response.StatusCode != "" {
			r.Add(value, "status code %s already belongs to the pattern %q; API Gateway keeps one pattern for each, so join them with |", response.StatusCode, document.Clip(other))
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

func (r *reader) integrationResponse(at document.Node, m *definition.Method) *definition.IntegrationResponse {
	for name, value := range at.Fields() {
		if !responseFields[name] {
			r.Add(value, "unknown field%s", document.DidYouMean(name, responseFields))
		}
	}
	r.unsupported(at, "contentHandling", "bodies pass as they are; remove it")
	status := at.Get("statusCode")
	code := r.Text(status)
	if !isStatus(code) {
		r.Add(status, "%q is not a status code from 200 to 599", document.Clip(code))
		code = ""
	}
	headers, declared := m.Responses[code]
	if !declared && code != "" {
		r.Warn(status, "the operation has no response %s: the method answers 500 where it would give this one, as API Gateway does", code)
	}
	return &definition.IntegrationResponse{
		StatusCode:         code,
		ResponseParameters: r.responseParameters(at.Get("responseParameters"), headers, declared),
		ResponseTemplates:  r.templates(at.Get("responseTemplates")),
	}
}
