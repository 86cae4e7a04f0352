package pipeline

import (
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// authenticateToken is for methods that ask for a token of an issuer. While the
// issuer's keys are not there yet, the request waits for them, once.
func (t *transaction) authenticateToken() bool {
	g, w := t.method.Guard, t.worker
	token, ok := t.findToken(g.Source)
	if !ok { // several
		t.refuseToken(jwt.Malformed)
		return false
	}
	result, claims := g.Tokens.Check(token, g.Scopes, t.x.Started, w.loop.Wall(t.x.Started))
	switch {
	case result == jwt.Valid:
		t.judgeToken(result)
		t.identity.Claims, t.identity.Token = claims, token
		return true
	case result == jwt.NeedKeys && !t.askedKeys:
		t.askedKeys = true
		wait := &keysWait{t.newPause(stepAuthenticate)}
		if g.Tokens.Await(token, wait) {
			wait.begin(func() { g.Tokens.Leave(token, wait) })
			return false
		}
		return t.authenticateToken() // they have just come, or do not come
	}
	t.refuseToken(result)
	return false
}

// keysWait is a request that waits for the keys of an issuer.
type keysWait struct{ *pause }

// Decided implements jwt.Waiter.
func (k *keysWait) Decided(error) { k.wake() }

// findToken returns the token of a request, empty if there is none. It is false
// for one that has several.
func (t *transaction) findToken(from jwt.Source) (token []byte, ok bool) {
	r := &t.x.Request
	found := 0
	if from.Query {
		for q := (http1.Query{Rest: r.Query}); q.Next(); {
			if q.Is(from.Name) {
				token, found = q.Value, found+1
			}
		}
		return token, found < 2
	}
	for i := range r.Len() {
		if http1.EqualFold(r.Name(i), from.Name) {
			token, found = jwt.Token(r.Value(i)), found+1
		}
	}
	return token, found < 2
}

// judgeToken notes what the token is found to be.
func (t *transaction) judgeToken(result jwt.Result) {
	t.token = result
	if c := t.worker.pipeline.admission.TokenChecks; c != nil {
		c.Add(t.worker.loop.ID, result.Index(), 1)
	}
}

func (t *transaction) refuseToken(result jwt.Result) {
	t.judgeToken(result)
	g := t.method.Guard
	a := g.Tokens.Answer(result)
	const name = "WWW-Authenticate: "
	if t.fields = g.Tokens.AppendChallenge(append(t.fields[:0], name...), result, g.Scopes); len(t.fields) > len(name) {
		t.fields = append(t.fields, "\r\n"...)
	} else {
		t.fields = t.fields[:0]
	}
	reason := Unauthorized
	if a.Status == 403 {
		reason = InsufficientScope
	}
	t.rejectWith(reason, a.Message)
}
