package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
)

var throttleAccountCommand = &command{
	name:    "throttle account",
	args:    "RATE [BURST] [--json] | none [--json]",
	summary: "set the limit that all APIs share",
	help: `
Sets the account's limit, which every request on the host needs a token of. A
burst that is left out is half of what a second refills. none goes back to the
host file's throttle.rate_limit.

Examples:
  tidegate throttle account 2000
  tidegate throttle account 2000 500
  tidegate throttle account none`,
}

func init() { throttleAccountCommand.run = throttleAccount }

func throttleAccount(e *env, args []string) error {
	r := newRemote(e, throttleAccountCommand)
	operands, err := r.operands(args, 1, 2, "RATE, or none")
	if err != nil {
		return err
	}
	rate, burst := operands[0], none
	switch {
	case len(operands) == 2 && rate == none:
		return usagef("unexpected %q behind none", operands[1])
	case len(operands) == 2:
		burst = operands[1]
	}
	ops, err := throttlePatch("/throttle", rate, burst)
	if err != nil {
		return err
	}
	var account *control.Account
	err = r.call("setting the account's limit", func(ctx context.Context, c *control.Client) error {
		account, err = c.UpdateAccount(ctx, ops...)
		return err
	})
	if err != nil {
		return err
	}
	return printLimits(r, []limitRow{accountRow(account)})
}
