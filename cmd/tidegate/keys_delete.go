package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
)

var deleteKeyCommand = &command{
	name:    "keys delete",
	args:    "KEY [--json]",
	summary: "delete an API key",
	help: `
Deletes a key and takes it out of its usage plans. What it has used can then not
be asked for any more: to keep that, disable the key.

Examples:
  tidegate keys delete k2x9ab4c1d`,
}

func init() { deleteKeyCommand.run = deleteKey }

func deleteKey(e *env, args []string) error {
	r := newRemote(e, deleteKeyCommand)
	operands, err := r.operands(args, 1, 1, "KEY")
	if err != nil {
		return err
	}
	var what string
	err = r.call("deleting an API key", func(ctx context.Context, c *control.Client) error {
		key, err := findKey(ctx, c, operands[0])
		if err != nil {
			return err
		}
		what = "API key " + keyKind.label(key)
		return c.DeleteAPIKey(ctx, key.ID)
	})
	if err != nil {
		return err
	}
	return printDeleted(r, what)
}
