package main

import (
	"context"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var wafCommand = &command{
	name:    "waf",
	args:    "[--json]",
	summary: "the web application firewall: web ACLs, IP sets, what they blocked",
	help: `
Lists the web ACLs and the stages that each protects. A web ACL is a JSON document
as AWS WAF v2 has it: a default action and rules, which requests to a stage are held
against before anything else. Changes act from the next request on, and what rules
have counted stays. docs/waf.md has an example to begin with.

Examples:
  tidegate waf ipset put bad-networks deny.txt
  tidegate waf put shop shop.json
  tidegate waf attach petstore:prod shop
  tidegate waf stats
  tidegate waf samples shop`,
	verbs: []*command{
		wafACLsCommand, wafPutCommand, wafShowCommand, wafDeleteCommand, wafAttachCommand, wafDetachCommand,
		wafIPSetsCommand, wafIPSetCommand, wafPatternsCommand, wafPatternCommand, wafStatsCommand, wafSamplesCommand,
	},
}

var wafACLsCommand = &command{
	name:    "waf acls",
	args:    "[--json]",
	summary: "list the web ACLs",
	help: `
Lists the web ACLs and the stages that each protects.

Examples:
  tidegate waf acls
  tidegate waf acls --json | jq -r '.[] | select(.stages == []).name'`,
}

func init() {
	wafCommand.run = func(e *env, args []string) error { return listWebACLs(newRemote(e, wafCommand), args) }
	wafACLsCommand.run = func(e *env, args []string) error { return listWebACLs(newRemote(e, wafACLsCommand), args) }
}

func listWebACLs(r *remote, args []string) error {
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var acls []control.WebACL
	var names map[string]string
	err := r.call("reading web ACLs", func(ctx context.Context, c *control.Client) (err error) {
		if acls, err = c.WebACLs(ctx); err != nil {
			return err
		}
		names, err = resolve(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, acls)
	}
	t := newTable(r.env.stdout, "name", "id", "stages", "description")
	for _, a := range acls {
		t.row(a.Name, a.ID, showStages(a.Stages, names), a.Description)
	}
	return t.flush()
}

func showStages(stages []control.ProtectedStage, names map[string]string) string {
	var all []string
	for _, s := range stages {
		all = append(all, nameOf(names, s.APIID)+":"+s.StageName)
	}
	return strings.Join(all, ",")
}
