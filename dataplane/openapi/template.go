package openapi

import (
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// templates reads constant texts by media type.
func (r *reader) templates(at document.Node) map[string]string {
	var out map[string]string
	for mediaType, text := range r.Mapping(at).Fields() {
		body := r.Text(text)
		if err := expression.CheckTemplate(body); err != nil {
			r.Add(text, "%s", err)
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[mediaType] = body
	}
	return out
}

// requestTemplates reads those of a mock, which choose its status code.
func (r *reader) requestTemplates(at document.Node, integrationType string) map[string]string {
	if integrationType == definition.IntegrationMock {
		if at.Absent() || at.IsEmpty() {
			r.Warn(at, `without a template such as {"statusCode": 200} a mock answers 500, as API Gateway's does`)
		}
		templates := r.templates(at)
		for mediaType, text := range at.Fields() {
			if body, ok := templates[mediaType]; ok && !expression.GivesStatus(body) {
				r.Add(text, `must be JSON with a whole number as statusCode, such as {"statusCode": 200}`)
			}
		}
		return templates
	}
	if !at.Absent() && !at.IsEmpty() {
		if integrationType == definition.IntegrationHTTPProxy {
			r.Warn(at, "has no effect: http_proxy passes bodies as they are")
		} else {
			r.Add(at, "request templates of http integrations are not supported yet; bodies pass as they are")
		}
	}
	return nil
}
