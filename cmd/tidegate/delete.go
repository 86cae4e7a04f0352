package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var deleteCommand = &command{
	name:    "delete",
	args:    "api API [--force] | stage API STAGE | deployment API DEPLOYMENT [--json]",
	summary: "delete an API, a stage or a deployment",
	help: `
Deletes an API with its deployments, a stage, or a deployment that no stage
points at. API is a name or an id, DEPLOYMENT a number or an id. An API that
still has stages is deleted only with --force.

Examples:
  tidegate delete stage petstore test
  tidegate delete deployment petstore 3
  tidegate delete api petstore --force`,
}

func init() { deleteCommand.run = deleteObject }

func deleteObject(e *env, args []string) error {
	r := newRemote(e, deleteCommand)
	force := r.Bool("force", false, "delete an API although it has stages")
	operands, err := r.operands(args, 1, 3, "what to delete: api, stage or deployment")
	if err != nil {
		return err
	}
	kind, want := operands[0], map[string]int{"api": 2, "stage": 3, "deployment": 3}
	if want[kind] == 0 {
		return usagef("cannot delete %q; it is api, stage or deployment", kind)
	}
	if len(operands) != want[kind] {
		return usagef("delete %s takes %d names, not %d", kind, want[kind]-1, len(operands)-1)
	}
	var what string
	err = r.call("deleting", func(ctx context.Context, c *control.Client) error {
		of, err := findAPI(ctx, c, operands[1])
		if err != nil {
			return err
		}
		switch kind {
		case "api":
			what = fmt.Sprintf("API %s (%s)", of.name, of.id)
			return deleteAPI(ctx, c, of, *force)
		case "stage":
			what = fmt.Sprintf("stage %s of %s", operands[2], of.name)
			return of.deleteStage(ctx, c, operands[2])
		}
		all, err := of.deployments(ctx, c)
		if err != nil {
			return err
		}
		d, err := findDeployment(all, operands[2])
		if err != nil {
			return err
		}
		what = fmt.Sprintf("deployment %s of %s", label(d), of.name)
		return of.deleteDeployment(ctx, c, d.ID)
	})
	if err != nil {
		return err
	}
	return printDeleted(r, what)
}

// printDeleted says what is gone.
func printDeleted(r *remote, what string) error {
	if *r.json {
		return printJSON(r.env.stdout, map[string]string{"deleted": what})
	}
	_, err := fmt.Fprintf(r.env.stdout, "deleted %s\n", what)
	return err
}

func deleteAPI(ctx context.Context, c *control.Client, of *api, force bool) error {
	if !force {
		stages, err := of.stages(ctx, c)
		if err != nil {
			return err
		}
		if len(stages) > 0 {
			names := make([]string, len(stages))
			for i, s := range stages {
				names[i] = s.name
			}
			return refusef("%s still has stages that serve: %s; --force deletes them too", of.name, strings.Join(names, ", "))
		}
	}
	return of.delete(ctx, c)
}
