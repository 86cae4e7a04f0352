package control

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// maxAuthorizers is AWS's quota on the authorizers of one API.
const maxAuthorizers = 10

var authorizerTypes = []string{definition.AuthorizerToken, definition.AuthorizerRequest, definition.AuthorizerUserPools}

// authorizerPaths is what UpdateAuthorizer can patch, by the names AWS gives.
var authorizerPaths = []string{
	"/name", "/type", "/authType", "/authorizerUri", "/authorizerCredentials", "/authorizerResultTtlInSeconds",
	"/identitySource", "/identityValidationExpression", "/providerARNs",
}

func wireAuthorizer(a *definition.Authorizer) Authorizer {
	out := Authorizer{
		ID: a.ID, Name: a.Name, Type: a.Type, ProviderARNs: a.ProviderARNs, AuthType: a.AuthType, AuthorizerURI: a.URI,
		AuthorizerCredentials: a.Credentials, IdentitySource: a.IdentitySource,
		IdentityValidationExpression: a.IdentityValidation, AuthorizerResultTTLInSeconds: a.ResultTTLSeconds,
	}
	if a.Type == definition.AuthorizerJWT {
		out.JWTConfiguration = &JWTConfiguration{Issuer: a.Issuer, Audience: a.Audience}
	}
	return out
}

func (s *Server) getAuthorizers(r *request) (int, any, error) {
	a, err := s.api(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	some, err := page(slices.Clone(a.Authorizers), func(a *definition.Authorizer) string { return a.ID }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[Authorizer]{Items: make([]Authorizer, len(some.Items)), Position: some.Position}
	for i, a := range some.Items {
		list.Items[i] = wireAuthorizer(a)
	}
	return 200, list, nil
}

func (s *Server) getAuthorizer(r *request) (int, any, error) {
	a, err := s.api(s.gateway.Catalog(), r.apiID())
	if err != nil {
		return 0, nil, err
	}
	i, err := authorizerIndex(a, r.params["authorizer"])
	if err != nil {
		return 0, nil, err
	}
	return 200, wireAuthorizer(a.Authorizers[i]), nil
}

func authorizerIndex(a *definition.API, id string) (int, error) {
	i := slices.IndexFunc(a.Authorizers, func(a *definition.Authorizer) bool { return a.ID == id })
	if i < 0 {
		return 0, notFound("Invalid Authorizer identifier specified")
	}
	return i, nil
}

func (s *Server) createAuthorizer(r *request) (int, any, error) {
	var in struct {
		Name                         *string  `json:"name"`
		Type                         *string  `json:"type"`
		ProviderARNs                 []string `json:"providerARNs"`
		AuthType                     *string  `json:"authType"`
		AuthorizerURI                *string  `json:"authorizerUri"`
		AuthorizerCredentials        *string  `json:"authorizerCredentials"`
		IdentitySource               *string  `json:"identitySource"`
		IdentityValidationExpression *string  `json:"identityValidationExpression"`
		AuthorizerResultTTLInSeconds *int     `json:"authorizerResultTtlInSeconds"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var problems []string
	if in.Name == nil {
		problems = append(problems, mustNotBeNull("createAuthorizerInput.name"))
	}
	if in.Type == nil {
		problems = append(problems, mustNotBeNull("createAuthorizerInput.type"))
	} else if !slices.Contains(authorizerTypes, *in.Type) {
		problems = append(problems, mustBeOneOf("createAuthorizerInput.type", *in.Type, authorizerTypes...))
	}
	if err := validation(problems); err != nil {
		return 0, nil, err
	}
	made := &definition.Authorizer{
		Name: *in.Name, Type: *in.Type, ProviderARNs: in.ProviderARNs, AuthType: optional(in.AuthType), URI: optional(in.AuthorizerURI),
		Credentials: optional(in.AuthorizerCredentials), IdentitySource: optional(in.IdentitySource),
		IdentityValidation: optional(in.IdentityValidationExpression), ResultTTLSeconds: in.AuthorizerResultTTLInSeconds,
	}
	if made.ResultTTLSeconds == nil && made.Type != definition.AuthorizerUserPools {
		ttl := definition.DefaultAuthorizerTTL
		made.ResultTTLSeconds = &ttl
	}
	err := s.editAuthorizers(r, func(a *definition.API) error {
		if len(a.Authorizers) >= maxAuthorizers {
			return limitExceeded("Maximum number of Authorizers for this API has been reached: %d", maxAuthorizers)
		}
		made.ID = newID(6, func(id string) bool { _, err := authorizerIndex(a, id); return err == nil })
		a.Authorizers = append(slices.Clone(a.Authorizers), made)
		return s.checkAuthorizer(made)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = made.ID
	return 201, wireAuthorizer(made), nil
}

func (s *Server) updateAuthorizer(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateAuthorizerInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.Authorizer
	err = s.editAuthorizers(r, func(a *definition.API) error {
		i, err := authorizerIndex(a, r.params["authorizer"])
		if err != nil {
			return err
		}
		next = *a.Authorizers[i]
		for _, op := range ops {
			if err := patchAuthorizer(&next, op); err != nil {
				return err
			}
		}
		a.Authorizers = slices.Clone(a.Authorizers)
		a.Authorizers[i] = &next
		return s.checkAuthorizer(&next)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireAuthorizer(&next), nil
}

func (s *Server) deleteAuthorizer(r *request) (int, any, error) {
	err := s.editAuthorizers(r, func(a *definition.API) error {
		id := r.params["authorizer"]
		i, err := authorizerIndex(a, id)
		if err != nil {
			return err
		}
		for _, res := range a.Body.Resources {
			for verb, m := range res.Methods {
				if m.AuthorizerID == id {
					return conflict("Authorizer %s is used by %s %s: change the method first", id, verb, res.Path)
				}
			}
		}
		a.Authorizers = slices.Delete(slices.Clone(a.Authorizers), i, i+1)
		return nil
	})
	return 202, nil, err
}

// editAuthorizers changes the authorizers of an API. What is deployed keeps its
// own until the next deployment.
func (s *Server) editAuthorizers(r *request, edit func(*definition.API) error) error {
	return s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := s.api(c, r.apiID())
		if err != nil {
			return definition.Change{}, err
		}
		next := *a
		if err := edit(&next); err != nil {
			return definition.Change{}, err
		}
		next.Body = sealed(&next, a.Body.Resources)
		return definition.Change{PutAPIs: []*definition.API{&next}}, nil
	})
}

// checkAuthorizer refuses what no deployment could use.
func (s *Server) checkAuthorizer(a *definition.Authorizer) error {
	if a.Name == "" {
		return badRequest("Authorizer name cannot be empty")
	}
	if s.options.CheckAuthorizer == nil {
		return nil
	}
	if err := s.options.CheckAuthorizer(a); err != nil {
		return badRequest("Invalid authorizer: %v", err)
	}
	return nil
}

func patchAuthorizer(a *definition.Authorizer, op PatchOperation) (err error) {
	switch op.Path {
	case "/name":
		a.Name, err = op.Value, only(op, "replace")
	case "/type":
		if a.Type = op.Value; !slices.Contains(authorizerTypes, op.Value) {
			return badRequest("Invalid authorizer type: %s. Must be one of: [%s]", op.Value, strings.Join(authorizerTypes, ", "))
		}
		err = only(op, "replace")
	case "/authType":
		a.AuthType, err = patchText(op)
	case "/authorizerUri":
		a.URI, err = patchText(op)
	case "/authorizerCredentials":
		a.Credentials, err = patchText(op)
	case "/identitySource":
		a.IdentitySource, err = patchText(op)
	case "/identityValidationExpression":
		a.IdentityValidation, err = patchText(op)
	case "/authorizerResultTtlInSeconds":
		a.ResultTTLSeconds, err = patchTTL(op)
	case "/providerARNs":
		err = patchProviders(a, op)
	default:
		return unknownPath(op, authorizerPaths...)
	}
	return err
}

func patchTTL(op PatchOperation) (*int, error) {
	if err := only(op, "add", "replace", "remove"); err != nil || op.Op == "remove" {
		return nil, err
	}
	seconds, err := strconv.Atoi(op.Value)
	if err != nil {
		return nil, badRequest("Invalid value for %s: it must be a number of seconds from 0 to %d", op.Path, definition.MaxAuthorizerTTL)
	}
	return &seconds, nil
}

// patchProviders adds, removes or replaces user pools, one by value.
func patchProviders(a *definition.Authorizer, op PatchOperation) error {
	if err := only(op, "add", "remove", "replace"); err != nil {
		return err
	}
	arns := slices.DeleteFunc(slices.Clone(a.ProviderARNs), func(arn string) bool { return arn == op.Value })
	switch op.Op {
	case "add":
		arns = append(arns, op.Value)
	case "replace":
		arns = []string{op.Value}
	case "remove":
		if len(arns) == len(a.ProviderARNs) {
			return notFound("Invalid provider ARN specified: %s", op.Value)
		}
	}
	a.ProviderARNs = arns
	return nil
}

// mergeAuthorizers is what a put makes of the authorizers of an API and those of
// the document, which replace those with the same id.
func mergeAuthorizers(have, document []*definition.Authorizer, merge bool) []*definition.Authorizer {
	if !merge {
		return document
	}
	all := slices.Clone(document)
	for _, a := range have {
		if !slices.ContainsFunc(document, func(b *definition.Authorizer) bool { return b.ID == a.ID }) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *definition.Authorizer) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// flushAuthorizers forgets what the authorizers of a stage said.
func (s *Server) flushAuthorizers(r *request) (int, any, error) {
	st, err := s.stage(s.gateway.Catalog(), r.apiID(), r.params["stage"])
	if err != nil {
		return 0, nil, err
	}
	if err := s.gateway.FlushAuthorizers(st.APIID, st.Name); err != nil {
		return 0, nil, fmt.Errorf("flush the authorizers of %s: %w", st.Name, err)
	}
	return 202, nil, nil
}
