package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/control"
)

var cacheCommand = &command{
	name:    "cache",
	args:    "[--json]",
	summary: "show, flush and switch the response caches of stages",
	help: `
Shows the response caches of all stages: mode and size, how many requests the
cache answered (hits) and how many a backend did (misses) since the daemon
started, the share of hits, and what the cache holds now. A cache holds at most
the smaller of its size in gigabytes and cache.stage_bytes of the host file.

Examples:
  tidegate cache
  tidegate cache enable petstore:prod --ttl 60
  tidegate cache flush petstore:prod
  tidegate cache --json | jq '.[] | select(.hitRatio < 0.5).stage'`,
	verbs: []*command{cacheStatsCommand, cacheFlushCommand, cacheEnableCommand, cacheDisableCommand},
}

var cacheStatsCommand = &command{
	name:    "cache stats",
	args:    "[API:STAGE] [--json]",
	summary: "show the response caches of all stages, or one",
	help: `
Shows the response cache of one stage, or those of all. API is a name or an id.

Examples:
  tidegate cache stats
  tidegate cache stats petstore:prod`,
}

func init() {
	cacheCommand.run = func(e *env, args []string) error { return cacheStats(newRemote(e, cacheCommand), args, 0) }
	cacheStatsCommand.run = func(e *env, args []string) error { return cacheStats(newRemote(e, cacheStatsCommand), args, 1) }
}

// cacheStats prints the caches of all stages, or of the one that the only of
// most operands names.
func cacheStats(r *remote, args []string, most int) error {
	operands, err := r.operands(args, 0, most, "")
	if err != nil {
		return err
	}
	var only *target
	if len(operands) > 0 {
		t, err := parseStage(operands[0])
		if err != nil {
			return err
		}
		only = &t
	}
	caches := []control.CacheStatus{}
	err = r.call("reading caches", func(ctx context.Context, c *control.Client) error {
		var apiID string
		if only != nil {
			if apiID, err = findCache(ctx, c, only); err != nil {
				return err
			}
		}
		all, err := c.Caches(ctx)
		for _, one := range all {
			if only == nil || one.APIID == apiID && one.Stage == only.stage {
				caches = append(caches, one)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, caches)
	}
	t := newTable(r.env.stdout, "api", "stage", "mode", "size", "hits", "misses", "ratio", "entries", "bytes")
	for _, c := range caches {
		t.row(c.APIName, c.Stage, c.Mode, c.Size, decimal(c.Hits), decimal(c.Misses), showRatio(&c), decimal(c.Entries), decimal(c.Bytes))
	}
	return t.flush()
}

// findCache returns the id of the API of a stage that has a cache.
func findCache(ctx context.Context, c *control.Client, of *target) (apiID string, err error) {
	api, err := findRESTAPI(ctx, c, of.api, noCache)
	if err != nil {
		return "", err
	}
	stage, err := c.Stage(ctx, api.ID, of.stage)
	if err == nil && !stage.CacheClusterEnabled {
		err = refusef("%s has no cache; tidegate cache enable %[1]s gives it one", of)
	}
	return api.ID, err
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// showRatio is empty before the first request.
func showRatio(c *control.CacheStatus) string {
	if c.Hits+c.Misses == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*c.HitRatio)
}

// noCache is what there is to say of WebSocket APIs.
const noCache = "it has no responses to keep"
