package iam

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestPoliciesOfAUser(t *testing.T) {
	const ann, bob = "AKIAAAAAAAAAAAAAAAAA", "AKIABBBBBBBBBBBBBBBB"
	team := managedPolicy("team", document(allow("/prod/*/${aws:PrincipalTag/team}/*"), deny("/prod/DELETE/*")))
	own := managedPolicy("own", document(allow("/prod/GET/users/${aws:username}"), allow("/prod/GET/ids/${aws:userid}"),
		`{'Effect':'Allow','Action':'*','Resource':'`+api+`/prod/GET/arn','Condition':{'StringEquals':{'aws:PrincipalArn':'${aws:PrincipalArn}',
			'aws:PrincipalAccount':'${aws:PrincipalAccount}','aws:PrincipalType':'User'}}}`))
	escaped := managedPolicy("escaped", strings.Replace(document(allow("/prod/PUT/$")), "$", `\u0024{aws:username}`, 1))
	plain := managedPolicy("plain", document(allow("/prod/GET/plain")))
	g := newGate(t, definition.Change{
		PutPolicies: []*definition.ManagedPolicy{team, own, escaped, plain},
		PutUsers: []*definition.User{
			user("ann", tagged("Team", "blue"), attached("escaped", "own", "plain", "team"), inline("i", document(allow("/test/*")))),
			user("bob", tagged("team", "re*"), attached("escaped", "own", "plain", "team")),
		},
		PutAccessKeys: []*definition.AccessKey{key(ann, "ann", secret), key(bob, "bob", other)},
	})
	for _, row := range []struct {
		key, path string
		want      policy.Decision
	}{
		{ann, "/prod/GET/blue/1", policy.Allow},
		{ann, "/prod/GET/red/1", policy.ImplicitDeny},
		{bob, "/prod/GET/red/1", policy.ImplicitDeny}, // the asterisk of a tag is none
		{bob, "/prod/GET/re*/1", policy.Allow},
		{ann, "/prod/DELETE/blue/1", policy.ExplicitDeny},
		{ann, "/prod/GET/users/ann", policy.Allow},
		{ann, "/prod/GET/users/bob", policy.ImplicitDeny},
		{bob, "/prod/GET/users/bob", policy.Allow},
		{bob, "/prod/GET/ids/AIDABOB", policy.Allow},
		{bob, "/prod/GET/arn", policy.Allow},
		{ann, "/prod/PUT/ann", policy.Allow},
		{bob, "/prod/PUT/ann", policy.ImplicitDeny},
		{bob, "/prod/GET/plain", policy.Allow},
		{ann, "/test/GET/x", policy.Allow},
		{bob, "/test/GET/x", policy.ImplicitDeny},
	} {
		if got := g.evaluate(row.key, row.path); got != row.want {
			t.Errorf("%s %s: %v", row.key, row.path, got)
		}
	}
	plainOf := func(key string) *policy.Policy {
		all := g.Lookup([]byte(key)).Principal.(*Principal).rules.Load().policies
		return all[len(all)-2]
	}
	if plainOf(ann) != plainOf(bob) {
		t.Error("a policy without variables was compiled for each user")
	}
	if m := g.current.Load().managed; m["plain"].shared == nil || m["own"].shared != nil || m["escaped"].shared != nil {
		t.Error("a policy with variables is shared")
	}
}

func TestCompileErrorsNameThePlace(t *testing.T) {
	g := newGate(t, definition.Change{
		PutPolicies:   []*definition.ManagedPolicy{managedPolicy("team", document(allow("/${aws:PrincipalTag/team}"))), managedPolicy("or", document(allow("/${aws:PrincipalTag/team, 'none'}")))},
		PutUsers:      []*definition.User{user("ann", tagged("team", "blue"), attached("or", "team"))},
		PutAccessKeys: []*definition.AccessKey{key("AKIAAAAAAAAAAAAAAAAA", "ann", secret)},
	})
	broken := document(allow("/*"), `{'Effect':'Maybe'}`)
	const hint = `: give the user that tag, or the variable a default such as ${aws:PrincipalTag/team, 'none'}`
	users := func(u ...*definition.User) definition.Change { return definition.Change{PutUsers: u} }
	policies := func(name, document string) definition.Change {
		return definition.Change{PutPolicies: []*definition.ManagedPolicy{managedPolicy(name, document)}}
	}
	for _, row := range []struct {
		want string
		ch   definition.Change
	}{
		{`policy "x": Statement[1].Effect: must be "Allow" or "Deny"`, policies("x", broken)},
		{`policy "x": byte 0: unexpected end of JSON input`, policies("x", "")},
		{`policy "x": Statement[0].Resource: the policy variable "aws:SourceIp" has no value here`, policies("x", document(allow("/${aws:SourceIp}")))},
		{`policy "x": Statement[0]: has a principal, which is for resource policies`, policies("x", document(strings.Replace(allow("/"), "{", "{'Principal':'*',", 1)))},
		{`user "ann": policy "i": Statement[1].Effect: must be "Allow" or "Deny"`, users(user("ann", inline("i", broken)))},
		{`user "bob": attached policy "team": Statement[0].Resource: the policy variable "aws:PrincipalTag/team" has no value here` + hint, users(user("bob", attached("team")))},
		{`user "ann": attached policy "team": Statement[0].Resource: the policy variable "aws:PrincipalTag/team" has no value here` + hint, users(user("ann", attached("team")))},
		{`user "ann": attached policy "or": Statement[0].Resource: the policy variable "aws:PrincipalTag/cost" has no value here` + hint, policies("or", document(allow("/${aws:PrincipalTag/cost}")))},
		{`user "bob": attached policy "none" does not exist`, users(user("bob", attached("none")))},
		{`user "ann": attached policy "or" does not exist`, definition.Change{DeletePolicies: []string{"or"}}},
		{`user "bob": has the id AIDAANN of user "ann"`, users(user("bob", func(u *definition.User) { u.ID = "AIDAANN" }))},
		{`user "bob": two tags are named "team" but for the case, which does not tell them apart`, users(user("bob", func(u *definition.User) { u.Tags = map[string]string{"team": "a", "Team": "b"} }))},
		{`access key AKIAAAAAAAAAAAAAAAAA: its user "ann" does not exist`, definition.Change{DeleteUsers: []string{"ann"}}},
		{`access key AKIAAAAAAAAAAAAAAAAA: has no secret`, definition.Change{PutAccessKeys: []*definition.AccessKey{key("AKIAAAAAAAAAAAAAAAAA", "ann", "")}}},
	} {
		if err := g.try(row.ch); err == nil || err.Error() != row.want {
			t.Errorf("got  %v\nwant %s", err, row.want)
		}
	}
	g.apply(t, users(user("bob", attached("or")))) // the default is its value
}
