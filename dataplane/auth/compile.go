package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
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
	scope   *authorizer.Scope
	tokens  map[string]*jwt.Authorizer        // of those that methods use
	custom  map[string]*authorizer.Authorizer // likewise
}

// Stores are what guards refer to and what outlives them. All may be nil: then a
// guard is only checked.
type Stores struct {
	Keys        *jwt.Keys
	Authorizers *authorizer.Store
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
func CompileStage(h Host, stores Stores, scope *authorizer.Scope, body *definition.Body) (*Stage, error) {
	s := &Stage{
		private: body.EndpointType == definition.EndpointPrivate, arn: h.apiARN(scope.APIID) + "/" + scope.Stage + "/",
		stores: stores, scope: scope, defined: map[string]*definition.Authorizer{},
		tokens: map[string]*jwt.Authorizer{}, custom: map[string]*authorizer.Authorizer{},
	}
	for _, a := range body.Authorizers {
		s.defined[a.ID] = a
	}
	var err error
	if s.policy, err = CompilePolicy(h, scope.APIID, body.Policy); err != nil {
		return nil, err
	}
	if s.policy != nil || s.private {
		s.open = s.guard(None)
	}
	return s, nil
}

func (s *Stage) guard(k Kind) *Guard {
	return &Guard{Kind: k, Action: policy.Invoke, policy: s.policy, private: s.private, stage: s.arn}
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
	case definition.AuthCustom:
		return s.customGuard(m)
	}
	return nil, fmt.Errorf("authorization type %q does not exist", m.AuthorizationType)
}

// Manage makes the guard of the calls that manage an API's connections.
func (s *Stage) Manage() *Guard {
	g := s.guard(IAM)
	g.Action = policy.ManageConnections
	return g
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

func (s *Stage) customGuard(m *definition.Method) (*Guard, error) {
	def, err := s.authorizer(m, definition.AuthorizerToken, definition.AuthorizerRequest)
	if err != nil {
		return nil, err
	}
	g := s.guard(Custom)
	if g.Custom = s.custom[def.ID]; g.Custom == nil {
		if g.Custom, err = authorizer.Compile(def, s.scope, s.stores.Authorizers); err != nil {
			return nil, err
		}
		s.custom[def.ID] = g.Custom
	}
	return g, nil
}

// InUse is the authorizers that snapshots use.
type InUse struct {
	Tokens map[*jwt.Authorizer]bool
	Custom map[*authorizer.Authorizer]bool
}

// AddTo adds the authorizers that the stage's methods use.
func (s *Stage) AddTo(used *InUse) {
	for _, a := range s.tokens {
		used.Tokens[a] = true
	}
	for _, a := range s.custom {
		used.Custom[a] = true
	}
}

// CheckAuthorizer says what is wrong with an authorizer, before a method uses it.
// function is that of the Scope that it will have.
func CheckAuthorizer(def *definition.Authorizer, stores Stores, function func(string) (string, error)) (err error) {
	switch def.Type {
	case definition.AuthorizerUserPools, definition.AuthorizerJWT:
		_, err = jwt.Compile(def, stores.Keys)
	default:
		_, err = authorizer.Compile(def, &authorizer.Scope{Function: function}, nil)
	}
	return err
}
