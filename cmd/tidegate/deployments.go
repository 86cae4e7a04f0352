package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var deploymentsCommand = &command{
	name:    "deployments",
	args:    "API [--json]",
	summary: "list the deployments of an API",
	help: `
Lists the deployments of an API, oldest first, with the stages that point at
each. API is a name or an id.

Examples:
  tidegate deployments petstore`,
}

func init() { deploymentsCommand.run = listDeployments }

// deploymentRow is a deployment with the stages that serve it.
type deploymentRow struct {
	control.Deployment
	Stages []string `json:"stages"`
}

func listDeployments(e *env, args []string) error {
	r := newRemote(e, deploymentsCommand)
	operands, err := r.operands(args, 1, 1, "API")
	if err != nil {
		return err
	}
	rows := []deploymentRow{}
	err = r.call("reading deployments", func(ctx context.Context, c *control.Client) error {
		a, err := findAPI(ctx, c, operands[0])
		if err != nil {
			return err
		}
		deployments, err := a.deployments(ctx, c)
		if err != nil {
			return err
		}
		stages, err := a.stages(ctx, c)
		if err != nil {
			return err
		}
		for _, d := range deployments {
			rows = append(rows, deploymentRow{d, stagesOf(stages, d.ID)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, rows)
	}
	t := newTable(e.stdout, "number", "id", "created", "stages", "description")
	for _, d := range rows {
		t.row(strconv.Itoa(d.Number), d.ID, stamp(time.Unix(d.CreatedDate, 0)), strings.Join(d.Stages, ","), d.Description)
	}
	return t.flush()
}

func stagesOf(stages []stage, deploymentID string) []string {
	names := []string{}
	for _, s := range stages {
		if s.deploymentID == deploymentID {
			names = append(names, s.name)
		}
	}
	return names
}
