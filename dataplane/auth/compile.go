package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Host is where method ARNs are.
type Host struct {
	Partition, Region, AccountID string
}

// apiARN returns the part of method ARNs up to the API.
func (h Host) apiARN(apiID string) string {
	return "arn:" + h.Partition + ":execute-api:" + h.Region + ":" + h.AccountID + ":" + apiID
}

// Stage compiles the guards of one stage's methods.
type Stage struct {
	policy  *policy.Policy
	private bool
	arn     string
	open    *Guard // of methods that ask for nobody; nil when there is nothing to decide

	stores  Stores
	defined map[string]*definition.Authorizer // by id
	tokens  map[string]*jwt.Authorizer        // of those that methods use
}

// Stores are what guards refer to and what outlives them. All may be nil: then a
// guard is only checked.
type Stores struct {
	Keys *jwt.Keys
}

// CompilePolicy reads the resource policy of an API; empty is none.
func CompilePolicy(h Host, apiID, document string) (*policy.Policy, error) {
	if document == "" {
		return nil, nil
	}
	p, err := policy.Compile([]byte(document), policy.Options{Kind: policy.Resource, API: h.apiARN(apiID)})
	if err != nil {
		return nil, fmt.Errorf("resource policy: %w", err)
	}
	return p, nil
}

// CompileStage reads what the methods of a stage have in common.
func CompileStage(h Host, stores Stores, st *definition.Stage, body *definition.Body) (*Stage, error) {
	s := &Stage{
		private: body.EndpointType == definition.EndpointPrivate, arn: h.apiARN(st.APIID) + "/" + st.Name + "/",
		stores: stores, defined: map[string]*definition.Authorizer{}, tokens: map[string]*jwt.Authorizer{},
	}
	for _, a := range body.Authorizers {
		s.defined[a.ID] = a
	}
	var err error
	if s.policy, err = CompilePolicy(h, st.APIID, body.Policy); err != nil {
		return nil, err
	}
	if s.policy != nil || s.private {
		s.open = s.guard(None)
	}
	return s, nil
}

func (s *Stage) guard(k Kind) *Guard {
	return &Guard{Kind: k, policy: s.policy, private: s.private, stage: s.arn}
}

// Method compiles the guard of a method, nil when anybody may call it.
func (s *Stage) Method(m *definition.Method) (*Guard, error) {
	switch m.AuthorizationType {
	case "", definition.AuthNone:
		return s.open, nil
	case definition.AuthIAM:
		return s.guard(IAM), nil
	case definition.AuthUserPools, definition.AuthJWT:
		return s.tokenGuard(m)
	}
	return nil, fmt.Errorf("authorization type %q is not supported yet", m.AuthorizationType)
}

// authorizer returns the definition that a method names.
func (s *Stage) authorizer(m *definition.Method, types ...string) (*definition.Authorizer, error) {
	def := s.defined[m.AuthorizerID]
	if def == nil || !slices.Contains(types, def.Type) {
		return nil, fmt.Errorf("authorizer %q of authorization type %s does not exist", m.AuthorizerID, m.AuthorizationType)
	}
	return def, nil
}

func (s *Stage) tokenGuard(m *definition.Method) (*Guard, error) {
	def, err := s.authorizer(m, definition.AuthorizerUserPools, definition.AuthorizerJWT)
	if err != nil {
		return nil, err
	}
	g := s.guard(Tokens)
	if g.Tokens = s.tokens[def.ID]; g.Tokens == nil {
		if g.Tokens, err = jwt.Compile(def, s.stores.Keys); err != nil {
			return nil, err
		}
		s.tokens[def.ID] = g.Tokens
	}
	if g.Source = g.Tokens.Source(); !g.Source.Query {
		g.Source.Name = strings.ToLower(g.Source.Name)
	}
	if g.Scopes, err = jwt.CompileScopes(m.AuthorizationScopes); err != nil {
		return nil, fmt.Errorf("authorizationScopes: %w", err)
	}
	return g, nil
}

// Tokens adds the authorizers of tokens that the stage's methods use to set.
func (s *Stage) Tokens(set map[*jwt.Authorizer]bool) {
	for _, a := range s.tokens {
		set[a] = true
	}
}

// CheckAuthorizer says what is wrong with an authorizer, before a method uses it.
func CheckAuthorizer(def *definition.Authorizer, stores Stores) error {
	switch def.Type {
	case definition.AuthorizerUserPools, definition.AuthorizerJWT:
		_, err := jwt.Compile(def, stores.Keys)
		return err
	}
	return nil
}
