package auth

import (
	"crypto/sha256"
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

// Identity is who calls. The zero value is nobody in particular.
type Identity struct {
	User      *iam.Principal // of IAM
	AccessKey string         // of IAM: the id of the key that signed
	Claims    *jwt.Claims    // of Tokens
	Token     []byte         // of Tokens, as it came

	// Of Custom: what was said, and of whom, empty if nothing tells callers apart.
	Verdict *authorizer.Verdict
	Key     []byte
}

// AppendKey appends what tells callers apart, so that one gets no answer that was
// made for another. It is false for a caller that cannot be told from others.
func (id *Identity) AppendKey(dst []byte) ([]byte, bool) {
	if id.User != nil {
		return append(append(dst, "iam "...), id.User.ARN...), true
	}
	if id.Claims != nil { // two tokens of one principal may say different things
		sum := sha256.Sum256(id.Token)
		return append(append(dst, "token "...), sum[:]...), true
	}
	if v := id.Verdict; v != nil && len(id.Key) > 0 { // a principal's name may stand for many, and another time an authorizer may say something else of the same key
		sum := sha256.Sum256(id.Key)
		return append(append(append(dst, "key "...), sum[:]...), v.Said[:]...), true
	}
	return dst, false
}

// AppendContext appends $context.authorizer.NAME, nothing if there is none.
func (id *Identity) AppendContext(dst []byte, name string) []byte {
	const claims = "claims."
	if id.Claims != nil && strings.HasPrefix(name, claims) {
		text, _ := id.Claims.Get(name[len(claims):])
		return append(dst, text...)
	}
	switch {
	case id.Verdict == nil:
	case name == "principalId":
		return append(dst, id.Verdict.PrincipalID...)
	default:
		text, _ := id.Verdict.Value(name)
		return append(dst, text...)
	}
	return dst
}

// Authorize decides whether a caller may do something to the method.
//
// For signed requests and custom authorizers the API's resource policy counts
// together with the caller's own policies, or those that the authorizer gave; for
// all others it counts alone, and has to allow if there is one. A private API
// needs a resource policy.
func (g *Guard) Authorize(s *Scratch, r *Request, id *Identity, action policy.Action) Decision {
	return g.decide(s, r, func(arn string) policy.Decision {
		switch g.Kind {
		case IAM:
			return g.combine(id.User.Evaluate(action, arn, r.Context), action, arn, r.Context)
		case Custom:
			return g.combine(id.Verdict.Policy.Evaluate(action, arn, r.Context), action, arn, r.Context)
		}
		return policy.Alone(g.policy, g.private, action, arn, r.Context)
	})
}

// combine joins the decision of a caller's own policies with that of the API's.
func (g *Guard) combine(own policy.Decision, action policy.Action, arn string, c *policy.Context) policy.Decision {
	if g.policy == nil && g.private && own == policy.Allow {
		return policy.ImplicitDeny
	}
	return policy.Combine(own, g.policy.Evaluate(action, arn, c), policy.SameAccount)
}

// MayInvalidate reports whether a caller has the permission to replace an entry of
// the stage's cache. Somebody has to have given it.
func (g *Guard) MayInvalidate(s *Scratch, r *Request, id *Identity) bool {
	if g.Kind != IAM && g.Kind != Custom && g.policy == nil {
		return false
	}
	return g.Authorize(s, r, id, policy.InvalidateCache).Decision == policy.Allow
}
