package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var importKeysCommand = &command{
	name:    "keys import",
	args:    "FILE.csv [--fail-on-warnings] [--json]",
	summary: "make API keys of AWS's CSV file",
	help: `
Makes the API keys that a CSV file lists ("-" is standard input). Its first line
names the columns: Name and Key (the value) are required, Description, Enabled
and UsagePlanIds are not. A key whose value is known gets the other columns. A
line that makes no sense refuses the file. A value that is there twice or a plan
that takes no such key is a warning; with --fail-on-warnings it refuses the file
too. A file that is refused changes nothing.

Examples:
  tidegate keys import keys.csv --fail-on-warnings
  printf 'name,key\nshop,4b1c9d2e7f6a5038wxyz\n' | tidegate keys import -`,
}

func init() { importKeysCommand.run = importKeys }

func importKeys(e *env, args []string) error {
	r := newRemote(e, importKeysCommand)
	strict := r.Bool("fail-on-warnings", false, "import nothing when there are warnings")
	operands, err := r.operands(args, 1, 1, "FILE.csv")
	if err != nil {
		return err
	}
	file := operands[0]
	csv, err := readDocument(e, file)
	if err != nil {
		return err
	}
	var made *control.APIKeyIDs
	err = r.call("importing "+file, func(ctx context.Context, c *control.Client) error {
		made, err = c.ImportAPIKeys(ctx, csv, *strict)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, made)
	}
	for _, w := range made.Warnings {
		fmt.Fprintf(e.stderr, "warning: %s: %s\n", file, visible(w))
	}
	_, err = fmt.Fprintf(e.stdout, "imported %s\n", count(len(made.IDs), "API key"))
	return err
}
