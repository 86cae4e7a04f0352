package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var gateTraceCommand = &command{
	name:    "gate trace",
	args:    "[--every N] [--json]",
	summary: "follow packets of those who are kept out",
	help: `
Prints a line for each packet of a source that is kept out, until Ctrl-C: when,
what became of it, from where, to which port of the gateway, by which interface,
its bytes, and why the source is kept out. Under a flood choose --every: of each
reason it shows one of so many packets (a power of two) on each CPU. One trace
runs at a time. --json prints a JSON object a line.

Examples:
  tidegate gate trace
  tidegate gate trace --every 1024
  tidegate gate trace --json | jq -r .source`,
}

func init() { gateTraceCommand.run = gateTrace }

func gateTrace(e *env, args []string) error {
	r := newRemote(e, gateTraceCommand)
	every := r.Uint64("every", 1, "show one of `N` packets of each reason")
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	if *every == 0 || *every > 1<<31 {
		return usagef("--every %d: write 1 for all packets, or more", *every)
	}
	lines := json.NewEncoder(e.stdout)
	return r.follow(func(ctx context.Context, c *control.Client) error {
		return c.GateTrace(ctx, *every, func(g control.GateEvent) {
			if *r.json {
				_ = lines.Encode(g) // a pipe that closed ends the process
				return
			}
			fmt.Fprintf(e.stdout, "%s  %-16s %s -> :%d  %s  %d bytes", g.Time.Format("15:04:05.000000Z"), g.Reason, g.Source, g.Port, visible(g.Interface), g.Bytes)
			if g.Why != "" {
				fmt.Fprintf(e.stdout, "  %s", visible(g.Why))
			}
			fmt.Fprintln(e.stdout)
		})
	})
}
