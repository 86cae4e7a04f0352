package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var showPlanCommand = &command{
	name:    "plans show",
	args:    "PLAN [--json]",
	summary: "show a usage plan with its stages, methods and keys",
	help: `
Shows a usage plan: the stages it is for, the methods with a limit of their own,
and its keys, without their values.

Examples:
  tidegate plans show gold
  tidegate plans show gold --json | jq -r '.keys[].id'`,
}

func init() { showPlanCommand.run = showPlan }

// planDetail is a plan with its keys.
type planDetail struct {
	control.UsagePlan
	Keys []planKeyRow `json:"keys"`
}

// planKeyRow is a key of a plan, without its value.
type planKeyRow struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

func showPlan(e *env, args []string) error {
	r := newRemote(e, showPlanCommand)
	operands, err := r.operands(args, 1, 1, "PLAN")
	if err != nil {
		return err
	}
	var p planDetail
	var names map[string]string
	err = r.call("reading a usage plan", func(ctx context.Context, c *control.Client) error {
		plan, err := findPlan(ctx, c, operands[0])
		if err != nil {
			return err
		}
		p = planDetail{*plan, []planKeyRow{}}
		keys, err := c.UsagePlanKeys(ctx, plan.ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			p.Keys = append(p.Keys, planKeyRow{k.ID, k.Name})
		}
		names, err = resolve(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, p)
	}
	return p.print(e, names)
}

func (p *planDetail) print(e *env, apiNames map[string]string) error {
	fmt.Fprintf(e.stdout, "usage plan %s, for each key: %s\n", planKind.label(&p.UsagePlan), describePlan(&p.UsagePlan))
	if p.Description != "" {
		fmt.Fprintln(e.stdout, visible(p.Description))
	}
	fmt.Fprintln(e.stdout)
	t := newTable(e.stdout, "stage", "method", "rate", "burst")
	for i, stage := range stageNames(&p.UsagePlan, apiNames) {
		limits := p.APIStages[i].Throttle
		if len(limits) == 0 {
			t.row(stage, "", "", "")
		}
		for _, method := range slices.Sorted(maps.Keys(limits)) {
			limit := limits[method]
			rate, burst := throttleCells(&limit)
			t.row(stage, method, rate, burst)
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout)
	t = newTable(e.stdout, "key", "name")
	for _, k := range p.Keys {
		t.row(k.ID, k.Name)
	}
	return t.flush()
}

// describePlan tells the limits of a plan in words.
func describePlan(p *control.UsagePlan) string {
	var parts []string
	rate, burst := throttleCells(p.Throttle)
	if rate != "" {
		parts = append(parts, rate+" requests/s")
	}
	if burst != "" {
		parts = append(parts, "burst "+burst)
	}
	if quota := showQuota(p.Quota); quota != "" {
		parts = append(parts, "quota "+quota)
	}
	if len(parts) == 0 {
		return "no limit"
	}
	return strings.Join(parts, ", ")
}
