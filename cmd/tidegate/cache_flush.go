package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var cacheFlushCommand = &command{
	name:    "cache flush",
	args:    "API:STAGE [--json]",
	summary: "empty the response cache of a stage",
	help: `
Empties the response cache of a stage at once: no request after it is answered
with what was stored before.

Examples:
  tidegate cache flush petstore:prod`,
}

func init() { cacheFlushCommand.run = cacheFlush }

func cacheFlush(e *env, args []string) error {
	r := newRemote(e, cacheFlushCommand)
	operands, err := r.operands(args, 1, 1, "API:STAGE")
	if err != nil {
		return err
	}
	t, err := parseStage(operands[0])
	if err != nil {
		return err
	}
	err = r.call("flushing a cache", func(ctx context.Context, c *control.Client) error {
		apiID, err := findCache(ctx, c, &t)
		if err != nil {
			return err
		}
		return c.FlushStageCache(ctx, apiID, t.stage)
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, map[string]string{"flushed": t.String()})
	}
	_, err = fmt.Fprintf(e.stdout, "flushed the cache of %s\n", &t)
	return err
}
