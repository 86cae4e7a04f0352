package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/control"
)

const readPets = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/prod/GET/${aws:PrincipalTag/team}/*"},
  {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
]}
`

// TestIAMJourney takes a user from its making to its deletion.
func TestIAMJourney(t *testing.T) {
	f := newFixture(t)
	out := f.must(t, "iam", "create-user", "billing", "--tag", "team=blue", "--tag", "cost=7", "--path", "/batch/")
	printed(t, out, "NAME     ID", "billing  AIDA", "cost=7,team=blue")

	code, out, warning := f.run("iam", "create-key", "billing")
	m := regexp.MustCompile(`^aws_access_key_id = (AKIA[A-Z2-7]{16})\naws_secret_access_key = ([A-Za-z0-9]{40})\n$`).FindStringSubmatch(out)
	if code != exitOK || m == nil || warning != "Keep the secret now: it is shown this once.\n" {
		t.Fatalf("exit code %d, printed %q and %q", code, out, warning)
	}
	first, secret := m[1], m[2]
	second := decoded[control.AccessKey](t, f.must(t, "iam", "create-key", "billing", "--json"))
	if second.SecretAccessKey == "" || second.UserName != "billing" {
		t.Errorf("key %+v", second)
	}
	f.refused(t, exitRefused, "Cannot exceed quota for AccessKeysPerUser: 2", "iam", "create-key", "billing")

	file := write(t, "read-pets.json", readPets)
	if out := f.must(t, "iam", "put-policy", "read-pets", file); out != "stored policy read-pets, attached to 0 users\n" {
		t.Errorf("put-policy printed %q", out)
	}
	if out := f.must(t, "iam", "attach", "billing", "read-pets"); out != "policy read-pets is attached to user billing\n" {
		t.Errorf("attach printed %q", out)
	}
	f.stdin = `{"Statement": {"Effect": "Allow", "Action": "execute-api:InvalidateCache", "Resource": "*"}}`
	if out := f.must(t, "iam", "put-user-policy", "billing", "refresh", "-"); out != "stored policy refresh of user billing\n" {
		t.Errorf("put-user-policy printed %q", out)
	}
	users := f.must(t, "iam")
	printed(t, users, "2     read-pets,refresh*")
	if again := f.must(t, "iam", "users"); again != users {
		t.Errorf("users printed\n%s, iam\n%s", again, users)
	}
	if user := only[control.User](t, f.must(t, "iam", "users", "--json")); user.ARN != "arn:aws:iam::000000000000:user/batch/billing" || user.Tags["team"] != "blue" {
		t.Errorf("user %+v", user)
	}
	printed(t, f.must(t, "iam", "policies"), "read-pets  billing  20")
	if out := f.must(t, "iam", "show-policy", "read-pets"); out != readPets {
		t.Errorf("show-policy printed %q", out)
	}
	if out := f.must(t, "iam", "show-policy", "refresh", "--user", "billing"); out != f.stdin+"\n" {
		t.Errorf("show-policy --user printed %q", out)
	}

	if out := f.must(t, "iam", "disable-key", first); out != "disabled access key "+first+" of user billing\n" {
		t.Errorf("disable-key printed %q", out)
	}
	keys := f.must(t, "iam", "keys", "billing")
	printed(t, keys, first+"  Inactive", second.AccessKeyID+"  Active")
	if strings.Contains(keys+f.must(t, "iam", "keys", "--json"), secret) {
		t.Error("the secret is shown again")
	}
	if key := decoded[control.AccessKey](t, f.must(t, "iam", "enable-key", first, "--json")); key.Status != control.KeyActive {
		t.Errorf("enable-key printed %+v", key)
	}
	if out := f.must(t, "iam", "delete-key", first); out != "deleted access key "+first+"\n" {
		t.Errorf("delete-key printed %q", out)
	}

	f.refused(t, exitRefused, "must delete access keys first: "+second.AccessKeyID, "iam", "delete-user", "billing")
	f.refused(t, exitRefused, "Cannot delete a policy attached to entities: billing", "iam", "delete-policy", "read-pets")
	printed(t, f.must(t, "iam", "delete-policy", "refresh", "--user", "billing"), "deleted policy refresh of user billing\n")
	if out := f.must(t, "iam", "detach", "billing", "read-pets"); out != "policy read-pets is detached from user billing\n" {
		t.Errorf("detach printed %q", out)
	}
	f.must(t, "iam", "attach", "billing", "read-pets", "--json")
	printed(t, f.must(t, "iam", "delete-user", "billing", "--force"), "deleted user billing\n")
	printed(t, f.must(t, "iam", "delete-policy", "read-pets"), "deleted policy read-pets\n")
	if out := f.must(t, "iam", "--json") + f.must(t, "iam", "keys", "--json") + f.must(t, "iam", "policies", "--json"); strings.TrimSpace(out) != "[]\n[]\n[]" {
		t.Errorf("left at the end: %s", out)
	}
}

func TestTagUser(t *testing.T) {
	f := newFixture(t)
	f.must(t, "iam", "create-user", "ann", "--tag", "team=blue", "--tag", "a/b=1")
	f.must(t, "iam", "create-key", "ann")
	out := f.must(t, "iam", "tag-user", "ann", "--tag", "team=red", "--tag", "x~y=2", "--remove", "a/b")
	printed(t, out, "1     -         team=red,x~y=2")
	f.stdin = readPets
	f.must(t, "iam", "put-policy", "read-pets", "-")
	f.must(t, "iam", "attach", "ann", "read-pets")
	f.refused(t, exitRefused, `user "ann": attached policy "read-pets": Statement[0].Resource: the policy variable "aws:PrincipalTag/team" has no value here: give the user that tag`,
		"iam", "tag-user", "ann", "--remove", "team")
	f.must(t, "iam", "create-user", "bob")
	f.refused(t, exitRefused, `user "bob": attached policy "read-pets": Statement[0].Resource`, "iam", "attach", "bob", "read-pets")
}

// TestSimulate says allowed or denied, by what, and with the exit code.
func TestSimulate(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	api := only[control.RestAPI](t, f.must(t, "apis", "--json"))
	f.must(t, "iam", "create-user", "ann", "--tag", "team=pets")
	f.stdin = readPets
	f.must(t, "iam", "put-policy", "read-pets", "-")
	f.must(t, "iam", "attach", "ann", "read-pets")
	arn := "arn:aws:execute-api:us-east-1:000000000000:" + api.ID + "/prod/GET/pets/6"
	const user = " for arn:aws:iam::000000000000:user/ann\n"

	inside := []string{"iam", "simulate", "ann", "Invoke", "petstore:prod:/pets/6/GET", "--source-ip", "10.1.2.3"}
	if out, want := f.must(t, inside...), "allowed: execute-api:Invoke on "+arn+user+"\nEFFECT  POLICY     KIND     STATEMENT\nAllow   read-pets  managed  Statement[0]\n"; out != want {
		t.Errorf("printed\n%s\nwant\n%s", out, want)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"Invoke", arn, "--source-ip", "192.0.2.1"}, "denied by a statement: execute-api:Invoke on " + arn + user + "\nEFFECT  POLICY     KIND     STATEMENT\nDeny    read-pets  managed  Statement[1]\n"},
		{[]string{"execute-api:invalidatecache", arn, "--source-ip", "10.1.2.3"}, "denied, since nothing allows it: execute-api:InvalidateCache on " + arn + user},
		{[]string{"Invoke", "petstore:prod://GET", "--source-ip", "10.1.2.3", "--cleartext"}, "denied, since nothing allows it: execute-api:Invoke on " + strings.TrimSuffix(arn, "pets/6") + user},
	} {
		code, out, stderr := f.run(append([]string{"iam", "simulate", "ann"}, c.args...)...)
		if code != exitRefused || out != c.want || stderr != "" {
			t.Errorf("%v: exit code %d, printed\n%s%s\nwant\n%s", c.args, code, out, stderr, c.want)
		}
	}
	if s := decoded[control.Simulation](t, f.must(t, append(inside, "--json")...)); s.EvalDecision != control.DecisionAllowed || len(s.MatchedStatements) != 1 {
		t.Errorf("simulation %+v", s)
	}
}

func TestIAMRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "iam", "create-user", "ann")
	bad := write(t, "bad.json", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "pets"}}`)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "missing NAME", []string{"create-user"}},
		{exitUsage, "write NAME=VALUE", []string{"create-user", "bob", "--tag", "x"}},
		{exitRefused, "Member must satisfy regular expression pattern", []string{"create-user", "a b"}},
		{exitRefused, "User with name ann already exists.", []string{"create-user", "ANN"}},
		{exitUsage, "nothing to change", []string{"tag-user", "ann"}},
		{exitRefused, "The user with name eve cannot be found.", []string{"tag-user", "eve", "--tag", "a=b"}},
		{exitRefused, "The user with name eve cannot be found.", []string{"delete-user", "eve"}},
		{exitRefused, "The user with name eve cannot be found.", []string{"create-key", "eve"}},
		{exitRefused, "The user with name eve cannot be found.", []string{"keys", "eve"}},
		{exitRefused, "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.", []string{"disable-key", "AKIAAAAAAAAAAAAAAAAA"}},
		{exitUsage, "missing KEY-ID", []string{"delete-key"}},
		{exitUsage, "missing NAME and FILE", []string{"put-policy", "x"}},
		{exitFailure, "no such file", []string{"put-policy", "x", "none.json"}},
		{exitRefused, bad + `: BadRequestException: policy "x": Statement.Resource: "pets" is neither an ARN nor "*"`, []string{"put-policy", "x", bad}},
		{exitRefused, bad + `: BadRequestException: user "ann": policy "x": Statement.Resource: "pets" is neither an ARN nor "*"`, []string{"put-user-policy", "ann", "x", bad}},
		{exitRefused, "The policy with name none cannot be found.", []string{"show-policy", "none"}},
		{exitRefused, "The user policy with name none cannot be found.", []string{"show-policy", "none", "--user", "ann"}},
		{exitRefused, "The policy with name none cannot be found.", []string{"attach", "ann", "none"}},
		{exitRefused, "Policy none is not attached to user ann.", []string{"detach", "ann", "none"}},
		{exitUsage, "missing USER and POLICY", []string{"attach", "ann"}},
		{exitUsage, "name a method", []string{"simulate", "ann", "Invoke", "petstore:prod"}},
		{exitRefused, `no API has the name or id "petstore"`, []string{"simulate", "ann", "Invoke", "petstore:prod:/pets/GET"}},
		{exitRefused, `action "Dance" is none of`, []string{"simulate", "ann", "Dance", "arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/"}},
		{exitRefused, "is no method ARN", []string{"simulate", "ann", "Invoke", "arn:x"}},
		{exitRefused, "x is no IP address", []string{"simulate", "ann", "Invoke", "arn:x", "--source-ip", "x"}},
		{exitUsage, "or: tidegate iam create-user NAME", []string{"dance"}},
	} {
		f.refused(t, c.code, c.want, append([]string{"iam"}, c.args...)...)
	}
}
