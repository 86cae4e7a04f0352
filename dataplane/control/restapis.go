package control

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Answers of AWS that create something, and lists, print no tags when there are
// none; answers about one thing that exists print an empty object.
const (
	omitEmptyTags  = false
	printEmptyTags = true
)

func wireRestAPI(a *definition.API, emptyTags bool) RestAPI {
	out := RestAPI{
		ID: a.ID, Name: a.Name, Description: a.Description, CreatedDate: a.CreatedDate.Unix(), Version: a.Version,
		Warnings: a.Warnings, APIKeySource: cmp.Or(a.APIKeySource, definition.KeySourceHeader),
		EndpointConfiguration:     EndpointConfiguration{Types: []string{a.EndpointType}, IPAddressType: "ipv4"},
		DisableExecuteAPIEndpoint: a.DisableExecuteAPIEndpoint, RootResourceID: a.Body.RootResourceID,
		Tags: wireTags(a.Tags, emptyTags), Policy: escapedPolicy(a.Policy), Priority: a.Priority,
	}
	if a.EndpointType == definition.EndpointPrivate {
		out.EndpointConfiguration.IPAddressType = "dualstack"
	}
	if a.GuaranteedRate > 0 {
		out.GuaranteedRate = (*Double)(&a.GuaranteedRate)
	}
	return out
}

func wireTags(tags map[string]string, printEmpty bool) *map[string]string {
	switch {
	case len(tags) > 0:
		return &tags
	case printEmpty:
		return &map[string]string{}
	default:
		return nil
	}
}

func (s *Server) createRestAPI(r *request) (int, any, error) {
	var in struct {
		Name                      *string           `json:"name"`
		Description               *string           `json:"description"`
		Version                   *string           `json:"version"`
		Tags                      map[string]string `json:"tags"`
		DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint"`
		EndpointConfiguration     *endpointInput    `json:"endpointConfiguration"`
		APIKeySource              *string           `json:"apiKeySource"`
		Policy                    string            `json:"policy"`

		CloneFrom              json.RawMessage `json:"cloneFrom"`
		BinaryMediaTypes       json.RawMessage `json:"binaryMediaTypes"`
		MinimumCompressionSize json.RawMessage `json:"minimumCompressionSize"`
		SecurityPolicy         json.RawMessage `json:"securityPolicy"`
		EndpointAccessMode     json.RawMessage `json:"endpointAccessMode"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var problems []string
	if in.Name == nil {
		problems = append(problems, mustNotBeNull("createRestApiInput.name"))
	}
	source := optional(in.APIKeySource)
	if source != "" && checkKeySource(source) != nil {
		problems = append(problems, mustBeOneOf("createRestApiInput.apiKeySource", source, definition.KeySourceHeader, definition.KeySourceAuthorizer))
	}
	if err := validation(append(problems, in.EndpointConfiguration.violations("createRestApiInput")...)); err != nil {
		return 0, nil, err
	}
	endpoint, endpointErr := in.EndpointConfiguration.endpointType()
	for _, err := range []error{
		checkName(*in.Name), checkDescription(in.Description), checkTags(in.Tags), endpointErr,
		refusals{
			"cloneFrom":              in.CloneFrom,
			"binaryMediaTypes":       in.BinaryMediaTypes,
			"minimumCompressionSize": in.MinimumCompressionSize,
			"securityPolicy":         in.SecurityPolicy,
			"endpointAccessMode":     in.EndpointAccessMode,
		}.check("CreateRestApi"),
	} {
		if err != nil {
			return 0, nil, err
		}
	}
	var a *definition.API
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		id := newID(10, func(id string) bool { return c.APIs[id] != nil })
		a = &definition.API{
			ID: id, Name: *in.Name, Description: optional(in.Description), Version: optional(in.Version), CreatedDate: s.now().UTC(),
			EndpointType: endpoint, DisableExecuteAPIEndpoint: in.DisableExecuteAPIEndpoint, APIKeySource: storedKeySource(source), Tags: in.Tags,
		}
		var err error
		if a.Policy, err = s.policy(id, in.Policy); err != nil {
			return definition.Change{}, err
		}
		a.Body = definition.NewBody(id, nil, a.Settings())
		return definition.Change{PutAPIs: []*definition.API{a}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = a.ID
	return 201, wireRestAPI(a, omitEmptyTags), nil
}

func checkName(name string) error {
	if name == "" {
		return badRequest("Name cannot be an empty string")
	}
	return nil
}

func checkDescription(d *string) error {
	if d != nil && *d == "" {
		return badRequest("Description cannot be an empty string")
	}
	return nil
}

func (s *Server) getRestAPI(r *request) (int, any, error) {
	a, err := s.api(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRestAPI(a, printEmptyTags), nil
}

func (s *Server) getRestAPIs(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	all := make([]*definition.API, 0, len(c.APIs))
	for _, a := range c.APIs {
		if a.Protocol == "" {
			all = append(all, a)
		}
	}
	some, err := page(all, func(a *definition.API) string { return byTime(a.CreatedDate, a.ID) }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[RestAPI]{Items: make([]RestAPI, len(some.Items)), Position: some.Position}
	for i, a := range some.Items {
		list.Items[i] = wireRestAPI(a, omitEmptyTags)
	}
	return 200, list, nil
}

func (s *Server) deleteRestAPI(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.api(c, r.apiID()); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{
			DeleteAPIs: []string{r.apiID()},
			PutPlans:   detach(c, func(st definition.PlanStage) bool { return st.APIID == r.apiID() }),
		}, nil
	})
	return 202, nil, err
}

// updateRestAPI patches an API. What its body freezes takes effect with the
// next deployment, as with AWS.
func (s *Server) updateRestAPI(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateRestApiInput")
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
		for _, op := range ops {
			if err := s.patchAPI(&next, op); err != nil {
				return definition.Change{}, err
			}
		}
		next.Body = sealed(&next, a.Body.Resources)
		return definition.Change{PutAPIs: []*definition.API{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireRestAPI(&next, printEmptyTags), nil
}

// sealed is the body of a with the given resources; the one it has already if
// that says the same.
func sealed(a *definition.API, resources []*definition.Resource) *definition.Body {
	b := definition.NewBody(a.ID, slices.Clone(resources), a.Settings())
	if a.Body != nil && a.Body.Revision == b.Revision {
		return a.Body
	}
	return b
}
