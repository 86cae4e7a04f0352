package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

var cacheEnableCommand = &command{
	name:    "cache enable",
	args:    "API:STAGE [--size GB] [--ttl SECONDS] [--mode aws|standard] [--method /path/VERB] [--json]",
	summary: "give a stage a response cache, and have its methods cached",
	help: `
Gives a stage a response cache and has its GET methods cached, or with --method
that one. What a flag does not name stays as it was: at first size 0.5, 300
seconds and mode aws, in which an answer is kept for the time to live, and told
apart by its path and the cacheKeyParameters of its integration. In mode standard
the cache follows RFC 9111: what the backend and the client say decides.

Examples:
  tidegate cache enable petstore:prod
  tidegate cache enable petstore:prod --ttl 60 --method /pets/{id}/GET
  tidegate cache enable petstore:prod --mode standard`,
}

var cacheDisableCommand = &command{
	name:    "cache disable",
	args:    "API:STAGE [--method /path/VERB] [--json]",
	summary: "take away the response cache of a stage, or have a method not cached",
	help: `
Takes away the response cache of a stage with all that it holds. What is set for
its methods stays, for when the cache is enabled again. With --method the cache
stays and that method is not cached.

Examples:
  tidegate cache disable petstore:prod
  tidegate cache disable petstore:prod --method /pets/{id}/GET`,
}

func init() {
	cacheEnableCommand.run = cacheEnable
	cacheDisableCommand.run = cacheDisable
}

func cacheEnable(e *env, args []string) error {
	r := newRemote(e, cacheEnableCommand)
	r.String("size", "", "`GB`, one of AWS's: 0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118 or 237")
	r.String("mode", "", "`MODE`: aws or standard")
	ttl := r.Int("ttl", 0, "`SECONDS` that an answer is kept in mode aws, 0 to 3600")
	method := r.String("method", "", "`METHOD` to cache, such as /pets/GET; every GET when left out")
	t, err := cacheTarget(r, args, method)
	if err != nil {
		return err
	}
	ops := []control.PatchOperation{replace("/cacheClusterEnabled", "true")}
	r.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "size":
			ops = append(ops, replace("/cacheClusterSize", f.Value.String()))
		case "mode":
			ops = append(ops, replace("/x-tidegate-cache-mode", f.Value.String()))
		case "ttl":
			if *ttl < 0 || *ttl > definition.MaxCacheTTL {
				err = usagef("--ttl %d: write seconds from 0 to %d", *ttl, definition.MaxCacheTTL)
			}
			ops = append(ops, replace(cachingOf(t)+"/ttlInSeconds", f.Value.String()))
		}
	})
	if err != nil {
		return err
	}
	return switchCache(r, t, append(ops, replace(cachingOf(t)+"/enabled", "true")))
}

func cacheDisable(e *env, args []string) error {
	r := newRemote(e, cacheDisableCommand)
	method := r.String("method", "", "`METHOD` not to cache, such as /pets/GET")
	t, err := cacheTarget(r, args, method)
	if err != nil {
		return err
	}
	path := "/cacheClusterEnabled"
	if t.verb != "" {
		path = cachingOf(t) + "/enabled"
	}
	return switchCache(r, t, []control.PatchOperation{replace(path, "false")})
}

// cacheTarget reads the operand and the flag --method.
func cacheTarget(r *remote, args []string, method *string) (target, error) {
	operands, err := r.operands(args, 1, 1, "API:STAGE")
	if err != nil {
		return target{}, err
	}
	t, err := parseStage(operands[0])
	if err != nil || *method == "" {
		return t, err
	}
	of, err := parseTarget(t.String() + ":" + *method)
	if err != nil || of.api != t.api || of.stage != t.stage {
		return t, usagef("--method %q: write /path/VERB, such as /pets/GET (the root's methods are //GET)", *method)
	}
	return of, nil
}

// cachingOf begins the paths of the caching settings of a method, or of all.
func cachingOf(t target) string {
	if t.verb == "" {
		return "/" + definition.AllMethods + "/caching"
	}
	return "/" + t.method() + "/caching"
}

func replace(path, value string) control.PatchOperation {
	return control.PatchOperation{Op: "replace", Path: path, Value: value}
}

// switchCache applies ops and prints what is cached then.
func switchCache(r *remote, t target, ops []control.PatchOperation) error {
	var stage *control.Stage
	err := r.call("switching a cache", func(ctx context.Context, c *control.Client) error {
		api, err := findRESTAPI(ctx, c, t.api, noCache)
		if err == nil {
			stage, err = c.UpdateStage(ctx, api.ID, t.stage, ops...)
		}
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, stage)
	}
	return printCache(r.env, target{api: t.api, stage: t.stage}, stage)
}

func printCache(e *env, of target, s *control.Stage) error {
	if !s.CacheClusterEnabled {
		_, err := fmt.Fprintf(e.stdout, "%s: no cache\n", &of)
		return err
	}
	mode, all := definition.CacheModeAWS, "every GET"
	if s.CacheMode != "" {
		mode, all = s.CacheMode, "every method"
	}
	fmt.Fprintf(e.stdout, "%s: cache of size %s, mode %s\n\n", &of, s.CacheClusterSize, mode)
	t := newTable(e.stdout, "method", "cached", "seconds")
	for _, key := range slices.Sorted(maps.Keys(s.MethodSettings)) {
		name := all
		if key != definition.AllMethods {
			path, verb := methodOf(key)
			name = path + "/" + verb
		}
		setting := s.MethodSettings[key]
		t.row(name, yesNo(setting.CachingEnabled), strconv.Itoa(setting.CacheTTLInSeconds))
	}
	return t.flush()
}
