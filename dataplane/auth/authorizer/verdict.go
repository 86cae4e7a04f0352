package authorizer

import (
	"crypto/sha256"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

// Outcome is how it ended that an authorizer was asked.
type Outcome uint8

// Outcomes. The zero value lets nobody in.
const (
	Failed        Outcome = iota // AUTHORIZER_FAILURE: the call gave no answer
	Misconfigured                // AUTHORIZER_CONFIGURATION_ERROR: the authorizer does not do as it should
	Unauthorized                 // UNAUTHORIZED: the authorizer does not know the caller
	Decided                      // the policy says
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	return [...]string{"failed", "misconfigured", "unauthorized", "decided"}[o]
}

// onTimeout is the outcome of a call that takes too long. AWS does not document
// whether it is AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR; there are
// reports of the latter's body.
const onTimeout = Failed

// Verdict is what came of asking an authorizer. It is immutable, and any number
// of requests may share it.
type Verdict struct {
	Outcome Outcome

	// Of Decided. The API key is empty if the authorizer named none.
	PrincipalID        string
	Policy             *policy.Policy
	Context            []Value
	UsageIdentifierKey string

	// Said tells answers apart: a hash of all that the authorizer answered.
	Said [sha256.Size]byte

	// Latency is how long the call took, in nanoseconds; 0 for a verdict that was
	// remembered.
	Latency int64

	// Err says what went wrong, for the log. It is not for clients.
	Err error

	lasting bool // a policy, which may be remembered
}

// Value is a member of the context that an authorizer gives with its policy:
// $context.authorizer.NAME. Text is its string, its number as it came, or "true"
// or "false", as REST APIs make strings of all.
type Value struct {
	Name, Text string
	Null       bool
}

// Value returns a member of the context as text; "" for null.
func (v *Verdict) Value(name string) (text string, ok bool) {
	for i := range v.Context {
		if v.Context[i].Name == name {
			return v.Context[i].Text, true
		}
	}
	return "", false
}

// Evaluate decides whether the caller may call a method, given by its ARN. What
// is not Decided is an explicit deny.
func (v *Verdict) Evaluate(methodARN string, c *policy.Context) policy.Decision {
	if v.Outcome != Decided {
		return policy.ExplicitDeny
	}
	return v.Policy.Evaluate(policy.Invoke, methodARN, c)
}

// Denial returns AWS's message for a request that a policy does not allow. Newer
// accounts are reported to have " in an identity-based policy" behind it.
func Denial(d policy.Decision) string {
	const silent = "User is not authorized to access this resource"
	if d == policy.ExplicitDeny {
		return silent + " with an explicit deny"
	}
	return silent
}

func failed(err error) Verdict        { return Verdict{Outcome: Failed, Err: err} }
func misconfigured(err error) Verdict { return Verdict{Outcome: Misconfigured, Err: err} }

// denied is the verdict of an endpoint that answers 403.
func denied() Verdict { return Verdict{Outcome: Decided, Policy: denyAll} }

var denyAll = func() *policy.Policy {
	p, err := policy.Compile([]byte(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`), policy.Options{Kind: policy.Identity})
	if err != nil {
		panic(fmt.Sprint("authorizer: ", err))
	}
	return p
}()
