package e2e

import (
	"context"
	"testing"
)

// The access log names the user who signed a request, and nobody where that is not
// known.
func TestLogOfSigners(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann, bob := d.internalCaller("ann", mayAll), d.internalCaller("bob", "")
	users, err := d.client.Users(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, u := range users {
		ids[u.UserName] = u.UserID
	}
	log := &logged{d: d}
	names := []string{"identity.accountId", "identity.caller", "identity.user", "identity.userArn", "identity.accessKey", "authorizer.principalId", "authorizer.status", "authorizer.error"}
	expect := func(what string, a *answer, status int, values ...string) {
		t.Helper()
		if a.status != status {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
		members := map[string]string{}
		for i, name := range names {
			members[name] = "-"
			if i < len(values) {
				members[name] = values[i]
			}
		}
		log.expect(what, a, members)
	}
	const account = "000000000000"
	expect("signed", d.do(d.signed(ann, "GET", "/prod/pets/a", "", signing{})), 200, account, ids["ann"], ids["ann"], "arn:aws:iam::"+account+":user/ann", ann.AccessKeyID)
	expect("signed, may not", d.do(d.signed(bob, "GET", "/prod/pets/a", "", signing{})), 403, account, ids["bob"], ids["bob"], "arn:aws:iam::"+account+":user/bob", bob.AccessKeyID)
	bob.SecretAccessKey = ann.SecretAccessKey
	expect("signed with another's secret", d.do(d.signed(bob, "GET", "/prod/pets/a", "", signing{})), 403)
	expect("not signed", d.ask("GET", "/prod/pets/a", ""), 403)
	expect("nobody is asked", d.ask("GET", "/prod/open/a", ""), 200)
	log.check()
}
