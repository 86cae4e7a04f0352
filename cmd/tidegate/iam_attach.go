package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var attachPolicyCommand = &command{
	name:    "iam attach",
	args:    "USER POLICY [--json]",
	summary: "give a user a policy",
	help: `
Attaches a policy to a user, who may have ten. One whose document names a tag that
the user lacks is refused: give the user the tag, or the variable a default such as
${aws:PrincipalTag/team, 'none'}.

Examples:
  tidegate iam attach billing read-pets`,
}

var detachPolicyCommand = &command{
	name:    "iam detach",
	args:    "USER POLICY [--json]",
	summary: "take a policy from a user",
	help: `
Takes a policy from a user; the policy stays for others.

Examples:
  tidegate iam detach billing read-pets`,
}

func init() {
	attachPolicyCommand.run = func(e *env, args []string) error {
		return changeAttachment(newRemote(e, attachPolicyCommand), args, "attached to", func(ctx context.Context, c *control.Client, user, policy string) error {
			_, err := c.AttachUserPolicy(ctx, user, policy)
			return err
		})
	}
	detachPolicyCommand.run = func(e *env, args []string) error {
		return changeAttachment(newRemote(e, detachPolicyCommand), args, "detached from", func(ctx context.Context, c *control.Client, user, policy string) error {
			return c.DetachUserPolicy(ctx, user, policy)
		})
	}
}

func changeAttachment(r *remote, args []string, outcome string, do func(ctx context.Context, c *control.Client, user, policy string) error) error {
	operands, err := r.operands(args, 2, 2, "USER and POLICY")
	if err != nil {
		return err
	}
	user, policy := operands[0], operands[1]
	if err := r.call("changing a user", func(ctx context.Context, c *control.Client) error { return do(ctx, c, user, policy) }); err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, map[string]string{"userName": user, "policyName": policy})
	}
	_, err = fmt.Fprintf(r.env.stdout, "policy %s is %s user %s\n", policy, outcome, user)
	return err
}
