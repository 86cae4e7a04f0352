package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
)

var deletePlanCommand = &command{
	name:    "plans delete",
	args:    "PLAN [--force] [--json]",
	summary: "delete a usage plan",
	help: `
Deletes a usage plan and what its keys have used of it; the keys stay. A plan
that still has stages is refused, as on AWS: --force removes them first.

Examples:
  tidegate plans delete trial --force`,
}

func init() { deletePlanCommand.run = deletePlan }

func deletePlan(e *env, args []string) error {
	r := newRemote(e, deletePlanCommand)
	force := r.Bool("force", false, "delete a plan although it has stages")
	operands, err := r.operands(args, 1, 1, "PLAN")
	if err != nil {
		return err
	}
	var what string
	err = r.call("deleting a usage plan", func(ctx context.Context, c *control.Client) error {
		plan, err := findPlan(ctx, c, operands[0])
		if err != nil {
			return err
		}
		what = "usage plan " + planKind.label(plan)
		if *force && len(plan.APIStages) > 0 {
			var ops []control.PatchOperation
			for _, s := range plan.APIStages {
				ops = append(ops, control.PatchOperation{Op: "remove", Path: "/apiStages", Value: s.APIID + ":" + s.Stage})
			}
			if _, err := c.UpdateUsagePlan(ctx, plan.ID, ops...); err != nil {
				return err
			}
		}
		return c.DeleteUsagePlan(ctx, plan.ID)
	})
	if err != nil {
		return err
	}
	return printDeleted(r, what)
}
