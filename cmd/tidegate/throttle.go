package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var throttleCommand = &command{
	name:    "throttle",
	args:    "[--json] | API:STAGE[:/path/VERB] RATE BURST [--json] | API:STAGE[:/path/VERB] none [--json]",
	summary: "show and set the limits of the account, stages and methods",
	help: `
Without operands, shows the account's limit and those of all stages and methods.
A limit is a token bucket: RATE requests per second refill it and BURST is its
capacity. A request needs a token of each bucket that it meets, and gets 429 if
one is empty.

API:STAGE sets a limit that each method of the stage has for itself, as on AWS;
API:STAGE:/path/VERB replaces it for one method. A limit of 0 blocks, and none
takes it away. It acts from the next request on. API is a name or an id.

Examples:
  tidegate throttle
  tidegate throttle account 2000
  tidegate throttle petstore:prod 100 200
  tidegate throttle petstore:prod:/pets/POST 5 10
  tidegate throttle guarantee petstore:prod 200`,
	verbs: []*command{throttleAccountCommand, throttleTotalCommand, throttleGuaranteeCommand, throttlePriorityCommand},
}

func init() { throttleCommand.run = throttle }

func throttle(e *env, args []string) error {
	r := newRemote(e, throttleCommand)
	operands, err := r.operands(args, 0, 3, "")
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return throttleMethods(r, operands)
	}
	var rows []limitRow
	err = r.call("reading limits", func(ctx context.Context, c *control.Client) (err error) {
		rows, err = readLimits(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	return printLimits(r, rows)
}

// What a limit is of.
const (
	scopeAccount   = "all APIs together"
	scopeTotal     = "all methods together"
	scopeEach      = "each method"
	scopeMethod    = "the method"
	scopeGuarantee = "guaranteed share"
)

// limitRow is one limit that is set.
type limitRow struct {
	Target string          `json:"target"` // as the command takes it
	APIID  string          `json:"apiId,omitempty"`
	Stage  string          `json:"stageName,omitempty"`
	Scope  string          `json:"scope"`
	Rate   *control.Double `json:"rateLimit,omitempty"`
	Burst  *int            `json:"burstLimit,omitempty"`
}

func readLimits(ctx context.Context, c *control.Client) ([]limitRow, error) {
	account, err := c.Account(ctx)
	if err != nil {
		return nil, err
	}
	rows := []limitRow{accountRow(account)}
	all, err := allAPIs(ctx, c)
	if err != nil {
		return nil, err
	}
	names := apiNames(all)
	for _, one := range all {
		if one.webSocket() {
			continue
		}
		a := one.wire.(restRow)
		stages, err := c.Stages(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range stages {
			if s.GuaranteedRate == nil {
				s.GuaranteedRate = a.GuaranteedRate
			}
			rows = append(rows, stageRows(target{api: names[a.ID], stage: s.StageName}, a.ID, &s)...)
		}
	}
	return rows, nil
}

func accountRow(a *control.Account) limitRow {
	row := limitRow{Target: "account", Scope: scopeAccount}
	if t := a.ThrottleSettings; t != nil {
		row.Rate, row.Burst = t.RateLimit, t.BurstLimit
	}
	return row
}

// stageRows lists the limits of a stage.
func stageRows(of target, apiID string, s *control.Stage) []limitRow {
	row := limitRow{Target: of.String(), APIID: apiID, Stage: s.StageName}
	var rows []limitRow
	add := func(scope string, rate *control.Double, burst *int) {
		row.Scope, row.Rate, row.Burst = scope, rate, burst
		rows = append(rows, row)
	}
	if s.GuaranteedRate != nil && *s.GuaranteedRate > 0 {
		add(scopeGuarantee, s.GuaranteedRate, nil)
	}
	if s.Priority != "" {
		add(s.Priority+" priority", nil, nil)
	}
	if s.Throttle != nil {
		add(scopeTotal, s.Throttle.RateLimit, s.Throttle.BurstLimit)
	}
	for _, key := range slices.Sorted(maps.Keys(s.MethodSettings)) {
		limit := s.MethodSettings[key]
		scope := scopeEach
		if key != "*/*" {
			scope = scopeMethod
			of.path, of.verb = methodOf(key)
			row.Target = of.String()
		}
		add(scope, &limit.ThrottlingRateLimit, &limit.ThrottlingBurstLimit)
	}
	return rows
}

// methodOf reads the key of a method setting, such as "pets~1{id}/GET".
func methodOf(key string) (path, verb string) {
	path, verb, _ = strings.Cut(key, "/")
	path = strings.NewReplacer("~1", "/", "~0", "~").Replace(path)
	return "/" + strings.TrimPrefix(path, "/"), verb
}

func printLimits(r *remote, rows []limitRow) error {
	if *r.json {
		return printJSON(r.env.stdout, rows)
	}
	t := newTable(r.env.stdout, "target", "limit of", "rate", "burst")
	for _, l := range rows {
		t.row(l.Target, l.Scope, showRate(l.Rate), showBurst(l.Burst))
	}
	return t.flush()
}
