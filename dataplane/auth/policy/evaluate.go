package policy

import "slices"

// Decision is what policies say of a request.
type Decision uint8

// Decisions. The zero value refuses.
const (
	ImplicitDeny Decision = iota // nothing allows it
	Allow
	ExplicitDeny // a statement denies it, whatever allows it
)

// String returns the name of the decision.
func (d Decision) String() string {
	return [...]string{"implicit deny", "allow", "explicit deny"}[d]
}

// Evaluate decides about one action on a method ARN:
// arn:aws:execute-api:region:account:api/stage/METHOD/path. A nil Policy, and one
// without statements, is silent: ImplicitDeny. What is no ARN is denied.
func (p *Policy) Evaluate(action Action, methodARN string, c *Context) Decision {
	decision, _ := p.Explain(action, methodARN, c)
	return decision
}

// Explain is Evaluate that also tells which statement decided, by its number
// from 0: the first that denies, else the first that allows, else -1.
func (p *Policy) Explain(action Action, methodARN string, c *Context) (decision Decision, statement int) {
	if p == nil {
		return ImplicitDeny, -1
	}
	resource, ok := splitARN(methodARN)
	if !ok {
		return ExplicitDeny, -1
	}
	statement = -1
	for i := range p.statements {
		s := &p.statements[i]
		if !s.deny && decision == Allow || !s.applies(action, &resource, c) {
			continue
		}
		if s.deny {
			return ExplicitDeny, i
		}
		decision, statement = Allow, i
	}
	return decision, statement
}

// Allows reports whether a statement allows anything at all. A policy without one
// denies every request.
func (p *Policy) Allows() bool {
	return p != nil && slices.ContainsFunc(p.statements, func(s statement) bool { return !s.deny })
}

func (s *statement) applies(action Action, resource *arn, c *Context) bool {
	if s.actions&action == 0 || s.principals != nil && s.principals.match(c) == s.notPrincipals {
		return false
	}
	if matchesAny(s.resources, resource) == s.notResources {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(c) {
			return false
		}
	}
	return true
}

func matchesAny(patterns []*arnPattern, resource *arn) bool {
	for _, p := range patterns {
		if p.match(resource) {
			return true
		}
	}
	return false
}

// EvaluateAll decides by several policies of one principal: a deny of any of
// them, else an allow of any of them.
func EvaluateAll(policies []*Policy, action Action, methodARN string, c *Context) Decision {
	decision := ImplicitDeny
	for _, p := range policies {
		switch p.Evaluate(action, methodARN, c) {
		case ExplicitDeny:
			return ExplicitDeny
		case Allow:
			decision = Allow
		}
	}
	return decision
}
