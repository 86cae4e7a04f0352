package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Simulation is what would be decided about a request, and by what.
type Simulation struct {
	Decision policy.Decision // of the user's policies and the API's resource policy together
	Matches  []Match         // of the policies that are not silent
}

// Match is a policy that has something to say about a request.
type Match struct {
	Kind      string // KindInline, KindManaged or KindResource
	Policy    string // its name; the API's id for a resource policy
	Statement int    // that decides, from 0
	Decision  policy.Decision
}

// Kinds of policies.
const (
	KindInline   = "inline"
	KindManaged  = "managed"
	KindResource = "resource"
)

// ParseAction reads the name of an action, such as "execute-api:Invoke" or short
// "Invoke", in any case.
func ParseAction(text string) (policy.Action, error) {
	for _, a := range []policy.Action{policy.Invoke, policy.InvalidateCache, policy.ManageConnections} {
		name := a.String()
		if _, short, _ := strings.Cut(name, ":"); strings.EqualFold(text, name) || strings.EqualFold(text, short) {
			return a, nil
		}
	}
	return 0, fmt.Errorf("action %q is none of execute-api:Invoke, execute-api:InvalidateCache and execute-api:ManageConnections", text)
}

// Simulate decides about a request that the user would sign, by the policies of a
// catalog. The resource is a method ARN; the resource policy is that of the
// deployment that its stage points at. c is what is known of the request; the
// principal's part is filled in.
func Simulate(catalog *definition.Catalog, accountID string, u *definition.User, action policy.Action, methodARN string, c policy.Context) (*Simulation, error) {
	api, stage, err := splitMethodARN(methodARN)
	if err != nil {
		return nil, err
	}
	store := NewStore(accountID)
	only := (&definition.Catalog{}).With(definition.Change{PutUsers: []*definition.User{u}})
	for _, name := range u.Attached {
		if p := catalog.Policies[name]; p != nil {
			only.Policies[name] = p
		}
	}
	set, err := store.Compile(only)
	if err != nil {
		return nil, err
	}
	p := set.principals[u.ID]
	s := &Simulation{}
	identity := p.Evaluate(action, methodARN, &c)
	names := append(slices.Sorted(maps.Keys(u.Policies)), u.Attached...)
	for i, compiled := range p.rules.Load().policies {
		kind := KindInline
		if i >= len(u.Policies) {
			kind = KindManaged
		}
		s.explain(kind, names[i], compiled, action, methodARN, &c)
	}
	resource, err := s.resource(catalog, api, stage, action, methodARN, &c)
	if err != nil {
		return nil, err
	}
	s.Decision = policy.Combine(identity, resource, policy.SameAccount)
	return s, nil
}

func (s *Simulation) explain(kind, name string, p *policy.Policy, action policy.Action, methodARN string, c *policy.Context) policy.Decision {
	decision, statement := p.Explain(action, methodARN, c)
	if decision != policy.ImplicitDeny {
		s.Matches = append(s.Matches, Match{kind, name, statement, decision})
	}
	return decision
}

// resource decides by the resource policy that the stage serves with.
func (s *Simulation) resource(catalog *definition.Catalog, api, stage string, action policy.Action, methodARN string, c *policy.Context) (policy.Decision, error) {
	id := api[strings.LastIndexByte(api, ':')+1:]
	st := catalog.Stages[definition.StageKey{APIID: id, Stage: stage}]
	if st == nil {
		return policy.ImplicitDeny, nil
	}
	d := catalog.Deployments[definition.DeploymentKey{APIID: id, ID: st.DeploymentID}]
	if d == nil || d.Body == nil || d.Body.Policy == "" {
		return policy.ImplicitDeny, nil
	}
	p, err := policy.Compile([]byte(d.Body.Policy), policy.Options{Kind: policy.Resource, API: api})
	if err != nil {
		return 0, fmt.Errorf("resource policy of API %s: %w", id, err)
	}
	return s.explain(KindResource, id, p, action, methodARN, c), nil
}

// splitMethodARN returns the ARN up to the API's id, and the stage.
func splitMethodARN(text string) (api, stage string, err error) {
	api, rest, ok := strings.Cut(text, "/")
	if !ok || !strings.HasPrefix(api, "arn:") || strings.Count(api, ":") != 5 {
		return "", "", fmt.Errorf("resource %q is no method ARN: write arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH", text)
	}
	stage, _, _ = strings.Cut(rest, "/")
	return api, stage, nil
}
