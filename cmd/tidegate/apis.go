package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
)

var apisCommand = &command{
	name:    "apis",
	args:    "[--json]",
	summary: "list the APIs",
	help: `
Lists the APIs of this host, REST and WebSocket APIs, oldest first.

Examples:
  tidegate apis
  tidegate apis --json | jq -r '.[].id'`,
}

func init() { apisCommand.run = listAPIs }

func listAPIs(e *env, args []string) error {
	r := newRemote(e, apisCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var apis []api
	err := r.call("reading APIs", func(ctx context.Context, c *control.Client) (err error) {
		apis, err = allAPIs(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		rows := make([]any, len(apis))
		for i, a := range apis {
			rows[i] = a.wire
		}
		return printJSON(e.stdout, rows)
	}
	t := newTable(e.stdout, "id", "name", "protocol", "version", "created", "description")
	for _, a := range apis {
		t.row(a.id, a.name, a.protocol, a.version, stamp(a.created), a.description)
	}
	return t.flush()
}
