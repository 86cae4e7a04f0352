package main

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var apisCommand = &command{
	name:    "apis",
	args:    "[--json]",
	summary: "list the APIs",
	help: `
Lists the APIs of this host, oldest first.

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
	var apis []control.RestAPI
	err := r.call("reading APIs", func(ctx context.Context, c *control.Client) (err error) {
		apis, err = c.APIs(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, apis)
	}
	t := newTable(e.stdout, "id", "name", "version", "created", "description")
	for _, a := range apis {
		t.row(a.ID, a.Name, a.Version, stamp(time.Unix(a.CreatedDate, 0)), a.Description)
	}
	return t.flush()
}
