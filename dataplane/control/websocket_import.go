package control

import (
	"net/url"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

// importWebSocketAPI makes an API of a document. AWS has no such operation: it is
// ImportRestApi for WebSocket APIs.
func (s *Server) importWebSocketAPI(r *request) (int, any, error) {
	failOnWarnings, err := webSocketImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	catalog := s.gateway.Catalog()
	id := newID(10, func(id string) bool { return catalog.APIs[id] != nil })
	result, err := s.parseWebSocket(r.body, id, failOnWarnings)
	if err != nil {
		return 0, nil, err
	}
	a := &definition.API{ID: id, Protocol: definition.ProtocolWebSocket, EndpointType: definition.EndpointRegional, CreatedDate: s.now().UTC()}
	adoptDocument(a, result)
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		if c.APIs[id] != nil {
			return definition.Change{}, conflict("The identifier %s was taken meanwhile: try again", id)
		}
		return definition.Change{PutAPIs: []*definition.API{a}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = id
	return s.answerWebSocketAPI(201, a)
}

// putWebSocketAPI puts a document in place of all that an API has, but for tags
// that it does not mention.
func (s *Server) putWebSocketAPI(r *request) (int, any, error) {
	failOnWarnings, err := webSocketImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	if _, err := s.webSocketAPI(s.gateway.Catalog(), r.apiID()); err != nil {
		return 0, nil, err
	}
	result, err := s.parseWebSocket(r.body, r.apiID(), failOnWarnings)
	if err != nil {
		return 0, nil, err
	}
	var next *definition.API
	err = s.deployingUpdate(func(c *definition.Catalog) (*definition.API, error) {
		a, err := s.webSocketAPI(c, r.apiID())
		if err != nil {
			return nil, err
		}
		kept := *a
		next = &kept
		adoptDocument(next, result)
		return next, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return s.answerWebSocketAPI(200, next)
}

func webSocketImportQuery(q url.Values) (failOnWarnings bool, err error) {
	for name, values := range q {
		switch value := values[len(values)-1]; strings.ToLower(name) {
		case "mode":
			if value != "overwrite" {
				return false, badRequest("Invalid mode: %s. Must be one of: [overwrite]", value)
			}
		case "failonwarnings":
			if value != "true" && value != "false" {
				return false, badRequest("Invalid failonwarnings: %s. Must be one of: [true, false]", value)
			}
			failOnWarnings = value == "true"
		default:
			return false, unsupported("import parameter " + name)
		}
	}
	return failOnWarnings, nil
}

func (s *Server) webSocketOptions(apiID string) websocketapi.Options {
	return websocketapi.Options{
		MaxTimeoutMillis: s.options.MaxTimeoutMillis, APIID: apiID,
		AccountID: s.options.AccountID, Partition: s.options.Partition, Region: s.options.Region,
	}
}

func (s *Server) parseWebSocket(text []byte, apiID string, failOnWarnings bool) (*websocketapi.Result, error) {
	result, err := websocketapi.Parse(text, s.webSocketOptions(apiID))
	switch {
	case err != nil:
		return nil, badRequest("Invalid WebSocket API input. Errors found during import:\n\t%s", indent(err.Error()))
	case failOnWarnings && len(result.Warnings) > 0:
		return nil, badRequest("Warnings found during import:\n\t%s", strings.Join(result.Warnings, "\n\t"))
	}
	if err := checkTags(result.Tags); err != nil {
		return nil, err
	}
	for _, a := range result.Authorizers {
		if err := s.checkAuthorizer(a); err != nil {
			return nil, badRequest("Authorizer %q: %v", a.Name, err.(*Error).Message)
		}
	}
	return result, nil
}

// adoptDocument makes a what the document says it is.
func adoptDocument(a *definition.API, result *websocketapi.Result) {
	ws := *result.Body.WebSocket
	adoptProperties(a, &ws, &result.API)
	a.Warnings, a.Authorizers = result.Warnings, result.Authorizers
	if len(result.Tags) > 0 {
		a.Tags = result.Tags
	}
	a.Body = sealedWebSocket(a, ws)
}
