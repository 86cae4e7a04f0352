package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var targetsCommand = &command{
	name:    "targets",
	args:    "[API] [--json]",
	summary: "list the targets of integrations, and which of them are asked",
	help: `
Lists the targets of the integrations of all APIs or of one: whether they are up,
ejected, on trial or unhealthy, why, and until when; how many requests have ended,
failed, and went on to another target; and the circuit breaker of each integration.
Above them stands what an API's requests take of what they may.

Examples:
  tidegate targets
  tidegate targets petstore
  tidegate targets --json | jq '.[].integrations[] | select(.breaker != "closed")'`,
}

func init() { targetsCommand.run = listTargets }

func listTargets(e *env, args []string) error {
	r := newRemote(e, targetsCommand)
	operands, err := r.operands(args, 0, 1, "at most one API")
	if err != nil {
		return err
	}
	var all []control.UpstreamStatus
	err = r.call("reading targets", func(ctx context.Context, c *control.Client) (err error) {
		if all, err = c.Targets(ctx); err != nil || len(operands) == 0 {
			return err
		}
		apis, err := allAPIs(ctx, c)
		if err != nil {
			return err
		}
		api, err := apiKind.find(apis, operands[0])
		if err != nil {
			return err
		}
		one := []control.UpstreamStatus{}
		for _, s := range all {
			if s.APIID == api.id {
				one = append(one, s)
			}
		}
		all = one
		return nil
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, all)
	}
	for i := range all {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		if err := printTargets(e.stdout, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func printTargets(w io.Writer, s *control.UpstreamStatus) error {
	fmt.Fprintf(w, "%s (%s): %d of %d requests in flight, %d of %d waiting, %d of %d bytes\n", visible(s.APIName), s.APIID,
		s.InFlight, s.MaxInFlight, s.Waiting, s.MaxWaiting, s.BufferedBytes, s.MaxBufferedBytes)
	t := newTable(w, "integration", "breaker", "target", "state", "requests", "failures", "retries", "why", "until")
	for _, g := range s.Integrations {
		if len(g.Targets) == 0 {
			t.row(visible(g.Endpoint), g.Breaker, "", "unresolved", "", "", "", "", "")
		}
		for _, target := range g.Targets {
			why, until := "", target.Until
			switch {
			case target.State != control.TargetUp:
				why = target.Cause
				if target.HealthCheck != "" {
					why = target.HealthCheck
				}
			case g.Breaker != control.BreakerClosed:
				why, until = g.Cause, g.Until
			}
			t.row(visible(g.Endpoint), g.Breaker, target.Address, target.State, strconv.FormatInt(target.Requests, 10),
				strconv.FormatInt(target.Failures, 10), strconv.FormatInt(target.Retries, 10), visible(why), stampOf(until))
		}
	}
	return t.flush()
}

func stampOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return stamp(*at)
}

// printUnwell says of which integrations something is wrong; tidegate targets has
// more.
func printUnwell(e *env, s *control.Status) {
	for _, api := range s.Unwell {
		for _, g := range api.Integrations {
			if g.Breaker != control.BreakerClosed {
				fmt.Fprintf(e.stdout, "note: %s: circuit breaker of %s is %s: %s\n", visible(api.APIName), visible(g.Endpoint), g.Breaker, g.Cause)
			}
			for _, t := range g.Targets {
				if t.State != control.TargetUp {
					fmt.Fprintf(e.stdout, "note: %s: target %s of %s is %s: %s\n", visible(api.APIName), t.Address, visible(g.Endpoint), t.State, t.Cause)
				}
			}
		}
	}
}
