package jwt

import "github.com/tidegate/tidegate/dataplane/auth/verdict"

// Waiter is told once, from another goroutine, when an issuer's keys have been
// fetched or could not be; see verdict.Waiter. The error is for logs.
type Waiter = verdict.Waiter[error]

// Await has w told when the keys that a token needs have been fetched, within
// three seconds. Call it after NeedKeys. It is false, and w is not told, when
// nothing is being fetched or too many wait.
//
// Either way Check is to be called again then. NeedKeys is final at the second
// time, and refuses the token.
func (a *Authorizer) Await(token []byte, w Waiter) bool {
	p := a.providerOf(token)
	return p != nil && p.wait(w)
}

// Leave ends w's wait. It is false when w has been told, or is about to be.
func (a *Authorizer) Leave(token []byte, w Waiter) bool {
	p := a.providerOf(token)
	return p != nil && p.calls.Leave(call, w)
}

// providerOf returns the issuer that a token names, nil if it is not trusted.
func (a *Authorizer) providerOf(raw []byte) *provider {
	t := tokens.Get().(*token)
	defer tokens.Put(t)
	defer t.forget()
	if t.parse(raw) != 0 {
		return nil
	}
	return a.provider(t)
}
