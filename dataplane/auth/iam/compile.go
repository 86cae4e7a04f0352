package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Set is the users, access keys and policies of one catalog, compiled. Once it is
// in force it is never changed.
type Set struct {
	credentials map[string]*sigv4.Credential // active keys, by id
	principals  map[string]*Principal        // by the user's id
	managed     map[string]*managed          // by name
	changes     []change
}

// change gives a principal that is in force other rules.
type change struct {
	principal *Principal
	rules     *rules
}

// managed is a managed policy that was checked.
type managed struct {
	source *definition.ManagedPolicy
	shared *policy.Policy // nil if it has variables: each user gets one of its own
}

// Compile makes a Set of a catalog, without effect on what is in force. Errors
// name the place, such as `user "ann": policy "pets": Statement[0].Action: …`.
func (s *Store) Compile(c *definition.Catalog) (*Set, error) {
	before := s.current.Load()
	next := &Set{
		credentials: make(map[string]*sigv4.Credential, len(c.AccessKeys)),
		principals:  make(map[string]*Principal, len(c.Users)),
		managed:     make(map[string]*managed, len(c.Policies)),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Policies)) {
		if err := next.addPolicy(c.Policies[name], before.managed[name]); err != nil {
			return nil, fmt.Errorf("policy %q: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		u := c.Users[name]
		if err := next.addUser(u, ARN(s.account, u), s.account, before.principals[u.ID]); err != nil {
			return nil, fmt.Errorf("user %q: %w", name, err)
		}
	}
	for id, k := range c.AccessKeys {
		if err := next.addKey(k, c.Users[k.UserName], before.credentials[id]); err != nil {
			return nil, fmt.Errorf("access key %s: %w", id, err)
		}
	}
	return next, nil
}

func (n *Set) addPolicy(p *definition.ManagedPolicy, before *managed) error {
	if before != nil && before.source == p {
		n.managed[p.Name] = before
		return nil
	}
	compiled, err := check(p.Document)
	if err != nil {
		return err
	}
	m := &managed{source: p}
	// Without a variable it says the same of everyone. A backslash may hide one.
	if !strings.ContainsAny(p.Document, `$\`) {
		m.shared = compiled
	}
	n.managed[p.Name] = m
	return nil
}

// check compiles a document for a user that has every tag.
func check(document string) (*policy.Policy, error) {
	nobody := &Principal{}
	return policy.Compile([]byte(document), policy.Options{Variables: nobody.variables(nil), AnyTag: true})
}

func (n *Set) addUser(u *definition.User, arn, account string, p *Principal) error {
	if n.principals[u.ID] != nil {
		return fmt.Errorf("has the id %s of user %q", u.ID, n.principals[u.ID].Name)
	}
	var have *rules
	if p == nil || p.ARN != arn || p.Name != u.Name {
		p = &Principal{ARN: arn, UserID: u.ID, Name: u.Name, Account: account}
	} else {
		have = p.rules.Load()
	}
	n.principals[u.ID] = p
	attached := make([]*definition.ManagedPolicy, len(u.Attached))
	for i, name := range u.Attached {
		m := n.managed[name]
		if m == nil {
			return fmt.Errorf("attached policy %q does not exist", name)
		}
		attached[i] = m.source
	}
	if have != nil && have.user == u && slices.Equal(have.attached, attached) {
		return nil
	}
	r, err := n.compileRules(p, u, attached)
	if err != nil {
		return err
	}
	if have == nil { // nobody has seen it yet
		p.rules.Store(r)
	} else {
		n.changes = append(n.changes, change{p, r})
	}
	return nil
}

func (n *Set) compileRules(p *Principal, u *definition.User, attached []*definition.ManagedPolicy) (*rules, error) {
	r := &rules{user: u, attached: attached, tags: make(map[string]string, len(u.Tags))}
	for name, value := range u.Tags {
		lower := strings.ToLower(name)
		if _, twice := r.tags[lower]; twice {
			return nil, fmt.Errorf("two tags are named %q but for the case, which does not tell them apart", lower)
		}
		r.tags[lower] = value
	}
	variables := p.variables(r.tags)
	for _, name := range slices.Sorted(maps.Keys(u.Policies)) {
		compiled, err := compileFor(u.Policies[name], variables)
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", name, err)
		}
		r.policies = append(r.policies, compiled)
	}
	for _, m := range attached {
		compiled := n.managed[m.Name].shared
		if compiled == nil {
			var err error
			if compiled, err = compileFor(m.Document, variables); err != nil {
				return nil, fmt.Errorf("attached policy %q: %w", m.Name, err)
			}
		}
		r.policies = append(r.policies, compiled)
	}
	return r, nil
}

func compileFor(document string, variables map[string]string) (*policy.Policy, error) {
	p, err := policy.Compile([]byte(document), policy.Options{Variables: variables})
	if err == nil {
		return p, nil
	}
	if _, other := check(document); other == nil { // it is good for a user with more tags
		err = fmt.Errorf("%w: give the user that tag, or the variable a default such as ${aws:PrincipalTag/team, 'none'}", err)
	}
	return nil, err
}

// variables are the policy variables of a user with these tags.
func (p *Principal) variables(tags map[string]string) map[string]string {
	v := map[string]string{
		"aws:username": p.Name, "aws:userid": p.UserID, "aws:principalarn": p.ARN,
		"aws:principalaccount": p.Account, "aws:principaltype": principalType,
	}
	for name, value := range tags {
		v["aws:principaltag/"+name] = value
	}
	return v
}

func (n *Set) addKey(k *definition.AccessKey, u *definition.User, before *sigv4.Credential) error {
	switch {
	case u == nil:
		return fmt.Errorf("its user %q does not exist", k.UserName)
	case k.Secret == "": // anyone could sign with it
		return fmt.Errorf("has no secret")
	case !k.Active:
		return nil
	}
	p := n.principals[u.ID]
	if before == nil || before.Secret != k.Secret || before.Principal != p {
		before = &sigv4.Credential{AccessKeyID: k.ID, Secret: k.Secret, Principal: p}
	}
	n.credentials[k.ID] = before
	return nil
}
