package iam

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Principal is a user as a caller. It stays the same while the user exists; what
// it may do is looked up when it is asked.
type Principal struct {
	ARN     string
	UserID  string
	Name    string
	Account string

	rules atomic.Pointer[rules]
}

// rules are what can change about a user, compiled. They are never changed.
type rules struct {
	user     *definition.User
	attached []*definition.ManagedPolicy
	tags     map[string]string // by lower-case name
	policies []*policy.Policy
}

// principalType is aws:PrincipalType of a user.
const principalType = "User"

// ARN returns the ARN of a user: arn:aws:iam::account:user/path/name.
func ARN(accountID string, u *definition.User) string {
	return "arn:aws:iam::" + accountID + ":user" + u.Path + u.Name
}

// Evaluate decides about one action on a method ARN by all policies of the user,
// inline and attached. It fills in the principal's part of c, which is then ready
// for the API's resource policy too.
func (p *Principal) Evaluate(action policy.Action, methodARN string, c *policy.Context) policy.Decision {
	r := p.rules.Load()
	p.describe(c, r)
	return policy.EvaluateAll(r.policies, action, methodARN, c)
}

// Describe fills in the principal's part of c, for a resource policy that is
// evaluated before the user's own.
func (p *Principal) Describe(c *policy.Context) { p.describe(c, p.rules.Load()) }

func (p *Principal) describe(c *policy.Context, r *rules) {
	c.PrincipalARN, c.PrincipalAccount, c.PrincipalType = p.ARN, p.Account, principalType
	c.Username, c.UserID, c.PrincipalTags = p.Name, p.UserID, r.tags
}
