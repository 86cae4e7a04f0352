package main

import (
	"context"
	"flag"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var setPlanCommand = &command{
	name: "plans set",
	args: "PLAN [--name NAME] [--description D] [--rate R|none] [--burst B|none] [--quota N/day|week|month|none] " +
		"[--stage API:STAGE]... [--remove-stage API:STAGE]... [--method API:STAGE:/path/VERB=RATE,BURST|none]... [--json]",
	summary: "change a usage plan",
	help: `
Changes a usage plan, all of it or nothing, from the next request on. What keys
have used stays counted, but a quota with another period begins anew. --method
limits one method of a stage in place of the plan's rate and burst. none takes a
limit away: of rate and burst the account's stands in, unless both are gone.

Examples:
  tidegate plans set gold --rate 200 --burst 400
  tidegate plans set gold --quota none --stage orders:prod --remove-stage orders:test
  tidegate plans set gold --method petstore:prod:/pets/POST=5,10
  tidegate plans set gold --method petstore:prod:/pets/POST=none`,
}

func init() { setPlanCommand.run = setPlan }

// methodLimit is the value of a --method flag.
type methodLimit struct {
	target
	rate, burst string
}

func parseMethodLimit(text string) (*methodLimit, error) {
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return nil, usagef("--method %q: write API:STAGE:/path/VERB=RATE,BURST or =none", text)
	}
	t, err := parseTarget(text[:at])
	if err != nil {
		return nil, err
	}
	if t.verb == "" {
		return nil, usagef("--method %q: name a method, such as %s:/pets/GET", text, text[:at])
	}
	rate, burst, both := strings.Cut(text[at+1:], ",")
	if !both && rate != none {
		return nil, usagef("--method %q: write RATE,BURST or none behind the =", text)
	}
	return &methodLimit{t, rate, burst}, nil
}

// patch sets or removes the limit. Its API must be resolved.
func (m *methodLimit) patch() ([]control.PatchOperation, error) {
	path := "/apiStages/" + m.api + ":" + m.stage + "/throttle/" + m.method()
	if m.rate == none && m.burst == "" {
		return []control.PatchOperation{{Op: "remove", Path: path}}, nil
	}
	return throttlePatch(path, m.rate, m.burst)
}

// planChange is what the flags of the command ask for. Stages are added and
// removed before methods are limited.
type planChange struct {
	ops         []control.PatchOperation // of the plan itself
	add, remove []*target
	methods     []*methodLimit
}

func setPlan(e *env, args []string) error {
	r := newRemote(e, setPlanCommand)
	paths := map[string]string{"name": "/name", "description": "/description", "rate": "/throttle/rateLimit", "burst": "/throttle/burstLimit"}
	r.String("name", "", "new `NAME`")
	r.String("description", "", "`TEXT` to remember the plan by")
	r.String("rate", "", "`REQUESTS` per second, or none")
	r.String("burst", "", "`REQUESTS` at once, or none")
	quota := r.String("quota", "", "`N/day`, N/week, N/month or none")
	var add, remove, methods list
	r.Var(&add, "stage", "`STAGE` to add, as API:STAGE; repeat for more")
	r.Var(&remove, "remove-stage", "`STAGE` to remove, as API:STAGE; repeat for more")
	r.Var(&methods, "method", "`LIMIT` of a method: API:STAGE:/path/VERB=RATE,BURST or =none; repeat for more")
	operands, err := r.operands(args, 1, 1, "PLAN")
	if err != nil {
		return err
	}
	change := &planChange{}
	r.Visit(func(f *flag.Flag) {
		op := control.PatchOperation{Op: "replace", Path: paths[f.Name], Value: f.Value.String()}
		if err == nil && strings.HasPrefix(op.Path, "/throttle/") {
			op, err = limitPatch(op.Path, op.Value)
		}
		if op.Path != "" {
			change.ops = append(change.ops, op)
		}
	})
	if err != nil {
		return err
	}
	if err := change.parse(*quota, add, remove, methods); err != nil {
		return err
	}
	var plan *control.UsagePlan
	var names map[string]string
	err = r.call("changing a usage plan", func(ctx context.Context, c *control.Client) error {
		if plan, err = findPlan(ctx, c, operands[0]); err != nil {
			return err
		}
		if names, err = resolve(ctx, c, change.targets()...); err != nil {
			return err
		}
		ops, err := change.operations()
		if err != nil {
			return err
		}
		plan, err = c.UpdateUsagePlan(ctx, plan.ID, ops...)
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

// parse adds what needs more than one operation.
func (p *planChange) parse(quota string, add, remove, methods []string) (err error) {
	switch {
	case quota == none:
		p.ops = append(p.ops, control.PatchOperation{Op: "remove", Path: "/quota"})
	case quota != "":
		q, err := parseQuota(quota)
		if err != nil {
			return err
		}
		limit, period, _ := strings.Cut(showQuota(q), "/")
		p.ops = append(p.ops,
			control.PatchOperation{Op: "replace", Path: "/quota/limit", Value: limit},
			control.PatchOperation{Op: "replace", Path: "/quota/period", Value: strings.ToUpper(period)})
	}
	if p.add, err = parseStages(add); err != nil {
		return err
	}
	if p.remove, err = parseStages(remove); err != nil {
		return err
	}
	for _, text := range methods {
		m, err := parseMethodLimit(text)
		if err != nil {
			return err
		}
		if _, err := m.patch(); err != nil {
			return err
		}
		p.methods = append(p.methods, m)
	}
	if len(p.ops)+len(p.add)+len(p.remove)+len(p.methods) == 0 {
		return usagef("nothing to change: name what to set")
	}
	return nil
}

func (p *planChange) targets() []*target {
	targets := slices.Concat(p.remove, p.add)
	for _, m := range p.methods {
		targets = append(targets, &m.target)
	}
	return targets
}

// operations returns all operations. Its targets must be resolved.
func (p *planChange) operations() ([]control.PatchOperation, error) {
	ops := slices.Clone(p.ops)
	for _, t := range p.remove {
		ops = append(ops, control.PatchOperation{Op: "remove", Path: "/apiStages", Value: t.String()})
	}
	for _, t := range p.add {
		ops = append(ops, control.PatchOperation{Op: "add", Path: "/apiStages", Value: t.String()})
	}
	for _, m := range p.methods {
		more, err := m.patch()
		if err != nil {
			return nil, err
		}
		ops = append(ops, more...)
	}
	return ops, nil
}
