package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var wafStatsCommand = &command{
	name:    "waf stats",
	args:    "[NAME] [--json]",
	summary: "show what the rules of web ACLs did",
	help: `
Shows how many requests each rule of the web ACLs, or of the one with that name, has
allowed, blocked and counted since the daemon started, and how the inspections beside
the event loops are: of bodies, and by managed rules.

Examples:
  tidegate waf stats
  tidegate waf stats shop`,
}

var wafSamplesCommand = &command{
	name:    "waf samples",
	args:    "NAME [--json]",
	summary: "show requests that a web ACL has seen lately",
	help: `
Shows some of the requests that the rules of a web ACL have matched lately, the
newest first, as far as VisibilityConfig lets them be sampled.

Examples:
  tidegate waf samples shop`,
}

func init() {
	wafStatsCommand.run = showWAFStats
	wafSamplesCommand.run = showWAFSamples
}

// defaultAction stands for the rule that a web ACL's default action is.
const defaultAction = "(default)"

func showWAFStats(e *env, args []string) error {
	r := newRemote(e, wafStatsCommand)
	operands, err := r.operands(args, 0, 1, "")
	if err != nil {
		return err
	}
	var stats *control.WAFStats
	err = r.call("reading what web ACLs did", func(ctx context.Context, c *control.Client) error {
		if stats, err = c.WAFStats(ctx); err != nil || len(operands) == 0 {
			return err
		}
		for _, a := range stats.WebACLs {
			if a.Name == operands[0] {
				stats.WebACLs = []control.WebACLStats{a}
				return nil
			}
		}
		return refusef("no web ACL has the name %q; tidegate waf lists them", operands[0])
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, stats)
	}
	t := newTable(e.stdout, "web acl", "rule", "allowed", "blocked", "counted")
	for _, a := range stats.WebACLs {
		for _, n := range a.Rules {
			t.row(a.Name, cmp.Or(n.Rule, defaultAction), decimal(n.Allowed), decimal(n.Blocked), decimal(n.Counted))
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	i := stats.Inspections
	_, err = fmt.Fprintf(e.stdout, "inspections beside the event loops: %d running, %d waiting; %d refused, %d timed out, %d failed since the start\n",
		i.Running, i.Waiting, i.Refused, i.TimedOut, i.Failed)
	return err
}

func showWAFSamples(e *env, args []string) error {
	r := newRemote(e, wafSamplesCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var samples []control.SampledRequest
	err = r.call("reading samples", func(ctx context.Context, c *control.Client) error {
		samples, err = c.WAFSamples(ctx, operands[0])
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, samples)
	}
	t := newTable(e.stdout, "time", "action", "rule", "source", "request", "host")
	for _, s := range samples {
		t.row(stamp(s.Time), s.Action, cmp.Or(s.Rule, defaultAction), s.Source, s.Method+" "+s.URI, s.Host)
	}
	return t.flush()
}
