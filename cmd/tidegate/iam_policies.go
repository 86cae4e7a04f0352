package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var putPolicyCommand = &command{
	name:    "iam put-policy",
	args:    "NAME FILE [--json]",
	summary: "make or replace a policy that users can share",
	help: `
Makes a policy of an IAM policy document ("-" is standard input), or replaces its
document, for all users that it is attached to. A document that makes no sense, or
that names a tag which one of the users lacks, is refused, and nothing changes.

Examples:
  tidegate iam put-policy read-pets read-pets.json
  tidegate iam show-policy read-pets | sed s/test/prod/ | tidegate iam put-policy read-pets -`,
}

var putUserPolicyCommand = &command{
	name:    "iam put-user-policy",
	args:    "USER NAME FILE [--json]",
	summary: "make or replace a policy of one user",
	help: `
Makes an inline policy, which is of one user alone, or replaces its document ("-"
is standard input).

Examples:
  tidegate iam put-user-policy billing office-only office-only.json`,
}

var policiesCommand = &command{
	name:    "iam policies",
	args:    "[--json]",
	summary: "list the policies that users can share",
	help: `
Lists the policies that users can share, and whom each is attached to. The policies
that one user has alone are in the list of users.

Examples:
  tidegate iam policies
  tidegate iam policies --json | jq -r '.[] | select(.attachedUsers == []).policyName'`,
}

var showPolicyCommand = &command{
	name:    "iam show-policy",
	args:    "NAME [--user USER] [--json]",
	summary: "print the document of a policy",
	help: `
Prints the document of a policy that users can share, or with --user of one that
this user has alone.

Examples:
  tidegate iam show-policy read-pets
  tidegate iam show-policy office-only --user billing > office-only.json`,
}

var deletePolicyCommand = &command{
	name:    "iam delete-policy",
	args:    "NAME [--user USER] [--json]",
	summary: "delete a policy",
	help: `
Deletes a policy that is attached to nobody, or with --user one that this user has
alone.

Examples:
  tidegate iam delete-policy read-pets
  tidegate iam delete-policy office-only --user billing`,
}

func init() {
	putPolicyCommand.run = putPolicy
	putUserPolicyCommand.run = putUserPolicy
	policiesCommand.run = listPolicies
	showPolicyCommand.run = showPolicy
	deletePolicyCommand.run = deletePolicy
}

func putPolicy(e *env, args []string) error {
	r := newRemote(e, putPolicyCommand)
	operands, err := r.operands(args, 2, 2, "NAME and FILE")
	if err != nil {
		return err
	}
	name, file := operands[0], operands[1]
	document, err := readDocument(e, file)
	if err != nil {
		return err
	}
	var made *control.Policy
	err = r.call("storing "+file, func(ctx context.Context, c *control.Client) error {
		made, err = c.PutPolicy(ctx, name, string(document))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if *r.json {
		return printJSON(e.stdout, made)
	}
	_, err = fmt.Fprintf(e.stdout, "stored policy %s, attached to %s\n", made.PolicyName, count(len(made.AttachedUsers), "user"))
	return err
}

func putUserPolicy(e *env, args []string) error {
	r := newRemote(e, putUserPolicyCommand)
	operands, err := r.operands(args, 3, 3, "USER, NAME and FILE")
	if err != nil {
		return err
	}
	user, name, file := operands[0], operands[1], operands[2]
	document, err := readDocument(e, file)
	if err != nil {
		return err
	}
	var owner *control.User
	err = r.call("storing "+file, func(ctx context.Context, c *control.Client) error {
		owner, err = c.PutUserPolicy(ctx, user, name, string(document))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if *r.json {
		return printJSON(e.stdout, owner)
	}
	_, err = fmt.Fprintf(e.stdout, "stored policy %s of user %s\n", name, owner.UserName)
	return err
}

func listPolicies(e *env, args []string) error {
	r := newRemote(e, policiesCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var policies []control.Policy
	err := r.call("reading policies", func(ctx context.Context, c *control.Client) (err error) {
		policies, err = c.Policies(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, policies)
	}
	t := newTable(e.stdout, "name", "users", "created", "updated")
	for _, p := range policies {
		t.row(p.PolicyName, strings.Join(p.AttachedUsers, ","), stamp(p.CreateDate), stamp(p.UpdateDate))
	}
	return t.flush()
}

func showPolicy(e *env, args []string) error {
	r := newRemote(e, showPolicyCommand)
	user := r.String("user", "", "`USER` that has the policy alone")
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var document string
	var whole any
	err = r.call("reading a policy", func(ctx context.Context, c *control.Client) error {
		if *user != "" {
			p, err := c.UserPolicy(ctx, *user, operands[0])
			if err == nil {
				document, whole = p.PolicyDocument, p
			}
			return err
		}
		p, err := c.Policy(ctx, operands[0])
		if err == nil {
			document, whole = p.PolicyDocument, p
		}
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, whole)
	}
	_, err = fmt.Fprintln(e.stdout, strings.TrimSuffix(document, "\n"))
	return err
}

func deletePolicy(e *env, args []string) error {
	r := newRemote(e, deletePolicyCommand)
	user := r.String("user", "", "`USER` that has the policy alone")
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	what := "policy " + operands[0]
	err = r.call("deleting a policy", func(ctx context.Context, c *control.Client) error {
		if *user != "" {
			what += " of user " + *user
			return c.DeleteUserPolicy(ctx, *user, operands[0])
		}
		return c.DeletePolicy(ctx, operands[0])
	})
	if err != nil {
		return err
	}
	return printDeleted(r, what)
}
