package main

import (
	"context"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var gateListCommand = &command{
	name:    "gate list",
	args:    "[--json]",
	summary: "list who is kept out, and who never is",
	help: `
Lists who is kept out, why, with which status where a listener answers, and
until when:

  deny      a network that gate deny keeps out
  sentence  a source whose every request was denied lately, as AWS names its
            gateway responses
  list      the networks of kernel_gate.deny and deny_files of the host file
  never     a network that nothing keeps out: loopback, trusted_proxies and
            kernel_gate.never of the host file

Examples:
  tidegate gate list
  tidegate gate list --json | jq -r '.[] | select(.kind == "sentence").network'`,
}

func init() { gateListCommand.run = gateList }

func gateList(e *env, args []string) error {
	r := newRemote(e, gateListCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var entries []control.GateEntry
	err := r.call("reading who is kept out", func(ctx context.Context, c *control.Client) (err error) {
		entries, err = c.GateEntries(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, entries)
	}
	return printEntries(r, entries)
}

func printEntries(r *remote, entries []control.GateEntry) error {
	t := newTable(r.env.stdout, "kind", "network", "status", "reason", "until")
	for _, g := range entries {
		network, status := g.Network, ""
		if network == "" {
			network = count(g.Networks, "network")
		}
		if g.Status != 0 {
			status = strconv.Itoa(g.Status)
		}
		var until time.Time
		if g.Until != nil {
			until = *g.Until
		}
		t.row(g.Kind, network, status, g.Reason, stamp(until))
	}
	return t.flush()
}
