package policy

// Accounts says whether the caller is of the account that owns the API. A host
// has one account, so callers known to it are of the same.
type Accounts uint8

// Accounts.
const (
	SameAccount  Accounts = iota
	CrossAccount          // both policies have to allow
)

// Combine joins the decision of a caller's policies, or of a Lambda authorizer's,
// with that of the API's resource policy, which is ImplicitDeny if there is none.
//
//	identity  resource   same account   cross account
//	allow     allow      allow          allow
//	allow     silent     allow          implicit deny
//	silent    allow      allow          implicit deny
//	silent    silent     implicit deny  implicit deny
//	deny in either       explicit deny  explicit deny
//
// A Lambda authorizer is always of the same account. An API without resource
// policy thus lets in whom the identity allows, and a resource policy that allows
// lets in a caller whose own policies are silent.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func Combine(identity, resource Decision, a Accounts) Decision {
	switch {
	case identity == ExplicitDeny || resource == ExplicitDeny:
		return ExplicitDeny
	case identity == Allow && resource == Allow:
		return Allow
	case a == SameAccount && (identity == Allow || resource == Allow):
		return Allow
	}
	return ImplicitDeny
}

// Alone decides by the resource policy alone, for methods without authorization
// and, once the token is verified, for those with a Cognito authorizer: it has to
// allow. Without a policy, a public API is open to all and a private one to none.
func Alone(resource *Policy, private bool, action Action, methodARN string, c *Context) Decision {
	if resource == nil && !private {
		return Allow
	}
	return resource.Evaluate(action, methodARN, c)
}
