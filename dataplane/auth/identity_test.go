package auth

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
)

// Entries of a response cache are told apart by who is recognised, by what, and
// by what an authorizer said of it.
func TestCallersAreToldApart(t *testing.T) {
	ann, bob := user(t, ""), user(t, "")
	bob.ARN = "arn:aws:iam::123456789012:user/bob"
	said := func(b byte) *authorizer.Verdict { return &authorizer.Verdict{PrincipalID: "me", Said: [32]byte{b}} }
	callers := []Identity{
		{User: ann}, {User: bob},
		{Claims: &jwt.Claims{Subject: "me"}, Token: []byte("a")}, {Claims: &jwt.Claims{Subject: "me"}, Token: []byte("b")},
		{Verdict: said(1), Key: []byte("a")}, {Verdict: said(1), Key: []byte("b")}, {Verdict: said(2), Key: []byte("a")},
	}
	seen := map[string]int{}
	for i := range callers {
		key, ok := callers[i].AppendKey([]byte("start"))
		again, _ := callers[i].AppendKey([]byte("start"))
		if other, found := seen[string(key)]; !ok || found || string(again) != string(key) {
			t.Errorf("caller %d: %t, as caller %d: %t", i, ok, other, found)
		}
		seen[string(key)] = i
	}
	for _, nobody := range []Identity{{}, {Verdict: said(1)}} {
		if _, ok := nobody.AppendKey(nil); ok {
			t.Errorf("%+v has a key", nobody)
		}
	}
}
