package auth

import (
	"unsafe"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

// Kind is how the callers of a method are recognised.
type Kind uint8

// Kinds.
const (
	None   Kind = iota // not at all
	IAM                // by the signature of the request
	Tokens             // by a token of an issuer
	Custom             // by what an authorizer of the owner's says
)

// Guard is what stands before a method. It is immutable; any number of
// goroutines may use it.
type Guard struct {
	Kind   Kind
	Action policy.Action   // that callers need the permission for
	Tokens *jwt.Authorizer // of Tokens
	Scopes jwt.Scopes      // any of which a token has to have
	Source jwt.Source      // of tokens; the name of a field is in lower case
	Custom *authorizer.Authorizer

	policy  *policy.Policy // of the API; nil: none
	private bool           // the API is for private listeners alone
	stage   string         // the method ARN up to the verb: arn:aws:execute-api:region:account:api/stage/
}

// CallerFields returns the header fields, in lower case, that callers are known
// by.
func (g *Guard) CallerFields() []string {
	switch {
	case g == nil:
	case g.Kind == IAM:
		return []string{"authorization"}
	case g.Kind == Tokens && !g.Source.Query:
		return []string{g.Source.Name}
	case g.Kind == Custom:
		return g.Custom.HeaderFields()
	}
	return nil
}

// Request is what a decision is about. Its bytes are not kept.
type Request struct {
	Verb string
	Path []byte // behind the stage, with its first slash

	// Route is the key of a WebSocket API's route, in place of Verb and Path.
	Route string

	// Context is what conditions are about, but for the principal.
	Context *policy.Context
}

// Decision is what policies say of a request, and why.
type Decision struct {
	policy.Decision
	ARN string // of the method as it was judged; valid until the next use of the scratch
}

// Scratch holds the method ARNs of the request that is being decided about. It is
// for one goroutine.
type Scratch struct{ bytes []byte }

// arn returns the ARN of a method, in the scratch.
func (g *Guard) arn(s *Scratch, r *Request, plain bool) string {
	b := append(s.bytes[:0], g.stage...)
	if r.Route != "" {
		b = append(b, r.Route...)
		s.bytes = b
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	b = append(append(b, r.Verb...), '/')
	path := r.Path
	if len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	if plain {
		b = appendPlain(b, path)
	} else {
		b = append(b, path...)
	}
	s.bytes = b
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// MethodARN returns the ARN of the method that a request calls, in the scratch.
func (g *Guard) MethodARN(s *Scratch, r *Request) string { return g.arn(s, r, false) }

// Refuses reports whether the API's resource policy denies a request whoever
// calls, so that nobody need be asked who that is.
func (g *Guard) Refuses(s *Scratch, r *Request) (d Decision, refused bool) {
	if g.policy == nil {
		return d, false
	}
	d = g.decide(s, r, func(arn string) policy.Decision { return g.policy.Evaluate(policy.Invoke, arn, r.Context) })
	return d, d.Decision == policy.ExplicitDeny
}

// decide asks for a decision about the request as it is and, if its path can be
// read in another way, about that too. The stricter one holds.
func (g *Guard) decide(s *Scratch, r *Request, ask func(arn string) policy.Decision) Decision {
	d := Decision{ARN: g.arn(s, r, false)}
	d.Decision = ask(d.ARN)
	if d.Decision == policy.ExplicitDeny || isPlain(r.Path) {
		return d
	}
	arn := g.arn(s, r, true)
	if other := ask(arn); other != policy.Allow {
		d = Decision{other, arn}
	} else if d.Decision != policy.Allow {
		d.ARN = g.arn(s, r, false)
	}
	return d
}
