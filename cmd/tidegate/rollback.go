package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var rollbackCommand = &command{
	name:    "rollback",
	args:    "API STAGE [--to DEPLOYMENT] [--json]",
	summary: "point a stage at an earlier deployment",
	help: `
Points a stage at the deployment before the one it serves, or at the one that
--to names by number or id. The stage's variables stay. API is a name or an id.

Examples:
  tidegate rollback petstore prod
  tidegate rollback petstore prod --to 12`,
}

func init() { rollbackCommand.run = rollback }

func rollback(e *env, args []string) error {
	r := newRemote(e, rollbackCommand)
	to := r.String("to", "", "`DEPLOYMENT` number or id")
	operands, err := r.operands(args, 2, 2, "API and STAGE")
	if err != nil {
		return err
	}
	var of *api
	var from, target *control.Deployment
	err = r.call("rolling back", func(ctx context.Context, c *control.Client) error {
		if of, err = findAPI(ctx, c, operands[0]); err != nil {
			return err
		}
		stage, err := of.stage(ctx, c, operands[1])
		if err != nil {
			return err
		}
		all, err := of.deployments(ctx, c)
		if err != nil {
			return err
		}
		from = deploymentByID(all, stage.deploymentID)
		if target, err = rollbackTarget(all, from, *to); err != nil {
			return err
		}
		return of.point(ctx, c, stage.name, target.ID)
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, map[string]any{
			"apiId": of.id, "stageName": operands[1], "from": from, "to": target,
		})
	}
	_, err = fmt.Fprintf(e.stdout, "%s %s: deployment %s, was %s\n", of.name, operands[1], label(target), label(from))
	return err
}

// rollbackTarget chooses the deployment that a stage serving from goes to.
func rollbackTarget(all []control.Deployment, from *control.Deployment, to string) (*control.Deployment, error) {
	if from == nil {
		return nil, refusef("the deployment that the stage serves is gone; try again")
	}
	if to != "" {
		return findDeployment(all, to)
	}
	var before *control.Deployment
	for i := range all {
		if d := &all[i]; d.Number < from.Number && (before == nil || d.Number > before.Number) {
			before = d
		}
	}
	if before == nil {
		return nil, refusef("no deployment is older than %s, which the stage serves", label(from))
	}
	return before, nil
}
