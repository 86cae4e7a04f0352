package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var wafPatternsCommand = &command{
	name:    "waf patterns",
	args:    "[--json]",
	summary: "list the regex pattern sets",
	help: `
Lists the regex pattern sets, how many expressions each has, and the web ACLs that
name it.

Examples:
  tidegate waf patterns`,
}

var wafPatternCommand = &command{
	name:    "waf pattern",
	args:    "[--json]",
	summary: "make, change and show regex pattern sets",
	help: `
Without a subcommand: lists the regex pattern sets, as tidegate waf patterns does.

Examples:
  tidegate waf pattern put scanners scanners.txt
  tidegate waf pattern show scanners`,
	verbs: []*command{wafPatternPutCommand, wafPatternShowCommand, wafPatternDeleteCommand},
}

var wafPatternPutCommand = &command{
	name:    "waf pattern put",
	args:    "NAME FILE [--description TEXT] [--json]",
	summary: "make a regex pattern set or replace its expressions",
	help: `
Makes a regex pattern set of a file ("-" is standard input) with one regular
expression a line, or replaces all expressions of one. Empty lines are left away.
Expressions are RE2's, without lookaround and backreferences.

Examples:
  tidegate waf pattern put scanners scanners.txt
  echo '(?i)sqlmap|nikto' | tidegate waf pattern put scanners -`,
}

var wafPatternShowCommand = &command{
	name:    "waf pattern show",
	args:    "NAME [--json]",
	summary: "print the expressions of a regex pattern set",
	help: `
Prints the expressions of a regex pattern set, one a line.

Examples:
  tidegate waf pattern show scanners`,
}

var wafPatternDeleteCommand = &command{
	name:    "waf pattern delete",
	args:    "NAME [--json]",
	summary: "delete a regex pattern set",
	help: `
Deletes a regex pattern set that no web ACL names.

Examples:
  tidegate waf pattern delete scanners`,
}

func init() {
	wafPatternsCommand.run = func(e *env, args []string) error { return listPatternSets(newRemote(e, wafPatternsCommand), args) }
	wafPatternCommand.run = func(e *env, args []string) error { return listPatternSets(newRemote(e, wafPatternCommand), args) }
	wafPatternPutCommand.run = putPatternSet
	wafPatternShowCommand.run = showPatternSet
	wafPatternDeleteCommand.run = deletePatternSet
}

func listPatternSets(r *remote, args []string) error {
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var sets []control.RegexPatternSet
	err := r.call("reading regex pattern sets", func(ctx context.Context, c *control.Client) (err error) {
		sets, err = c.RegexPatternSets(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, sets)
	}
	t := newTable(r.env.stdout, "name", "id", "expressions", "web acls")
	for _, s := range sets {
		t.row(s.Name, s.ID, decimal(uint64(len(s.RegularExpressionList))), strings.Join(s.WebACLs, ","))
	}
	return t.flush()
}

func putPatternSet(e *env, args []string) error {
	r := newRemote(e, wafPatternPutCommand)
	description := r.String("description", "", "`TEXT` that says what it is for")
	operands, err := r.operands(args, 2, 2, "NAME and FILE")
	if err != nil {
		return err
	}
	name, file := operands[0], operands[1]
	text, err := readDocument(e, file)
	if err != nil {
		return err
	}
	in := control.RegexPatternSetInput{RegularExpressionList: []string{}, Description: given(r, "description", description)}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			in.RegularExpressionList = append(in.RegularExpressionList, line)
		}
	}
	var set *control.RegexPatternSet
	err = r.call("storing "+file, func(ctx context.Context, c *control.Client) error {
		set, err = c.PutRegexPatternSet(ctx, name, in)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if *r.json {
		return printJSON(e.stdout, set)
	}
	_, err = fmt.Fprintf(e.stdout, "regex pattern set %s has %s\n", set.Name, count(len(set.RegularExpressionList), "expression"))
	return err
}

func showPatternSet(e *env, args []string) error {
	r := newRemote(e, wafPatternShowCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var set *control.RegexPatternSet
	err = r.call("reading a regex pattern set", func(ctx context.Context, c *control.Client) error {
		set, err = c.RegexPatternSet(ctx, operands[0])
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, set)
	}
	_, err = fmt.Fprintln(e.stdout, strings.Join(set.RegularExpressionList, "\n"))
	return err
}

func deletePatternSet(e *env, args []string) error {
	r := newRemote(e, wafPatternDeleteCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	err = r.call("deleting a regex pattern set", func(ctx context.Context, c *control.Client) error {
		return c.DeleteRegexPatternSet(ctx, operands[0])
	})
	if err != nil {
		return err
	}
	return printDeleted(r, "regex pattern set "+operands[0])
}
