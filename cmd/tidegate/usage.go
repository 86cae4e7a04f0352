package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var usageCommand = &command{
	name:    "usage",
	args:    "KEY [--plan PLAN] [--from DATE] [--to DATE] [--json] | KEY --remaining N [--plan PLAN] [--json]",
	summary: "show what an API key has used, or grant it more",
	help: `
Shows the requests that a key has used on each day (UTC) and what remained of its
quota after it, for each of its usage plans, or for one that it was in: the last
30 days until today unless --from and --to, which are dates such as 2026-01-31,
say otherwise. At most 90 days are kept. A terminal also gets a bar chart.

--remaining N sets what remains of the quota until its period ends, so that a
client that has run out may go on.

Examples:
  tidegate usage shop
  tidegate usage shop --plan gold --from 2026-01-01 --to 2026-01-31 --json
  tidegate usage shop --remaining 1000`,
}

func init() { usageCommand.run = showUsage }

// usageDays is how many days are shown unless the flags say otherwise.
const usageDays = 30

// usageRequest is what the command line asks for.
type usageRequest struct {
	key, plan string // names or ids
	from, to  time.Time
	remaining string // to grant; empty to show
}

// planUsage is the usage of a key in one of its plans.
type planUsage struct {
	plan  control.UsagePlan
	usage *control.Usage
}

func showUsage(e *env, args []string) error {
	r := newRemote(e, usageCommand)
	var q usageRequest
	r.StringVar(&q.plan, "plan", "", "usage `PLAN`, by name or id")
	from := r.String("from", "", "first `DATE`")
	to := r.String("to", "", "last `DATE`")
	r.StringVar(&q.remaining, "remaining", "", "`N` requests remain in this period")
	operands, err := r.operands(args, 1, 1, "KEY")
	if err != nil {
		return err
	}
	q.key = operands[0]
	if q.remaining != "" {
		if err := q.checkGrant(*from, *to); err != nil {
			return err
		}
	} else if q.from, q.to, err = parseDays(*from, *to, e.now()); err != nil {
		return err
	}
	var key *control.APIKey
	var found []planUsage
	err = r.call("reading usage", func(ctx context.Context, c *control.Client) error {
		if key, err = findKey(ctx, c, q.key); err != nil {
			return err
		}
		plans, err := q.plans(ctx, c, key)
		if err != nil {
			return err
		}
		for _, p := range plans {
			u, err := q.ask(ctx, c, p.ID, key.ID)
			if err != nil {
				return err
			}
			found = append(found, planUsage{p, u})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printUsageJSON(e, found, q.plan != "" || q.remaining != "")
	}
	for i, f := range found {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		if err := f.print(e, key); err != nil {
			return err
		}
	}
	return nil
}

func (q *usageRequest) checkGrant(from, to string) error {
	if from != "" || to != "" {
		return usagef("--remaining is for the current period: it takes no --from and --to")
	}
	if n, err := strconv.ParseInt(q.remaining, 10, 64); err != nil || n < 0 {
		return usagef("--remaining %q: write a whole number of requests, 0 or more", q.remaining)
	}
	return nil
}

// parseDays reads the flags. Days that have not come are left out.
func parseDays(from, to string, now time.Time) (first, last time.Time, err error) {
	last = now.UTC().Truncate(24 * time.Hour)
	if to != "" {
		day, err := parseDay("--to", to)
		if err != nil {
			return first, last, err
		}
		if day.Before(last) {
			last = day
		}
	}
	first = last.AddDate(0, 0, 1-usageDays)
	if from != "" {
		if first, err = parseDay("--from", from); err != nil {
			return first, last, err
		}
	}
	if first.After(last) {
		return first, last, usagef("--from %s is after %s", first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	return first, last, nil
}

func parseDay(flag, text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, usagef("%s %q: write a date such as 2026-01-31", flag, text)
	}
	return day, nil
}

// plans returns the plans to ask: the one that is named, or those of the key. A
// grant needs to know which.
func (q *usageRequest) plans(ctx context.Context, c *control.Client, key *control.APIKey) ([]control.UsagePlan, error) {
	if q.plan != "" {
		p, err := findPlan(ctx, c, q.plan)
		if err != nil {
			return nil, err
		}
		return []control.UsagePlan{*p}, nil
	}
	plans, err := c.UsagePlans(ctx, key.ID)
	switch {
	case err != nil:
		return nil, err
	case len(plans) == 0:
		return nil, refusef("the API key %s is in no usage plan; name one that it was in with --plan", keyKind.label(key))
	case len(plans) > 1 && q.remaining != "":
		return nil, refusef("the API key %s is in %d usage plans; choose one with --plan", keyKind.label(key), len(plans))
	}
	return plans, nil
}

func (q *usageRequest) ask(ctx context.Context, c *control.Client, planID, keyID string) (*control.Usage, error) {
	if q.remaining != "" {
		return c.UpdateUsage(ctx, planID, keyID, control.PatchOperation{Op: "replace", Path: "/remaining", Value: q.remaining})
	}
	return c.Usage(ctx, planID, keyID, q.from.Format(time.DateOnly), q.to.Format(time.DateOnly))
}

// printUsageJSON prints the protocol's object when the command line asks for
// one plan, and else a list of them, however many there are.
func printUsageJSON(e *env, found []planUsage, single bool) error {
	if single {
		return printJSON(e.stdout, found[0].usage)
	}
	list := []*control.Usage{}
	for _, f := range found {
		list = append(list, f.usage)
	}
	return printJSON(e.stdout, list)
}
