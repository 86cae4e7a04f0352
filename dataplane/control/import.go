package control

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/openapi"
)

// importQuery is what the query string of an import may say. Anything else is
// refused, because it would be lost silently.
type importQuery struct {
	basePath       string
	endpointType   string // empty: what the document says
	failOnWarnings bool
}

func parseImportQuery(q url.Values) (importQuery, error) {
	var out importQuery
	for name, values := range q {
		value := values[len(values)-1]
		switch strings.ToLower(name) {
		case "mode": // the operation's own
		case "basepath":
			out.basePath = value
			if !slices.Contains([]string{openapi.BasePathIgnore, openapi.BasePathPrepend, openapi.BasePathSplit}, value) {
				return out, badRequest("Invalid basepath: %s. Must be one of: [ignore, prepend, split]", value)
			}
		case "failonwarnings":
			if !slices.Contains([]string{"true", "false"}, value) {
				return out, badRequest("Invalid failonwarnings: %s. Must be one of: [true, false]", value)
			}
			out.failOnWarnings = value == "true"
		case "ignore":
			if value != "documentation" {
				return out, unsupported("import parameter ignore=" + value)
			}
		case "endpointconfigurationtypes":
			in := &endpointInput{Types: values}
			if err := validation(in.violations("importRestApiInput")); err != nil {
				return out, err
			}
			kind, err := in.endpointType()
			if err != nil {
				return out, err
			}
			out.endpointType = kind
		default:
			return out, unsupported("import parameter " + name)
		}
	}
	return out, nil
}

// parse reads the document of an import. What is wrong with it is the
// caller's, and named line by line.
func (s *Server) parse(document []byte, apiID string, q importQuery) (*openapi.Result, error) {
	result, err := openapi.Parse(document, openapi.Options{
		BasePath: q.basePath, MaxTimeoutMillis: s.options.MaxTimeoutMillis, APIID: apiID,
		AccountID: s.options.AccountID, Partition: s.options.Partition, Region: s.options.Region,
	})
	switch {
	case err != nil:
		return nil, badRequest("Invalid OpenAPI input. Errors found during import:\n\t%s", indent(err.Error()))
	case q.failOnWarnings && len(result.Warnings) > 0:
		return nil, badRequest("Warnings found during import:\n\t%s", strings.Join(result.Warnings, "\n\t"))
	}
	if result.Policy, err = s.policy(apiID, result.Policy); err != nil {
		return nil, err
	}
	for _, a := range result.Authorizers {
		if err := s.checkAuthorizer(a); err != nil {
			return nil, badRequest("Authorizer %q: %v", a.Name, err.(*Error).Message)
		}
	}
	return result, nil
}

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n\t") }

func (s *Server) importRestAPI(r *request) (int, any, error) {
	q, err := parseImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	catalog := s.gateway.Catalog()
	id := newID(10, func(id string) bool { return catalog.APIs[id] != nil })
	result, err := s.parse(r.body, id, q)
	if err != nil {
		return 0, nil, err
	}
	a := &definition.API{ID: id, CreatedDate: s.now().UTC(), EndpointType: definition.EndpointEdge}
	if err := adopt(a, result, q, nil, false); err != nil {
		return 0, nil, err
	}
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
	return 201, wireRestAPI(a, omitEmptyTags), nil
}

func (s *Server) putRestAPI(r *request) (int, any, error) {
	mode := r.query.Get("mode")
	if !slices.Contains([]string{"", "merge", "overwrite"}, mode) {
		return 0, nil, validation([]string{"Value '" + mode + "' at 'putRestApiInput.mode' failed to satisfy constraint: Member must satisfy enum value set: [merge, overwrite]"})
	}
	q, err := parseImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	if _, err := s.api(s.gateway.Catalog(), r.apiID()); err != nil {
		return 0, nil, err
	}
	result, err := s.parse(r.body, r.apiID(), q)
	if err != nil {
		return 0, nil, err
	}
	var next definition.API
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := s.api(c, r.apiID())
		if err != nil {
			return definition.Change{}, err
		}
		next = *a
		return definition.Change{PutAPIs: []*definition.API{&next}},
			adopt(&next, result, q, a.Body.Resources, mode != "overwrite")
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRestAPI(&next, printEmptyTags), nil
}

// adopt makes a what the document says it is. have are the resources it had;
// merging keeps them, and all else that the document does not mention.
func adopt(a *definition.API, result *openapi.Result, q importQuery, have []*definition.Resource, merge bool) error {
	if err := checkName(result.Name); err != nil {
		return err
	}
	if err := checkTags(result.Tags); err != nil {
		return err
	}
	a.Name, a.Version, a.Warnings = result.Name, result.Version, result.Warnings
	if result.Description != "" || !merge {
		a.Description = result.Description
	}
	if kind := cmp.Or(q.endpointType, result.EndpointType); kind != "" {
		a.EndpointType = kind
	}
	if len(result.Tags) > 0 {
		a.Tags = result.Tags
	}
	if result.Body.DisableExecuteAPIEndpoint || !merge {
		a.DisableExecuteAPIEndpoint = result.Body.DisableExecuteAPIEndpoint
	}
	if result.APIKeySource != "" || !merge {
		a.APIKeySource = storedKeySource(result.APIKeySource)
	}
	if result.GuaranteedRate != 0 || !merge {
		a.GuaranteedRate = result.GuaranteedRate
	}
	if result.Priority != "" || !merge {
		a.Priority = result.Priority
	}
	if result.Policy != "" || !merge {
		a.Policy = result.Policy
	}
	a.Authorizers = mergeAuthorizers(a.Authorizers, result.Authorizers, merge)
	a.Body = sealed(a, combine(have, result.Body.Resources, merge))
	return nil
}
