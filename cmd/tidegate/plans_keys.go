package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var addPlanKeyCommand = &command{
	name:    "plans add-key",
	args:    "PLAN KEY [--json]",
	summary: "put an API key under a usage plan",
	help: `
Puts an API key under a usage plan. A key may be in ten plans, but no two of them
may have a stage in common.

Examples:
  tidegate plans add-key gold shop`,
}

var removePlanKeyCommand = &command{
	name:    "plans remove-key",
	args:    "PLAN KEY [--json]",
	summary: "take an API key out of a usage plan",
	help: `
Takes an API key out of a usage plan: the plan's stages answer it with 403. What
it has used stays counted, for when it comes back.

Examples:
  tidegate plans remove-key gold shop`,
}

func init() {
	addPlanKeyCommand.run = func(e *env, args []string) error {
		return changePlanKeys(e, addPlanKeyCommand, args, "is in", func(ctx context.Context, c *control.Client, planID, keyID string) error {
			_, err := c.CreateUsagePlanKey(ctx, planID, keyID)
			return err
		})
	}
	removePlanKeyCommand.run = func(e *env, args []string) error {
		return changePlanKeys(e, removePlanKeyCommand, args, "is out of", func(ctx context.Context, c *control.Client, planID, keyID string) error {
			return c.DeleteUsagePlanKey(ctx, planID, keyID)
		})
	}
}

// changePlanKeys does what command says with a plan and a key.
func changePlanKeys(e *env, command *command, args []string, outcome string, do func(ctx context.Context, c *control.Client, planID, keyID string) error) error {
	r := newRemote(e, command)
	operands, err := r.operands(args, 2, 2, "PLAN and KEY")
	if err != nil {
		return err
	}
	var plan *control.UsagePlan
	var key *control.APIKey
	err = r.call("changing a usage plan", func(ctx context.Context, c *control.Client) error {
		if plan, err = findPlan(ctx, c, operands[0]); err != nil {
			return err
		}
		if key, err = findKey(ctx, c, operands[1]); err != nil {
			return err
		}
		return do(ctx, c, plan.ID, key.ID)
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, map[string]string{"usagePlanId": plan.ID, "keyId": key.ID})
	}
	_, err = fmt.Fprintf(e.stdout, "API key %s %s usage plan %s\n", keyKind.label(key), outcome, planKind.label(plan))
	return err
}
