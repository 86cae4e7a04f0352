package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var iamCommand = &command{
	name:    "iam",
	args:    "[--json]",
	summary: "users that sign requests, their access keys and policies",
	help: `
Lists the users. A user is an internal caller: it signs its requests with an
access key (AWS Signature Version 4, any AWS SDK does), and its policies say what
it may call. Changes act from the next request on.

Examples:
  tidegate iam create-user billing --tag team=blue
  tidegate iam create-key billing
  tidegate iam put-policy read-pets read-pets.json
  tidegate iam attach billing read-pets
  tidegate iam simulate billing Invoke petstore:prod:/pets/GET`,
	verbs: []*command{
		iamUsersCommand, createUserCommand, tagUserCommand, deleteUserCommand,
		createAccessKeyCommand, accessKeysCommand, disableAccessKeyCommand, enableAccessKeyCommand, deleteAccessKeyCommand,
		putPolicyCommand, putUserPolicyCommand, policiesCommand, showPolicyCommand, deletePolicyCommand,
		attachPolicyCommand, detachPolicyCommand, simulateCommand,
	},
}

var iamUsersCommand = &command{
	name:    "iam users",
	args:    "[--json]",
	summary: "list the users",
	help: `
Lists the users, how many access keys each has, its policies (those that only it
has are marked with an asterisk) and its tags.

Examples:
  tidegate iam users
  tidegate iam users --json | jq -r '.[] | select(.tags.team == "blue").userName'`,
}

func init() {
	iamCommand.run = func(e *env, args []string) error { return listUsers(newRemote(e, iamCommand), args) }
	iamUsersCommand.run = func(e *env, args []string) error { return listUsers(newRemote(e, iamUsersCommand), args) }
}

func listUsers(r *remote, args []string) error {
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var users []control.User
	keys := map[string]int{}
	err := r.call("reading users", func(ctx context.Context, c *control.Client) (err error) {
		if users, err = c.Users(ctx); err != nil {
			return err
		}
		all, err := c.AccessKeys(ctx, "")
		for _, k := range all {
			keys[k.UserName]++
		}
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, users)
	}
	return printUsers(r.env, users, keys)
}

func printUsers(e *env, users []control.User, keys map[string]int) error {
	t := newTable(e.stdout, "name", "id", "keys", "policies", "tags", "created")
	for _, u := range users {
		policies := append([]string{}, u.AttachedPolicies...)
		for _, name := range u.PolicyNames {
			policies = append(policies, name+"*")
		}
		t.row(u.UserName, u.UserID, strconv.Itoa(keys[u.UserName]), strings.Join(policies, ","), showTags(u.Tags), stamp(u.CreateDate))
	}
	return t.flush()
}
