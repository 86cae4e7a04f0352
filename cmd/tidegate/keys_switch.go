package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/control"
)

var disableKeyCommand = &command{
	name:    "keys disable",
	args:    "KEY [--json]",
	summary: "stop letting an API key in",
	help: `
Disables a key from the next request on: it gets 403, as one that does not
exist. Its plans and its usage stay.

Examples:
  tidegate keys disable shop`,
}

var enableKeyCommand = &command{
	name:    "keys enable",
	args:    "KEY [--json]",
	summary: "let a disabled API key in again",
	help: `
Enables a key that was disabled. Its throttle and quota go on where they were.

Examples:
  tidegate keys enable shop`,
}

func init() {
	disableKeyCommand.run = func(e *env, args []string) error { return switchNamedKey(e, disableKeyCommand, args, false) }
	enableKeyCommand.run = func(e *env, args []string) error { return switchNamedKey(e, enableKeyCommand, args, true) }
}

func switchNamedKey(e *env, command *command, args []string, on bool) error {
	r := newRemote(e, command)
	operands, err := r.operands(args, 1, 1, "KEY")
	if err != nil {
		return err
	}
	var key *control.APIKey
	err = r.call("changing an API key", func(ctx context.Context, c *control.Client) error {
		if key, err = findKey(ctx, c, operands[0]); err != nil {
			return err
		}
		key.Enabled = on
		return switchKey(ctx, c, key.ID, on)
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, key)
	}
	state := "disabled"
	if on {
		state = "enabled"
	}
	_, err = fmt.Fprintf(e.stdout, "%s API key %s\n", state, keyKind.label(key))
	return err
}

func switchKey(ctx context.Context, c *control.Client, keyID string, on bool) error {
	_, err := c.UpdateAPIKey(ctx, keyID, control.PatchOperation{Op: "replace", Path: "/enabled", Value: strconv.FormatBool(on)})
	return err
}
