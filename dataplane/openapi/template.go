package openapi

import (
	"encoding/json"
	"regexp"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// maxTemplateBytes is API Gateway's limit on one mapping template.
const maxTemplateBytes = 300 << 10

// velocity finds what the Velocity template language would evaluate: a
// reference ($input, ${x}, $!x), a directive or a comment. A dollar sign
// before a digit and a hash before a colour are plain text to Velocity too. A
// backslash before one of them is an escape that Velocity would take away, so
// it is not constant either.
var velocity = regexp.MustCompile(`\$!?\{?[A-Za-z_]` +
	`|#\{?(?:set|if|elseif|foreach|include|parse|macro|evaluate|define)\}?\s*\(` +
	`|#\{?(?:stop|break|end|else)\}?(?:\W|$)` +
	`|#[#*@]|#\[\[`)

// templates reads constant texts by media type.
func (r *reader) templates(at node) map[string]string {
	var out map[string]string
	for mediaType, text := range r.mapping(at).fields() {
		body := r.text(text)
		if found := velocity.FindString(body); found != "" {
			r.add(text, "mapping templates are not supported yet: %q would have to be evaluated; write a constant text", found)
			continue
		}
		if len(body) > maxTemplateBytes {
			r.add(text, "a template has at most %d bytes", maxTemplateBytes)
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
func (r *reader) requestTemplates(at node, integrationType string) map[string]string {
	if integrationType == definition.IntegrationMock {
		if at.absent() || at.isEmpty() {
			r.warn(at, `without a template such as {"statusCode": 200} a mock answers 500, as API Gateway's does`)
		}
		templates := r.templates(at)
		for mediaType, text := range at.fields() {
			if body, ok := templates[mediaType]; ok && !givesStatus(body) {
				r.add(text, `must be JSON with a whole number as statusCode, such as {"statusCode": 200}`)
			}
		}
		return templates
	}
	if !at.absent() && !at.isEmpty() {
		if integrationType == definition.IntegrationHTTPProxy {
			r.warn(at, "has no effect: http_proxy passes bodies as they are")
		} else {
			r.add(at, "request templates of http integrations are not supported yet; bodies pass as they are")
		}
	}
	return nil
}

// lenientStatus finds the statusCode in what is not quite JSON: API Gateway
// takes unquoted names and single quotes, as in {statusCode: 200}.
var lenientStatus = regexp.MustCompile(`(?s)^\s*\{(?:.*,)?\s*['"]?statusCode['"]?\s*:\s*\d+\s*(?:,.*)?\}\s*$`)

func givesStatus(text string) bool {
	var object struct {
		StatusCode *int `json:"statusCode"`
	}
	if err := json.Unmarshal([]byte(text), &object); err == nil {
		return object.StatusCode != nil
	}
	return !json.Valid([]byte(text)) && lenientStatus.MatchString(text)
}
