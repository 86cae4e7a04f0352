package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var statusCommand = &command{
	name:    "status",
	args:    "[--json]",
	summary: "show how the daemon is",
	help: `
Shows the daemon's version, state, listeners and load, what it does about overload, the kernel gate and the
private listeners, how often the response caches of stages hit, whose tokens there
are keys for, how custom authorizers do, which targets of integrations are out, and
what the host lacks.
The exit code is 0 when a daemon answers, and 3 when none does.

Examples:
  tidegate status
  tidegate status --json | jq .requestsInFlight`,
}

func init() { statusCommand.run = showStatus }

func showStatus(e *env, args []string) error {
	r := newRemote(e, statusCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var status *control.Status
	err := r.call("asking the daemon", func(ctx context.Context, c *control.Client) (err error) {
		status, err = c.Status(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, status)
	}
	return printStatus(e, status, time.Now())
}

func printStatus(e *env, s *control.Status, now time.Time) error {
	up := now.Sub(s.StartedAt).Truncate(time.Second)
	fmt.Fprintf(e.stdout, "tidegate %s: %s, up %s\n", s.Version, s.State, up)
	fmt.Fprintf(e.stdout, "host      region %s, account %s, APIs at {apiId}.execute-api.%s, %d event loops\n", s.Region, s.AccountID, s.GatewayDomain, s.Workers)
	fmt.Fprintf(e.stdout, "defined   %s, %s, %s\n", count(s.APIs, "API"), count(s.Deployments, "deployment"), count(s.Stages, "stage"))
	fmt.Fprintf(e.stdout, "load      %d connections, %d requests in flight, %d served\n", s.Connections, s.RequestsInFlight, s.Requests)
	printOverload(e, s.Overload)
	if s.Gate != nil {
		if err := printGate(e.stdout, s.Gate); err != nil {
			return err
		}
	}
	fmt.Fprintln(e.stdout)
	t := newTable(e.stdout, "listener", "address", "protocol", "refusal", "connections")
	for _, l := range s.Listeners {
		protocol := "http"
		if l.TLS {
			protocol = "https"
		}
		t.row(l.Name, l.Address, protocol, l.Refusal, strconv.Itoa(l.Connections))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := printRatios(e, s.Caches); err != nil {
		return err
	}
	if err := printCallers(e, s); err != nil {
		return err
	}
	printTroubles(e, s)
	if s.Kept != nil && s.Kept.Fallback != nil {
		fmt.Fprintf(e.stdout, "ALARM: %s\n", fallbackText(s.Kept.Fallback))
	}
	if s.Kept != nil && s.Kept.CopyError != "" {
		fmt.Fprintf(e.stdout, "note: no copy of the state file: %s\n", visible(s.Kept.CopyError))
	}
	printUnwell(e, s)
	for _, note := range s.Notes {
		fmt.Fprintf(e.stdout, "note: %s\n", note)
	}
	return nil
}

// printRatios shows how well the caches of stages do; tidegate cache has more.
func printRatios(e *env, caches []control.CacheStatus) error {
	if len(caches) == 0 {
		return nil
	}
	fmt.Fprintln(e.stdout)
	t := newTable(e.stdout, "cache", "mode", "hit ratio")
	for _, c := range caches {
		t.row(c.APIName+":"+c.Stage, c.Mode, showRatio(&c))
	}
	return t.flush()
}
