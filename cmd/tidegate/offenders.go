package main

import (
	"context"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var offendersCommand = &command{
	name:    "offenders",
	args:    "[--json]",
	summary: "list who was denied lately",
	help: `
Lists the sources whose requests the gateway denied most lately: how many since
the first, why the last, as AWS names its gateway responses, and until when, where
a limit has an end. A source is an IPv4 address or an IPv6 network of 64 bits. The
list begins anew when the daemon starts.

Examples:
  tidegate offenders
  tidegate offenders --json | jq -r '.[] | select(.denied > 1000).source'`,
}

func init() { offendersCommand.run = listOffenders }

func listOffenders(e *env, args []string) error {
	r := newRemote(e, offendersCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var offenders []control.Offender
	err := r.call("reading offenders", func(ctx context.Context, c *control.Client) (err error) {
		offenders, err = c.Offenders(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, offenders)
	}
	t := newTable(e.stdout, "source", "denied", "reason", "first", "last", "until")
	for _, o := range offenders {
		var until time.Time
		if o.Until != nil {
			until = *o.Until
		}
		t.row(o.Source, strconv.FormatUint(o.Denied, 10), o.Reason, stamp(o.FirstSeen), stamp(o.LastSeen), stamp(until))
	}
	return t.flush()
}
