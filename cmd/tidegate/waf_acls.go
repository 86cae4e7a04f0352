package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var wafPutCommand = &command{
	name:    "waf put",
	args:    "NAME FILE [--description TEXT] [--json]",
	summary: "make a web ACL or replace its rules",
	help: `
Makes a web ACL of a document ("-" is standard input), or replaces the document of
one, for all stages that have it. A document that makes no sense is refused by the
place in it, and nothing changes.

The document is what AWS WAF v2 has beside the name: DefaultAction, Rules,
VisibilityConfig, CustomResponseBodies and AssociationConfig. Where AWS wants the ARN
of an IP set or a regex pattern set, its name will do.

Examples:
  tidegate waf put shop shop.json
  tidegate waf show shop | sed s/Count/Block/ | tidegate waf put shop -`,
}

var wafShowCommand = &command{
	name:    "waf show",
	args:    "NAME [--json]",
	summary: "print the document of a web ACL",
	help: `
Prints the document of a web ACL as it was put.

Examples:
  tidegate waf show shop > shop.json`,
}

var wafDeleteCommand = &command{
	name:    "waf delete",
	args:    "NAME [--json]",
	summary: "delete a web ACL",
	help: `
Deletes a web ACL that protects no stage.

Examples:
  tidegate waf delete shop`,
}

var wafAttachCommand = &command{
	name:    "waf attach",
	args:    "API:STAGE NAME [--json]",
	summary: "have a web ACL protect a stage",
	help: `
Has a web ACL protect a stage, in place of the one that it has. One web ACL can
protect many stages, which its rate-based rules then count together.

Examples:
  tidegate waf attach petstore:prod shop`,
}

var wafDetachCommand = &command{
	name:    "waf detach",
	args:    "API:STAGE [--json]",
	summary: "leave a stage without a web ACL",
	help: `
Takes the web ACL from a stage; it stays for others.

Examples:
  tidegate waf detach petstore:prod`,
}

func init() {
	wafPutCommand.run = putWebACL
	wafShowCommand.run = showWebACL
	wafDeleteCommand.run = deleteWebACL
	wafAttachCommand.run = func(e *env, args []string) error {
		r := newRemote(e, wafAttachCommand)
		operands, err := r.operands(args, 2, 2, "API:STAGE and NAME")
		if err != nil {
			return err
		}
		return attachWebACL(r, operands[0], operands[1])
	}
	wafDetachCommand.run = func(e *env, args []string) error {
		r := newRemote(e, wafDetachCommand)
		operands, err := r.operands(args, 1, 1, "API:STAGE")
		if err != nil {
			return err
		}
		return attachWebACL(r, operands[0], "")
	}
}

func putWebACL(e *env, args []string) error {
	r := newRemote(e, wafPutCommand)
	description := r.String("description", "", "`TEXT` that says what it is for")
	operands, err := r.operands(args, 2, 2, "NAME and FILE")
	if err != nil {
		return err
	}
	name, file := operands[0], operands[1]
	document, err := readDocument(e, file)
	if err != nil {
		return err
	}
	in := control.WebACLInput{Document: string(document), Description: given(r, "description", description)}
	var made *control.WebACL
	var names map[string]string
	err = r.call("storing "+file, func(ctx context.Context, c *control.Client) error {
		if made, err = c.PutWebACL(ctx, name, in); err != nil {
			return err
		}
		names, err = resolve(ctx, c)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if *r.json {
		return printJSON(e.stdout, made)
	}
	protects := "no stage yet"
	if len(made.Stages) > 0 {
		protects = strings.ReplaceAll(showStages(made.Stages, names), ",", ", ")
	}
	_, err = fmt.Fprintf(e.stdout, "stored web ACL %s, which protects %s\n", made.Name, protects)
	return err
}

// given is the value of a flag that was given, and else nil.
func given[T any](r *remote, name string, value *T) (set *T) {
	r.Visit(func(f *flag.Flag) {
		if f.Name == name {
			set = value
		}
	})
	return set
}

func showWebACL(e *env, args []string) error {
	r := newRemote(e, wafShowCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var acl *control.WebACL
	err = r.call("reading a web ACL", func(ctx context.Context, c *control.Client) error {
		acl, err = c.WebACL(ctx, operands[0])
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, acl)
	}
	_, err = fmt.Fprintln(e.stdout, strings.TrimSuffix(acl.Document, "\n"))
	return err
}

func deleteWebACL(e *env, args []string) error {
	r := newRemote(e, wafDeleteCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	err = r.call("deleting a web ACL", func(ctx context.Context, c *control.Client) error { return c.DeleteWebACL(ctx, operands[0]) })
	if err != nil {
		return err
	}
	return printDeleted(r, "web ACL "+operands[0])
}

// attachWebACL gives a stage a web ACL, or takes it away.
func attachWebACL(r *remote, stage, name string) error {
	t, err := parseStage(stage)
	if err != nil {
		return err
	}
	var answer *control.Stage
	err = r.call("changing a stage", func(ctx context.Context, c *control.Client) error {
		api, err := findRESTAPI(ctx, c, t.api, "web ACLs protect stages of REST APIs, as on AWS")
		if err != nil {
			return err
		}
		answer, err = c.AttachWebACL(ctx, api.ID, t.stage, name)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, answer)
	}
	if name == "" {
		_, err = fmt.Fprintf(r.env.stdout, "%s has no web ACL\n", t.String())
	} else {
		_, err = fmt.Fprintf(r.env.stdout, "web ACL %s protects %s\n", name, t.String())
	}
	return err
}
