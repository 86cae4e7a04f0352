package main

import (
	"context"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var stagesCommand = &command{
	name:    "stages",
	args:    "[API] [--json]",
	summary: "list the stages and the deployments they serve",
	help: `
Lists the stages of one API, or of all, with the deployment each points at and
its address. API is a name or an id.

Examples:
  tidegate stages
  tidegate stages petstore`,
}

func init() { stagesCommand.run = listStages }

// stageRow is a stage with what a person wants beside it.
type stageRow struct {
	APIID            string `json:"apiId"`
	APIName          string `json:"apiName"`
	DeploymentNumber int    `json:"deploymentNumber"`
	InvokeURL        string `json:"invokeUrl,omitempty"`
	control.Stage
}

func listStages(e *env, args []string) error {
	r := newRemote(e, stagesCommand)
	operands, err := r.operands(args, 0, 1, "")
	if err != nil {
		return err
	}
	rows := []stageRow{}
	err = r.call("reading stages", func(ctx context.Context, c *control.Client) error {
		status, err := c.Status(ctx)
		if err != nil {
			return err
		}
		apis, err := chosenAPIs(ctx, c, operands)
		if err != nil {
			return err
		}
		for _, a := range apis {
			if rows, err = appendStages(ctx, c, rows, a, status); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, rows)
	}
	t := newTable(e.stdout, "api", "stage", "deployment", "updated", "address")
	for _, s := range rows {
		t.row(s.APIName, s.StageName, strconv.Itoa(s.DeploymentNumber), stamp(time.Unix(s.LastUpdatedDate, 0)), s.InvokeURL)
	}
	return t.flush()
}

// chosenAPIs returns the API that the operands name, or all of them.
func chosenAPIs(ctx context.Context, c *control.Client, operands []string) ([]control.RestAPI, error) {
	if len(operands) == 0 {
		return c.APIs(ctx)
	}
	a, err := findAPI(ctx, c, operands[0])
	if err != nil {
		return nil, err
	}
	return []control.RestAPI{*a}, nil
}

func appendStages(ctx context.Context, c *control.Client, rows []stageRow, a control.RestAPI, status *control.Status) ([]stageRow, error) {
	stages, err := c.Stages(ctx, a.ID)
	if err != nil || len(stages) == 0 {
		return rows, err
	}
	deployments, err := c.Deployments(ctx, a.ID)
	if err != nil {
		return rows, err
	}
	for _, s := range stages {
		row := stageRow{APIID: a.ID, APIName: a.Name, InvokeURL: status.InvokeURL(&a, s.StageName), Stage: s}
		if d := deploymentByID(deployments, s.DeploymentID); d != nil {
			row.DeploymentNumber = d.Number
		}
		rows = append(rows, row)
	}
	return rows, nil
}
