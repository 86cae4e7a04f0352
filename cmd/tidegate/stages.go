package main

import (
	"context"
	"strconv"

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

// stageHead is what a person wants beside a stage; stageRow and webSocketStageRow
// are as JSON shows stages of the two protocols.
type stageHead struct {
	APIID            string `json:"apiId"`
	APIName          string `json:"apiName"`
	ProtocolType     string `json:"protocolType"`
	DeploymentNumber int    `json:"deploymentNumber"`
	InvokeURL        string `json:"invokeUrl,omitempty"`
	stage            stage
}

type stageRow struct {
	stageHead
	control.Stage
}

type webSocketStageRow struct {
	stageHead
	control.WebSocketStage
}

func listStages(e *env, args []string) error {
	r := newRemote(e, stagesCommand)
	operands, err := r.operands(args, 0, 1, "")
	if err != nil {
		return err
	}
	var rows []stageHead
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
		return printJSON(e.stdout, stagesAsJSON(rows))
	}
	t := newTable(e.stdout, "api", "stage", "protocol", "deployment", "updated", "address")
	for _, s := range rows {
		t.row(s.APIName, s.stage.name, s.ProtocolType, strconv.Itoa(s.DeploymentNumber), stamp(s.stage.updated), s.InvokeURL)
	}
	return t.flush()
}

func stagesAsJSON(rows []stageHead) []any {
	out := make([]any, len(rows))
	for i, s := range rows {
		switch wire := s.stage.wire.(type) {
		case control.Stage:
			out[i] = stageRow{s, wire}
		case control.WebSocketStage:
			out[i] = webSocketStageRow{s, wire}
		}
	}
	return out
}

// chosenAPIs returns the API that the operands name, or all of them.
func chosenAPIs(ctx context.Context, c *control.Client, operands []string) ([]api, error) {
	if len(operands) == 0 {
		return allAPIs(ctx, c)
	}
	a, err := findAPI(ctx, c, operands[0])
	if err != nil {
		return nil, err
	}
	return []api{*a}, nil
}

func appendStages(ctx context.Context, c *control.Client, rows []stageHead, a api, status *control.Status) ([]stageHead, error) {
	stages, err := a.stages(ctx, c)
	if err != nil || len(stages) == 0 {
		return rows, err
	}
	deployments, err := a.deployments(ctx, c)
	if err != nil {
		return rows, err
	}
	for _, s := range stages {
		row := stageHead{APIID: a.id, APIName: a.name, ProtocolType: a.protocol, InvokeURL: a.invokeURL(status, s.name), stage: s}
		if d := deploymentByID(deployments, s.deploymentID); d != nil {
			row.DeploymentNumber = d.Number
		}
		rows = append(rows, row)
	}
	return rows, nil
}
