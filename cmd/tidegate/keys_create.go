package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var createKeyCommand = &command{
	name:    "keys create",
	args:    "NAME [--value V] [--description D] [--customer C] [--plan PLAN]... [--disabled] [-q | --json]",
	summary: "make an API key",
	help: `
Makes an API key and prints its value, which clients send in X-API-Key, on a
line of its own. The gateway chooses the value unless --value gives one of 20 to
128 characters; "--value -" reads it from standard input, which keeps it out of
the shell's history. With -q the value is all that is printed.

Examples:
  tidegate keys create shop --plan gold
  tidegate keys create shop --plan gold -q > shop.key
  pass show shop | tidegate keys create shop --value -`,
}

func init() { createKeyCommand.run = createKey }

// list collects the values of a flag that may be repeated.
type list []string

func (l *list) String() string { return "" }

func (l *list) Set(text string) error {
	*l = append(*l, text)
	return nil
}

func createKey(e *env, args []string) error {
	r := newRemote(e, createKeyCommand)
	var in control.APIKeyInput
	var plans list
	r.StringVar(&in.Value, "value", "", "`VALUE` of the key, or - for standard input")
	r.StringVar(&in.Description, "description", "", "`TEXT` to remember the key by")
	r.StringVar(&in.CustomerID, "customer", "", "`CUSTOMER` that has the key")
	r.Var(&plans, "plan", "usage `PLAN` to add the key to, by name or id; repeat for more")
	disabled := r.Bool("disabled", false, "make it, but do not let it in yet")
	quiet := r.Bool("q", false, "print the value only")
	operands, err := r.operands(args, 1, 1, "NAME")
	switch {
	case err != nil:
		return err
	case *quiet && *r.json:
		return usagef("-q and --json exclude each other")
	}
	in.Name, in.Enabled = operands[0], !*disabled
	if in.Value == "-" {
		if in.Value, err = readValue(e.stdin); err != nil {
			return err
		}
	}
	var row keyRow
	err = r.call("making an API key", func(ctx context.Context, c *control.Client) error {
		joins, err := findPlans(ctx, c, plans)
		if err != nil {
			return err
		}
		row, err = makeKey(ctx, c, in, joins)
		return err
	})
	if err != nil {
		return err
	}
	return printNewKey(r, row, *quiet)
}

// maxValueBytes is more than any value has.
const maxValueBytes = 4096

func readValue(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxValueBytes))
	if err != nil {
		return "", fmt.Errorf("read the value from standard input: %w", err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", refusef("standard input holds no value")
	}
	return value, nil
}

func findPlans(ctx context.Context, c *control.Client, namesOrIDs []string) ([]planName, error) {
	var found []planName
	for _, nameOrID := range namesOrIDs {
		p, err := findPlan(ctx, c, nameOrID)
		if err != nil {
			return nil, err
		}
		found = append(found, planName{p.ID, p.Name})
	}
	return found, nil
}

// makeKey makes a key that is in plans, or nothing.
func makeKey(ctx context.Context, c *control.Client, in control.APIKeyInput, plans []planName) (keyRow, error) {
	key, err := c.CreateAPIKey(ctx, in)
	if err != nil {
		return keyRow{}, err
	}
	for _, p := range plans {
		if _, err := c.CreateUsagePlanKey(ctx, p.ID, key.ID); err != nil {
			err = fmt.Errorf("add the key to the usage plan %s: %w", cell(p.Name), err)
			return keyRow{}, errors.Join(err, c.DeleteAPIKey(ctx, key.ID))
		}
	}
	return keyRow{*key, append([]planName{}, plans...)}, nil
}

func printNewKey(r *remote, row keyRow, quiet bool) error {
	out := r.env.stdout
	if *r.json {
		return printJSON(out, row)
	}
	if !quiet {
		if err := printKeys(r.env, []keyRow{row}, false); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	_, err := fmt.Fprintln(out, row.Value)
	return err
}
