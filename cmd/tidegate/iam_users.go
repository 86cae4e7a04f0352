package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var createUserCommand = &command{
	name:    "iam create-user",
	args:    "NAME [--path PATH] [--tag KEY=VALUE]... [--json]",
	summary: "make a user",
	help: `
Makes a user, without access keys and without policies. A name has up to 64
letters, digits and _+=,.@- and is not told apart from one in other case. Policies
can name the user's tags, as ${aws:PrincipalTag/team}; a path such as /batch/ is a
part of its ARN.

Examples:
  tidegate iam create-user billing
  tidegate iam create-user billing --path /batch/ --tag team=blue --tag cost-center=7`,
}

var tagUserCommand = &command{
	name:    "iam tag-user",
	args:    "USER [--tag KEY=VALUE]... [--remove KEY]... [--json]",
	summary: "set and remove tags of a user",
	help: `
Sets and removes tags of a user. A tag that one of its policies needs cannot be
removed.

Examples:
  tidegate iam tag-user billing --tag team=red --remove cost-center`,
}

var deleteUserCommand = &command{
	name:    "iam delete-user",
	args:    "USER [--force] [--json]",
	summary: "delete a user",
	help: `
Deletes a user. One that has access keys or policies is refused, as on AWS:
--force deletes them too, all at once. Policies that others share stay.

Examples:
  tidegate iam delete-user billing --force`,
}

func init() {
	createUserCommand.run = createUser
	tagUserCommand.run = tagUser
	deleteUserCommand.run = deleteUser
}

func createUser(e *env, args []string) error {
	r := newRemote(e, createUserCommand)
	tags := variables{}
	path := r.String("path", "", "`PATH` in the user's ARN, such as /batch/")
	r.Var(tags, "tag", "tag `KEY=VALUE`; repeat for more")
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var user *control.User
	err = r.call("making a user", func(ctx context.Context, c *control.Client) error {
		user, err = c.CreateUser(ctx, control.UserInput{UserName: operands[0], Path: *path, Tags: tags})
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, user)
	}
	return printUsers(e, []control.User{*user}, nil)
}

func tagUser(e *env, args []string) error {
	r := newRemote(e, tagUserCommand)
	tags := variables{}
	var remove list
	r.Var(tags, "tag", "tag `KEY=VALUE`; repeat for more")
	r.Var(&remove, "remove", "`KEY` of a tag to remove; repeat for more")
	operands, err := r.operands(args, 1, 1, "USER")
	switch {
	case err != nil:
		return err
	case len(tags)+len(remove) == 0:
		return usagef("nothing to change: give --tag or --remove")
	}
	var ops []control.PatchOperation
	for _, key := range remove {
		ops = append(ops, control.PatchOperation{Op: "remove", Path: tagPath(key)})
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		ops = append(ops, control.PatchOperation{Op: "add", Path: tagPath(key), Value: tags[key]})
	}
	var user *control.User
	keys := map[string]int{}
	err = r.call("changing a user", func(ctx context.Context, c *control.Client) error {
		if user, err = c.UpdateUser(ctx, operands[0], ops...); err != nil {
			return err
		}
		of, err := c.AccessKeys(ctx, operands[0])
		keys[operands[0]] = len(of)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, user)
	}
	return printUsers(e, []control.User{*user}, keys)
}

// tagPath is a JSON Pointer (RFC 6901).
func tagPath(key string) string {
	return "/tags/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func showTags(tags map[string]string) string {
	pairs := make([]string, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, key+"="+tags[key])
	}
	return strings.Join(pairs, ",")
}

func deleteUser(e *env, args []string) error {
	r := newRemote(e, deleteUserCommand)
	force := r.Bool("force", false, "delete its access keys and policies too")
	operands, err := r.operands(args, 1, 1, "USER")
	if err != nil {
		return err
	}
	err = r.call("deleting a user", func(ctx context.Context, c *control.Client) error {
		return c.DeleteUser(ctx, operands[0], *force)
	})
	if err != nil {
		return err
	}
	return printDeleted(r, "user "+operands[0])
}
