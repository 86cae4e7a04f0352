package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var createAccessKeyCommand = &command{
	name:    "iam create-key",
	args:    "USER [--json]",
	summary: "make an access key and print its secret, once",
	help: `
Makes an access key and prints it as a file of AWS credentials has it. The secret
is shown this once: nothing tells it again, and a lost key is replaced by another.
A user has two keys at most, so that one can take over from the other: make the
second, give it to the caller, and disable the first when it is not used any more.

Examples:
  tidegate iam create-key billing
  (umask 077; tidegate iam create-key billing > billing.credentials)
  tidegate iam create-key billing --json | jq -r .secretAccessKey`,
}

var accessKeysCommand = &command{
	name:    "iam keys",
	args:    "[USER] [--json]",
	summary: "list the access keys of all users, or one",
	help: `
Lists access keys, without their secrets.

Examples:
  tidegate iam keys
  tidegate iam keys billing`,
}

var disableAccessKeyCommand = &command{
	name:    "iam disable-key",
	args:    "KEY-ID [--json]",
	summary: "refuse an access key",
	help: `
Refuses the signatures of an access key from the next request on, as those of a
key that does not exist. It can be enabled again.

Examples:
  tidegate iam disable-key AKIA2Q5KH4ZJ7WYXPNVB`,
}

var enableAccessKeyCommand = &command{
	name:    "iam enable-key",
	args:    "KEY-ID [--json]",
	summary: "accept a disabled access key again",
	help: `
Accepts the signatures of an access key that was disabled.

Examples:
  tidegate iam enable-key AKIA2Q5KH4ZJ7WYXPNVB`,
}

var deleteAccessKeyCommand = &command{
	name:    "iam delete-key",
	args:    "KEY-ID [--json]",
	summary: "delete an access key",
	help: `
Deletes an access key for good. To be able to go back, disable it first.

Examples:
  tidegate iam delete-key AKIA2Q5KH4ZJ7WYXPNVB`,
}

func init() {
	createAccessKeyCommand.run = createAccessKey
	accessKeysCommand.run = listAccessKeys
	disableAccessKeyCommand.run = func(e *env, args []string) error {
		return switchAccessKey(newRemote(e, disableAccessKeyCommand), args, control.KeyInactive, "disabled")
	}
	enableAccessKeyCommand.run = func(e *env, args []string) error {
		return switchAccessKey(newRemote(e, enableAccessKeyCommand), args, control.KeyActive, "enabled")
	}
	deleteAccessKeyCommand.run = deleteAccessKey
}

func createAccessKey(e *env, args []string) error {
	r := newRemote(e, createAccessKeyCommand)
	operands, err := r.operands(args, 1, 1, "USER")
	if err != nil {
		return err
	}
	var key *control.AccessKey
	err = r.call("making an access key", func(ctx context.Context, c *control.Client) error {
		key, err = c.CreateAccessKey(ctx, operands[0])
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stderr, "Keep the secret now: it is shown this once.")
	if *r.json {
		return printJSON(e.stdout, key)
	}
	_, err = fmt.Fprintf(e.stdout, "aws_access_key_id = %s\naws_secret_access_key = %s\n", key.AccessKeyID, key.SecretAccessKey)
	return err
}

func listAccessKeys(e *env, args []string) error {
	r := newRemote(e, accessKeysCommand)
	operands, err := r.operands(args, 0, 1, "")
	if err != nil {
		return err
	}
	user := ""
	if len(operands) > 0 {
		user = operands[0]
	}
	var keys []control.AccessKey
	err = r.call("reading access keys", func(ctx context.Context, c *control.Client) error {
		keys, err = c.AccessKeys(ctx, user)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, keys)
	}
	t := newTable(e.stdout, "user", "key id", "status", "created")
	for _, k := range keys {
		t.row(k.UserName, k.AccessKeyID, k.Status, stamp(k.CreateDate))
	}
	return t.flush()
}

func switchAccessKey(r *remote, args []string, status, done string) error {
	operands, err := r.operands(args, 1, 1, "KEY-ID")
	if err != nil {
		return err
	}
	var key *control.AccessKey
	err = r.call("changing an access key", func(ctx context.Context, c *control.Client) error {
		key, err = c.SetAccessKeyStatus(ctx, operands[0], status)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, key)
	}
	_, err = fmt.Fprintf(r.env.stdout, "%s access key %s of user %s\n", done, key.AccessKeyID, key.UserName)
	return err
}

func deleteAccessKey(e *env, args []string) error {
	r := newRemote(e, deleteAccessKeyCommand)
	operands, err := r.operands(args, 1, 1, "KEY-ID")
	if err != nil {
		return err
	}
	err = r.call("deleting an access key", func(ctx context.Context, c *control.Client) error {
		return c.DeleteAccessKey(ctx, operands[0])
	})
	if err != nil {
		return err
	}
	return printDeleted(r, "access key "+operands[0])
}
