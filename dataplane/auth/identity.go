package auth

import (
	"crypto/sha256"
	"strings"

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
	return dst, false
}

// AppendContext appends $context.authorizer.NAME, nothing if there is none.
func (id *Identity) AppendContext(dst []byte, name string) []byte {
	const claims = "claims."
	if id.Claims != nil && strings.HasPrefix(name, claims) {
		text, _ := id.Claims.Get(name[len(claims):])
		return append(dst, text...)
	}
	return dst
}

// Authorize decides whether a caller may do something to the method.
//
// The API's resource policy and what the caller's own policies say count together
// for signed requests; for all others the resource policy counts alone, and has
// to allow if there is one. A private API needs a resource policy that allows.
func (g *Guard) Authorize(s *Scratch, r *Request, id *Identity, action policy.Action) Decision {
	return g.decide(s, r, func(arn string) policy.Decision {
		if g.Kind == IAM {
			return g.combine(id.User.Evaluate(action, arn, r.Context), action, arn, r.Context)
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
	if g.Kind != IAM && g.policy == nil {
		return false
	}
	return g.Authorize(s, r, id, policy.InvalidateCache).Decision == policy.Allow
}
