package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/control"
)

var gateDenyCommand = &command{
	name:    "gate deny",
	args:    "CIDR [--for DURATION] [--reason TEXT] [--status 403|429] [--json]",
	summary: "keep a network out",
	help: `
Keeps a network, or one address, out: for a time, or until gate allow. A second
rule on the same network replaces the first. It acts on new connections, on all
listeners, and outlives the daemon. Where the kernel gate is on, it refuses as
the listener says (respond, reset or drop); elsewhere the gateway itself answers
403, or resets a connection that would be TLS.

What the host file's trusted_proxies and kernel_gate.never hold, and loopback,
cannot be denied.

Examples:
  tidegate gate deny 192.0.2.7
  tidegate gate deny 2001:db8::/32 --for 1h30m --reason "scraping"
  tidegate gate deny 198.51.100.0/24 --status 429 --for 10m`,
}

var gateAllowCommand = &command{
	name:    "gate allow",
	args:    "CIDR [--json]",
	summary: "let a network in again",
	help: `
Takes back what gate deny keeps out within a network, and ends the sentences of
its sources early; what they did is forgotten. Larger networks that stay denied
are named.

Examples:
  tidegate gate allow 192.0.2.7
  tidegate gate allow 2001:db8::/32`,
}

func init() { gateDenyCommand.run, gateAllowCommand.run = gateDeny, gateAllow }

func gateDeny(e *env, args []string) error {
	r := newRemote(e, gateDenyCommand)
	length := r.Duration("for", 0, "`DURATION` such as 10m; until it is allowed when left out")
	reason := r.String("reason", "", "`TEXT` to remember it by")
	status := r.Int("status", 403, "`STATUS` of the answer, where there is one: 403 or 429")
	cidr, err := networkOperand(r, args)
	switch {
	case err != nil:
		return err
	case *length < 0 || *length > 0 && *length < time.Second:
		return usagef("--for %s: write a second or more", *length)
	case *status != 403 && *status != 429:
		return usagef("--status %d: write 403 or 429", *status)
	}
	var out *control.DenyResult
	err = r.call("keeping a network out", func(ctx context.Context, c *control.Client) (err error) {
		out, err = c.Deny(ctx, cidr, *length, *reason, *status)
		return err
	})
	if err != nil {
		return err
	}
	warn(e, out.Warnings)
	if *r.json {
		return printJSON(e.stdout, out)
	}
	end := "until it is allowed"
	if out.Until != nil {
		end = "until " + stamp(*out.Until)
	}
	_, err = fmt.Fprintf(e.stdout, "%s is kept out %s\n", out.Network, end)
	return err
}

func gateAllow(e *env, args []string) error {
	r := newRemote(e, gateAllowCommand)
	cidr, err := networkOperand(r, args)
	if err != nil {
		return err
	}
	var out *control.AllowResult
	err = r.call("letting a network in", func(ctx context.Context, c *control.Client) (err error) {
		out, err = c.Allow(ctx, cidr)
		return err
	})
	if err != nil {
		return err
	}
	warn(e, out.Warnings)
	if *r.json {
		return printJSON(e.stdout, out)
	}
	for _, n := range out.Removed {
		fmt.Fprintf(e.stdout, "%s is not denied any more\n", n)
	}
	for _, n := range out.Released {
		fmt.Fprintf(e.stdout, "the sentence of %s is over\n", n)
	}
	if len(out.Removed)+len(out.Released) == 0 {
		fmt.Fprintf(e.stdout, "nothing within %s was kept out\n", cidr)
	}
	return nil
}

// networkOperand reads the one operand, a network.
func networkOperand(r *remote, args []string) (string, error) {
	operands, err := r.operands(args, 1, 1, "CIDR")
	if err != nil {
		return "", err
	}
	if _, err := prefixlist.Parse(operands[0]); err != nil {
		return "", usagef("%v", err)
	}
	return operands[0], nil
}

func warn(e *env, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(e.stderr, "warning: %s\n", w)
	}
}
