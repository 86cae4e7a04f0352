package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
)

var createPlanCommand = &command{
	name:    "plans create",
	args:    "NAME [--rate R] [--burst B] [--quota N/day|week|month] [--stage API:STAGE]... [--description D] [--json]",
	summary: "make a usage plan",
	help: `
Makes a usage plan. Rate, burst and quota are of each key by itself, over all
stages of the plan together. What is left out is not limited by the plan; of rate
and burst together, the one left out is the account's.

Examples:
  tidegate plans create gold --rate 100 --burst 200 --quota 50000/day --stage petstore:prod
  tidegate plans create trial --rate 1 --burst 5 --quota 1000/month --stage petstore:prod --stage orders:prod`,
}

func init() { createPlanCommand.run = createPlan }

func createPlan(e *env, args []string) error {
	r := newRemote(e, createPlanCommand)
	rate := r.String("rate", "", "`REQUESTS` per second")
	burst := r.String("burst", "", "`REQUESTS` at once, the capacity of the token bucket")
	quota := r.String("quota", "", "requests in a calendar period: `N/day`, N/week or N/month")
	description := r.String("description", "", "`TEXT` to remember the plan by")
	var stages list
	r.Var(&stages, "stage", "`STAGE` that the plan is for, as API:STAGE; repeat for more")
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	in := control.UsagePlanInput{Name: operands[0], Description: *description}
	if in.Throttle, err = newThrottle(*rate, *burst); err != nil {
		return err
	}
	if *quota != "" {
		if in.Quota, err = parseQuota(*quota); err != nil {
			return err
		}
	}
	targets, err := parseStages(stages)
	if err != nil {
		return err
	}
	var names map[string]string
	var plan *control.UsagePlan
	err = r.call("making a usage plan", func(ctx context.Context, c *control.Client) error {
		if names, err = resolve(ctx, c, targets...); err != nil {
			return err
		}
		for _, t := range targets {
			in.APIStages = append(in.APIStages, control.APIStage{APIID: t.api, Stage: t.stage})
		}
		plan, err = c.CreateUsagePlan(ctx, in)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, plan)
	}
	return printPlans(e, []control.UsagePlan{*plan}, names)
}

// newThrottle is nil when neither part is given.
func newThrottle(rate, burst string) (*control.ThrottleSettings, error) {
	if rate == "" && burst == "" {
		return nil, nil
	}
	t := &control.ThrottleSettings{}
	if rate != "" {
		v, err := parseRate(rate)
		if err != nil {
			return nil, err
		}
		t.RateLimit = new(control.Double(v))
	}
	if burst != "" {
		v, err := parseBurst(burst)
		if err != nil {
			return nil, err
		}
		t.BurstLimit = &v
	}
	return t, nil
}

func parseStages(texts []string) ([]*target, error) {
	var targets []*target
	for _, text := range texts {
		t, err := parseStage(text)
		if err != nil {
			return nil, err
		}
		targets = append(targets, &t)
	}
	return targets, nil
}
