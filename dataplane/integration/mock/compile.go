package mock

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/template"
)

// anyMediaType is the key of the request template for every other media type.
const anyMediaType = "$default"

// Compile resolves a method with a MOCK integration; variables are those of
// the stage.
//
// What AWS finds out only when the method is called (a request template without
// an integer statusCode, a status that no integration response takes, a
// response that the method does not declare) is a ConfigurationError of the
// requests concerned. An error of Compile is what could not be answered
// correctly at all.
func Compile(m *definition.Method, variables map[string]string) (*Mock, error) {
	in := m.Integration
	if in == nil || in.Type != definition.IntegrationMock {
		return nil, fmt.Errorf("the integration's type is not %s", definition.IntegrationMock)
	}
	c := compiler{method: m, variables: variables}
	for _, r := range in.Responses {
		if err := c.response(r); err != nil {
			return nil, fmt.Errorf("integration response %s: %w", r.StatusCode, err)
		}
	}
	mock := &Mock{other: c.passthrough()}
	for _, key := range slices.Sorted(maps.Keys(in.RequestTemplates)) {
		text := in.RequestTemplates[key]
		if construct := template.Construct(text); construct != "" {
			return nil, fmt.Errorf("request template %s: %q: only constant templates are supported", key, construct)
		}
		reply := c.selectReply(text)
		if key == anyMediaType {
			mock.other = reply
		} else {
			mock.requests = append(mock.requests, request{strings.ToLower(key), reply})
		}
	}
	mock.plain, _ = mock.Answer(nil, nil)
	return mock, nil
}

type compiler struct {
	method    *definition.Method
	variables map[string]string
	choices   []choice
}

// choice is an integration response with its selection pattern; nil selects
// what no other one does.
type choice struct {
	pattern *regexp.Regexp
	reply   *reply
}

var configurationError = &reply{outcome: ConfigurationError}

// passthrough is the reply to a media type without a template. When the body
// is passed through it is not read for a statusCode, as the client would then
// choose the answer: the mock has none.
func (c *compiler) passthrough() *reply {
	in := c.method.Integration
	switch in.PassthroughBehavior {
	case "NEVER":
		return &reply{outcome: UnsupportedMediaType}
	case "WHEN_NO_TEMPLATES":
		if len(in.RequestTemplates) > 0 {
			return &reply{outcome: UnsupportedMediaType}
		}
	}
	return configurationError
}

// selectReply renders a request template and follows the status it gives.
func (c *compiler) selectReply(template string) *reply {
	status, ok := TemplateStatus(template)
	if !ok {
		return configurationError
	}
	for _, choice := range c.choices {
		if choice.pattern != nil && choice.pattern.MatchString(strconv.Itoa(status)) {
			return choice.reply
		}
	}
	for _, choice := range c.choices {
		if choice.pattern == nil {
			return choice.reply
		}
	}
	return configurationError
}

// response compiles one integration response into a choice.
func (c *compiler) response(r *definition.IntegrationResponse) error {
	var pattern *regexp.Regexp
	if r.SelectionPattern != "" {
		var err error
		// The pattern is for the whole status.
		if pattern, err = regexp.Compile(`^(?:` + r.SelectionPattern + `)$`); err != nil {
			return fmt.Errorf("selection pattern %q: %w; write it in RE2 syntax", r.SelectionPattern, err)
		}
	}
	reply, err := c.reply(r)
	if err != nil {
		return err
	}
	c.choices = append(c.choices, choice{pattern, reply})
	return nil
}

func (c *compiler) reply(r *definition.IntegrationResponse) (*reply, error) {
	declared, ok := c.method.Responses[r.StatusCode]
	if !ok {
		return configurationError, nil
	}
	status, err := strconv.Atoi(r.StatusCode)
	if err != nil || status < 200 || status > 599 {
		return nil, fmt.Errorf("status code %q is not a number from 200 to 599", r.StatusCode)
	}
	answer := Answer{Status: status, ContentType: defaultMediaType}
	if err := c.headers(&answer, r.ResponseParameters, declared); err != nil {
		return nil, err
	}
	out := &reply{}
	for _, key := range slices.Sorted(maps.Keys(r.ResponseTemplates)) {
		text := r.ResponseTemplates[key]
		if construct := template.Construct(text); construct != "" {
			return nil, fmt.Errorf("response template %s: %q: only constant templates are supported", key, construct)
		}
		one := answer
		if status != http.StatusNoContent && status != http.StatusNotModified {
			one.Body = []byte(text)
		}
		v := variant{strings.ToLower(key), &one}
		if v.mediaType == defaultMediaType {
			out.variants = slices.Insert(out.variants, 0, v)
		} else {
			out.variants = append(out.variants, v)
		}
	}
	if len(out.variants) == 0 {
		out.variants = []variant{{defaultMediaType, &answer}}
	}
	return out, nil
}
