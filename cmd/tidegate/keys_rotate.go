package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var rotateKeyCommand = &command{
	name:    "keys rotate",
	args:    "KEY [--disable-old] [-q | --json]",
	summary: "make a new API key in the place of another",
	help: `
Makes a key with the name, description, customer, tags and usage plans of KEY
and prints the new value. The old key stays enabled, so that clients change over
without an outage: give them the new value, and when tidegate usage shows that
the old one is not used any more, disable it by its id. --disable-old does so at
once, for a value that has leaked. Throttle and quota of the new key start anew.

Examples:
  tidegate keys rotate shop
  tidegate keys rotate k2x9ab4c1d --disable-old -q > shop.key`,
}

func init() { rotateKeyCommand.run = rotateKey }

func rotateKey(e *env, args []string) error {
	r := newRemote(e, rotateKeyCommand)
	disable := r.Bool("disable-old", false, "disable the old key at once")
	quiet := r.Bool("q", false, "print the new value only")
	operands, err := r.operands(args, 1, 1, "KEY")
	switch {
	case err != nil:
		return err
	case *quiet && *r.json:
		return usagef("-q and --json exclude each other")
	}
	var old *control.APIKey
	var row keyRow
	err = r.call("rotating an API key", func(ctx context.Context, c *control.Client) error {
		if old, err = findKey(ctx, c, operands[0]); err != nil {
			return err
		}
		if !old.Enabled {
			return refusef("the key %s is disabled, and a new one would let its client in again; enable it first", keyKind.label(old))
		}
		if row, err = replaceKey(ctx, c, old); err != nil || !*disable {
			return err
		}
		if err = switchKey(ctx, c, old.ID, false); err != nil {
			return fmt.Errorf("made the new key %s but the old one, %s, is still enabled: %w", row.ID, old.ID, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !*quiet && !*r.json {
		state := fmt.Sprintf("still enabled; when no client sends it any more: tidegate keys disable %s", old.ID)
		if *disable {
			state = "disabled"
		}
		fmt.Fprintf(e.stdout, "the old key %s is %s\n\n", old.ID, state)
	}
	return printNewKey(r, row, *quiet)
}

// replaceKey makes a key like old, with a value of its own.
func replaceKey(ctx context.Context, c *control.Client, old *control.APIKey) (keyRow, error) {
	plans, err := c.UsagePlans(ctx, old.ID)
	if err != nil {
		return keyRow{}, err
	}
	names := make([]planName, len(plans))
	for i, p := range plans {
		names[i] = planName{p.ID, p.Name}
	}
	in := control.APIKeyInput{Name: old.Name, Description: old.Description, CustomerID: old.CustomerID, Enabled: true}
	if old.Tags != nil {
		in.Tags = *old.Tags
	}
	return makeKey(ctx, c, in, names)
}
