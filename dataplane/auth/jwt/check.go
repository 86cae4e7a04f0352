package jwt

import (
	"sync"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

const (
	// skew is how far an issuer's clock may be ahead of ours, in seconds: it
	// concerns nbf and iat. A token ends with its exp to the second, as on AWS,
	// which documents no leeway at all.
	skew = 10

	// badFor is how long a token is remembered that is no good: with a bad
	// signature, expired or for somebody else.
	badFor = int64(30 * time.Second)
)

// judged is what was found out about a token that its issuer has signed. What
// depends on the time or on the method is decided for each request.
type judged struct {
	claims    *Claims
	key       *key   // worth nothing when it is revoked
	refusal   Result // what is wrong at any time, Valid if nothing
	use       string // token_use
	expires   int64  // seconds since the Unix epoch
	notBefore int64
	issuedAt  int64
}

// verdicts remembers what was found out about tokens. Those that are no good are
// kept apart, so that they push out no good ones.
type verdicts struct {
	good *verdict.Cache[*judged]
	bad  *verdict.Cache[*judged] // without claims if the signature is bad by the key
}

// Check says what a token is to a method that asks for scopes, and what it
// claims if it is Valid. now is of the clock that the Keys have, wall is
// nanoseconds since the Unix epoch.
//
// It never blocks, and allocates nothing for a token seen before. NeedKeys is not
// an answer yet: see Await.
func (a *Authorizer) Check(token []byte, scopes Scopes, now, wall int64) (Result, *Claims) {
	switch {
	case len(token) == 0:
		return Missing, nil
	case len(token) > maxToken:
		return Malformed, nil
	}
	var j *judged
	if seen := a.verdicts.good.Get(token, now); seen != nil && !(*seen).key.revoked.Load() {
		j = *seen
	} else {
		var refusal Result
		if j, refusal = a.verify(token, now, wall); refusal != 0 {
			return refusal, nil
		}
	}
	if r := a.decide(j, scopes, wall/int64(time.Second)); r != Valid {
		return r, nil
	}
	return Valid, j.claims
}

// decide is what a token is worth at a time, in seconds, and to a method.
func (a *Authorizer) decide(j *judged, scopes Scopes, seconds int64) Result {
	scoped := len(scopes.names) > 0
	use := useID
	if scoped {
		use = useAccess
	}
	switch {
	case j.refusal != Valid:
		return j.refusal
	case seconds >= j.expires:
		return Expired
	case seconds+skew < j.notBefore:
		return NotYetValid
	case seconds+skew < j.issuedAt:
		return IssuedInFuture
	case a.pools && j.use != use:
		return WrongUse
	case scoped && !scopes.any(j.claims.Scopes):
		return WrongScope
	}
	return Valid
}

var tokens = sync.Pool{New: func() any { return new(token) }}

// verify judges a token that was not seen before. It returns nil and why if the
// token cannot be judged.
func (a *Authorizer) verify(raw []byte, now, wall int64) (*judged, Result) {
	if seen := a.verdicts.bad.Get(raw, now); seen != nil && !(*seen).key.revoked.Load() {
		return *seen, 0
	}
	t := tokens.Get().(*token)
	defer tokens.Put(t)
	defer t.forget()
	if r := t.parse(raw); r != 0 {
		return nil, r
	}
	p := a.provider(t)
	if p == nil {
		return nil, WrongIssuer
	}
	k, alg, r := p.find(t, now, wall)
	if r != 0 {
		return nil, r
	}
	p.store.verified.Add(1)
	if alg.Verify(string(t.signed), t.signature, k.public) != nil {
		p.store.badSignatures.Add(1)
		j := &judged{key: k, refusal: BadSignature}
		a.verdicts.bad.Put(raw, j, now, now+badFor)
		return j, 0
	}
	j, r := a.judge(t, k)
	if r != 0 {
		return nil, r
	}
	a.remember(raw, j, now, wall)
	return j, 0
}

// remember keeps a verdict for as long as it can hold.
func (a *Authorizer) remember(raw []byte, j *judged, now, wall int64) {
	left := j.expires - wall/int64(time.Second)
	switch {
	case j.refusal != Valid || left <= 0:
		a.verdicts.bad.Put(raw, j, now, now+min(badFor, a.keep))
	case left >= a.keep/int64(time.Second):
		a.verdicts.good.Put(raw, j, now, now+a.keep)
	default:
		a.verdicts.good.Put(raw, j, now, now+left*int64(time.Second))
	}
}

// provider returns the issuer that a token names, nil if it is not trusted.
func (a *Authorizer) provider(t *token) *provider {
	if iss := t.claims.get("iss"); iss.kind == isString {
		return a.issuers[iss.text]
	}
	return nil
}

// Values of token_use.
//
// Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
const (
	useID     = "id"
	useAccess = "access"
)

// judge reads the claims of a token whose signature is good.
func (a *Authorizer) judge(t *token, k *key) (*judged, Result) {
	m := t.claims
	j := &judged{key: k, refusal: Valid}
	var ok bool
	if j.expires, ok = m.get("exp").date(); !ok {
		return nil, WrongClaims
	}
	if v := m.get("nbf"); v.kind != 0 {
		if j.notBefore, ok = v.date(); !ok {
			return nil, WrongClaims
		}
	}
	if v := m.get("iat"); v.kind != 0 {
		if j.issuedAt, ok = v.date(); !ok {
			return nil, WrongClaims
		}
	}
	for _, name := range []string{"sub", "client_id", "token_use"} {
		if _, ok := m.text(name); !ok {
			return nil, WrongClaims
		}
	}
	if j.use, _ = m.text("token_use"); a.pools && j.use != useID && j.use != useAccess {
		return nil, WrongUse
	}
	if j.refusal, ok = a.audience(m, j.use); !ok {
		return nil, WrongClaims
	}
	scope := m.get("scope")
	if scope.kind == 0 {
		scope = m.get("scp")
	}
	j.claims = newClaims(m, a.form, readScopes(scope))
	return j, 0
}

// audience is Valid if the token is for one of those that the authorizer accepts.
// It is false if the claim cannot be understood.
//
// A JWT authorizer looks at client_id only if there is no aud. Of a user pool, ID
// tokens name the client in aud and access tokens in client_id.
func (a *Authorizer) audience(m members, use string) (Result, bool) {
	aud := m.get("aud")
	switch aud.kind {
	case 0, isString, isArray:
	default:
		return WrongClaims, false
	}
	if a.pools && use == useAccess || !a.pools && aud.kind == 0 {
		aud = m.get("client_id")
	}
	named := []value{aud}
	if aud.kind == isArray {
		named = readItems(aud.text, nil)
	}
	found := WrongAudience
	if a.accepts == nil {
		found = Valid
	}
	for _, v := range named {
		switch {
		case v.kind == 0:
		case v.kind != isString:
			return WrongClaims, false
		case a.accepts != nil && a.accepts(v.text):
			found = Valid
		}
	}
	return found, true
}
