package control

import (
	"cmp"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func (s *Server) getResources(r *request) (int, any, error) {
	a, err := s.api(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	embed, err := embeds(r, "methods")
	if err != nil {
		return 0, nil, err
	}
	some, err := page(append([]*definition.Resource{}, a.Body.Resources...), func(r *definition.Resource) string { return r.Path }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[Resource]{Items: make([]Resource, len(some.Items)), Position: some.Position}
	for i, res := range some.Items {
		list.Items[i] = wireResource(res, embed)
	}
	return 200, list, nil
}

func (s *Server) getResource(r *request) (int, any, error) {
	a, err := s.api(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	embed, err := embeds(r, "methods")
	if err != nil {
		return 0, nil, err
	}
	for _, res := range a.Body.Resources {
		if res.ID == r.params["resource"] {
			return 200, wireResource(res, embed), nil
		}
	}
	return 0, nil, notFound("Invalid Resource identifier specified")
}

func wireResource(r *definition.Resource, embed bool) Resource {
	out := Resource{ID: r.ID, ParentID: r.ParentID, PathPart: r.PathPart, Path: r.Path}
	for verb, m := range r.Methods {
		if out.ResourceMethods == nil {
			out.ResourceMethods = make(map[string]*Method, len(r.Methods))
		}
		if embed {
			out.ResourceMethods[verb] = wireMethod(r, m)
		} else {
			out.ResourceMethods[verb] = &Method{}
		}
	}
	return out
}

func wireMethod(r *definition.Resource, m *definition.Method) *Method {
	out := &Method{
		HTTPMethod: m.HTTPMethod, AuthorizationType: cmp.Or(m.AuthorizationType, definition.AuthNone),
		AuthorizerID: m.AuthorizerID, AuthorizationScopes: m.AuthorizationScopes, APIKeyRequired: &m.APIKeyRequired,
		OperationName: m.OperationName, RequestParameters: m.RequestParameters,
	}
	for status, headers := range m.Responses {
		answer := MethodResponse{StatusCode: status}
		for _, h := range headers {
			if answer.ResponseParameters == nil {
				answer.ResponseParameters = map[string]bool{}
			}
			answer.ResponseParameters[h] = false
		}
		if out.MethodResponses == nil {
			out.MethodResponses = map[string]MethodResponse{}
		}
		out.MethodResponses[status] = answer
	}
	if m.Integration != nil {
		out.MethodIntegration = wireIntegration(r, m.Integration)
	}
	return out
}

func wireIntegration(r *definition.Resource, in *definition.Integration) *Integration {
	out := &Integration{
		Type: in.Type, HTTPMethod: in.HTTPMethod, URI: in.URI, ConnectionType: "INTERNET",
		RequestParameters: in.RequestParameters, RequestTemplates: in.RequestTemplates,
		PassthroughBehavior: cmp.Or(in.PassthroughBehavior, "WHEN_NO_MATCH"),
		TimeoutInMillis:     in.TimeoutMillis, CacheNamespace: cmp.Or(in.CacheNamespace, r.ID),
		CacheKeyParameters: append([]string{}, in.CacheKeyParameters...), // [] rather than null
	}
	if in.Type == definition.IntegrationMock {
		out.ConnectionType = ""
	}
	out.Targets, out.HealthCheck = in.Targets, in.HealthCheck
	if in.InsecureSkipVerification {
		out.TLSConfig = &TLSConfig{InsecureSkipVerification: true}
	}
	for _, answer := range in.Responses {
		if out.IntegrationResponses == nil {
			out.IntegrationResponses = make(map[string]IntegrationResponse, len(in.Responses))
		}
		out.IntegrationResponses[answer.StatusCode] = IntegrationResponse{
			StatusCode: answer.StatusCode, SelectionPattern: answer.SelectionPattern,
			ResponseParameters: answer.ResponseParameters, ResponseTemplates: answer.ResponseTemplates,
		}
	}
	return out
}
