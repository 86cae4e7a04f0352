package main

import (
	"context"
	"slices"

	"github.com/tidegate/tidegate/dataplane/control"
)

// throttleMethods sets or removes the limit of each method of a stage, or of
// one: API:STAGE[:/path/VERB] RATE BURST, or none.
func throttleMethods(r *remote, operands []string) error {
	t, err := parseTarget(operands[0])
	if err != nil {
		return err
	}
	key := "*/*"
	if t.verb != "" {
		key = t.method()
	}
	ops, err := throttleOperations("/"+key+"/throttling", "/"+key, operands[1:])
	if err != nil {
		return err
	}
	return updateStage(r, t, ops)
}

// throttleOperations sets the limit at path to "RATE BURST", or with none
// removes what is at whole.
func throttleOperations(path, whole string, values []string) ([]control.PatchOperation, error) {
	switch {
	case len(values) == 1 && values[0] == none:
		return []control.PatchOperation{{Op: "remove", Path: whole}}, nil
	case len(values) != 2, slices.Contains(values, none):
		return nil, usagef("write RATE and BURST, or none, behind what to limit")
	}
	return throttlePatch(path, values[0], values[1])
}

// updateStage applies ops and prints the limits of the stage.
func updateStage(r *remote, t target, ops []control.PatchOperation) error {
	var rows []limitRow
	err := r.call("setting a limit", func(ctx context.Context, c *control.Client) error {
		api, err := findRESTAPI(ctx, c, t.api, "set limits of its routes with UpdateStage of apigatewayv2, routeSettings")
		if err != nil {
			return err
		}
		stage, err := c.UpdateStage(ctx, api.ID, t.stage, ops...)
		if err != nil {
			return err
		}
		if stage.GuaranteedRate == nil {
			stage.GuaranteedRate = api.GuaranteedRate
		}
		rows = stageRows(target{api: t.api, stage: t.stage}, api.ID, stage)
		return nil
	})
	if err != nil {
		return err
	}
	if rows == nil {
		rows = []limitRow{}
	}
	return printLimits(r, rows)
}
