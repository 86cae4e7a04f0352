package main

import (
	"context"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var plansCommand = &command{
	name:    "plans",
	args:    "[--json]",
	summary: "list, make, change, show and delete usage plans",
	help: `
Lists the usage plans. A plan says at what rate, with what burst and how often
in a day, week or month (UTC) each of its keys may call the methods of its stages
that require an API key. PLAN in the subcommands is an id, or a name that only
one plan has.

Examples:
  tidegate plans
  tidegate plans create gold --rate 100 --burst 200 --quota 50000/day --stage petstore:prod
  tidegate plans add-key gold shop`,
	verbs: []*command{
		createPlanCommand, setPlanCommand, addPlanKeyCommand, removePlanKeyCommand,
		showPlanCommand, deletePlanCommand,
	},
}

func init() { plansCommand.run = listPlans }

func listPlans(e *env, args []string) error {
	r := newRemote(e, plansCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var plans []control.UsagePlan
	var names map[string]string
	err := r.call("reading usage plans", func(ctx context.Context, c *control.Client) (err error) {
		if plans, err = c.UsagePlans(ctx, ""); err != nil {
			return err
		}
		names, err = resolve(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, plans)
	}
	return printPlans(e, plans, names)
}

func printPlans(e *env, plans []control.UsagePlan, apiNames map[string]string) error {
	t := newTable(e.stdout, "id", "name", "rate", "burst", "quota", "stages")
	for _, p := range plans {
		rate, burst := throttleCells(p.Throttle)
		t.row(p.ID, p.Name, rate, burst, showQuota(p.Quota), strings.Join(stageNames(&p, apiNames), ","))
	}
	return t.flush()
}

func throttleCells(t *control.ThrottleSettings) (rate, burst string) {
	if t == nil {
		return "", ""
	}
	return showRate(t.RateLimit), showBurst(t.BurstLimit)
}

// stageNames lists the stages of a plan as API:STAGE.
func stageNames(p *control.UsagePlan, apiNames map[string]string) []string {
	stages := make([]string, len(p.APIStages))
	for i, s := range p.APIStages {
		stages[i] = nameOf(apiNames, s.APIID) + ":" + s.Stage
	}
	return stages
}
