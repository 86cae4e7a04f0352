package iam

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// TestSignedByTheSDK is the way of a request: signature, principal, policies.
func TestSignedByTheSDK(t *testing.T) {
	g := newGate(t, definition.Change{
		PutUsers:      []*definition.User{user("ann", tagged("Team", "blue"), inline("pets", document(allow("/prod/GET/pets"))), func(u *definition.User) { u.Path = "/shops/" })},
		PutAccessKeys: []*definition.AccessKey{key("AKIAAAAAAAAAAAAAAAAA", "ann", secret)},
	})
	v := sigv4.New(sigv4.Config{Region: region, Credentials: g})
	id, refused := verify(v, signed(t, "AKIAAAAAAAAAAAAAAAAA", secret))
	if refused != "" || id.AccessKeyID != "AKIAAAAAAAAAAAAAAAAA" || id.Temporary {
		t.Fatalf("%+v, %s", id, refused)
	}
	p := id.Principal.(*Principal)
	if p.ARN != "arn:aws:iam::123456789012:user/shops/ann" || p.Name != "ann" || p.UserID != "AIDAANN" || p.Account != account {
		t.Errorf("principal %+v", p)
	}
	c := policy.Context{Now: at.UnixNano()}
	if d := p.Evaluate(policy.Invoke, api+"/prod/GET/pets", &c); d != policy.Allow {
		t.Error(d)
	}
	if d := p.Evaluate(policy.Invoke, api+"/prod/GET/orders", &c); d != policy.ImplicitDeny {
		t.Error(d)
	}
	if c.PrincipalARN != p.ARN || c.PrincipalAccount != account || c.PrincipalType != "User" || c.Username != "ann" || c.UserID != "AIDAANN" || c.PrincipalTags["team"] != "blue" {
		t.Errorf("context %+v", c)
	}
	for name, r := range map[string][2]string{
		"another secret": {"AKIAAAAAAAAAAAAAAAAA", other},
		"no secret":      {"AKIAAAAAAAAAAAAAAAAA", ""},
	} {
		if _, refused := verify(v, signed(t, r[0], r[1])); refused != "InvalidSignatureException" {
			t.Errorf("%s: %q", name, refused)
		}
	}
	for _, unknown := range []string{"AKIABBBBBBBBBBBBBBBB", "AKIAAAAAAAAAAAAAAAA", "akiaaaaaaaaaaaaaaaaa", "A"} {
		if _, refused := verify(v, signed(t, unknown, secret)); refused != "UnrecognizedClientException" {
			t.Errorf("%s: %q", unknown, refused)
		}
	}
}

// TestRotation goes from one key to the next with both in use in between. What is
// switched off or deleted refuses at once.
func TestRotation(t *testing.T) {
	const first, second = "AKIAAAAAAAAAAAAAAAAA", "AKIABBBBBBBBBBBBBBBB"
	g := newGate(t, definition.Change{PutUsers: []*definition.User{user("ann")}, PutAccessKeys: []*definition.AccessKey{key(first, "ann", secret)}})
	v := sigv4.New(sigv4.Config{Region: region, Credentials: g})
	requests := map[string]func() string{
		first:  func() string { _, refused := verify(v, signed(t, first, secret)); return refused },
		second: func() string { _, refused := verify(v, signed(t, second, other)); return refused },
	}
	const in, out = "", "UnrecognizedClientException"
	inactive := key(first, "ann", secret)
	inactive.Active = false
	for _, step := range []struct {
		name          string
		ch            definition.Change
		first, second string
	}{
		{"the first alone", definition.Change{}, in, out},
		{"both", definition.Change{PutAccessKeys: []*definition.AccessKey{key(second, "ann", other)}}, in, in},
		{"the first is switched off", definition.Change{PutAccessKeys: []*definition.AccessKey{inactive}}, out, in},
		{"and on again", definition.Change{PutAccessKeys: []*definition.AccessKey{key(first, "ann", secret)}}, in, in},
		{"the first is deleted", definition.Change{DeleteAccessKeys: []string{first}}, out, in},
		{"the user is deleted", definition.Change{DeleteAccessKeys: []string{second}, DeleteUsers: []string{"ann"}}, out, out},
	} {
		g.apply(t, step.ch)
		if a, b := requests[first](), requests[second](); a != step.first || b != step.second {
			t.Errorf("%s: %q and %q", step.name, a, b)
		}
	}
}

// TestWhatAChangeDoesNotTouchStays: a key keeps its Credential, which holds the
// keys derived for the day, whatever happens to policies.
func TestWhatAChangeDoesNotTouchStays(t *testing.T) {
	const of, beside = "AKIAAAAAAAAAAAAAAAAA", "AKIABBBBBBBBBBBBBBBB"
	g := newGate(t, definition.Change{
		PutUsers:      []*definition.User{user("ann", attached("pets")), user("bob")},
		PutPolicies:   []*definition.ManagedPolicy{managedPolicy("pets", document(allow("/prod/GET/pets")))},
		PutAccessKeys: []*definition.AccessKey{key(of, "ann", secret), key(beside, "bob", other)},
	})
	credential, rulesOfBob := g.Lookup([]byte(of)), g.Lookup([]byte(beside)).Principal.(*Principal).rules.Load()
	same := key(of, "ann", secret)
	for _, step := range []struct {
		name string
		ch   definition.Change
		want policy.Decision
	}{
		{"nothing", definition.Change{}, policy.Allow},
		{"the same key again", definition.Change{PutAccessKeys: []*definition.AccessKey{same}}, policy.Allow},
		{"another document", definition.Change{PutPolicies: []*definition.ManagedPolicy{managedPolicy("pets", document(deny("/*")))}}, policy.ExplicitDeny},
		{"detached", definition.Change{PutUsers: []*definition.User{user("ann")}}, policy.ImplicitDeny},
		{"policy deleted", definition.Change{DeletePolicies: []string{"pets"}}, policy.ImplicitDeny},
		{"an inline policy", definition.Change{PutUsers: []*definition.User{user("ann", inline("i", document(allow("/*"))))}}, policy.Allow},
		{"a second key", definition.Change{PutAccessKeys: []*definition.AccessKey{key("AKIACCCCCCCCCCCCCCCC", "ann", other)}}, policy.Allow},
	} {
		g.apply(t, step.ch)
		if g.Lookup([]byte(of)) != credential {
			t.Errorf("%s: another Credential", step.name)
		}
		if d := g.evaluate(of, "/prod/GET/pets"); d != step.want {
			t.Errorf("%s: %v", step.name, d)
		}
		if g.Lookup([]byte(beside)).Principal.(*Principal).rules.Load() != rulesOfBob {
			t.Errorf("%s: bob was compiled again", step.name)
		}
	}
	g.apply(t, definition.Change{PutAccessKeys: []*definition.AccessKey{key(of, "ann", other)}})
	if c := g.Lookup([]byte(of)); c == credential || c.Secret != other || credential.Secret != secret {
		t.Errorf("another secret: %+v", c)
	}
	// A user that comes again is another one, and so is its Principal.
	gone := g.Lookup([]byte(of)).Principal
	again := user("ann")
	again.ID = "AIDAANN2"
	g.apply(t, definition.Change{PutUsers: []*definition.User{again}})
	if p := g.Lookup([]byte(of)).Principal.(*Principal); p == gone || p.UserID != "AIDAANN2" {
		t.Errorf("principal %+v", p)
	}
}

// TestRefusedSetHasNoEffect: what was compiled and not put in force is as if it
// had never been.
func TestRefusedSetHasNoEffect(t *testing.T) {
	const id = "AKIAAAAAAAAAAAAAAAAA"
	g := newGate(t, definition.Change{
		PutUsers:      []*definition.User{user("ann", inline("i", document(allow("/*"))))},
		PutAccessKeys: []*definition.AccessKey{key(id, "ann", secret)},
	})
	credential := g.Lookup([]byte(id))
	ch := definition.Change{PutUsers: []*definition.User{user("ann")}, PutAccessKeys: []*definition.AccessKey{key("AKIABBBBBBBBBBBBBBBB", "ann", other)}}
	if _, err := g.Compile(g.catalog.With(ch)); err != nil {
		t.Fatal(err)
	}
	if g.Lookup([]byte(id)) != credential || g.Lookup([]byte("AKIABBBBBBBBBBBBBBBB")) != nil || g.evaluate(id, "/prod/GET/") != policy.Allow {
		t.Error("a set took effect that was not swapped in")
	}
	g.apply(t, definition.Change{PutUsers: []*definition.User{user("ann", inline("i", document(deny("/*"))))}})
	if d := g.evaluate(id, "/prod/GET/"); d != policy.ExplicitDeny {
		t.Error(d)
	}
}
