package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/control"
)

const shopACL = `{"DefaultAction": {"Allow": {}}, "Rules": [
  {"Name": "bad", "Priority": 0, "Action": {"Block": {}}, "Statement": {"IPSetReferenceStatement": {"ARN": "bad-networks"}}},
  {"Name": "words", "Priority": 1, "Action": {"Count": {}}, "Statement": {"RegexPatternSetReferenceStatement": {"ARN": "words",
    "FieldToMatch": {"UriPath": {}}, "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}}
]}
`

// TestWAFJourney takes a web ACL and its sets from their making to their deletion.
func TestWAFJourney(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	f.stdin = "# bots\n192.0.2.0/24\n198.51.100.7\n"
	if out := f.must(t, "waf", "ipset", "put", "bad-networks", "-"); out != "IP set bad-networks has 2 networks, 2 added and 0 removed\n" {
		t.Errorf("ipset put printed %q", out)
	}
	if out := f.must(t, "waf", "ipset", "add", "bad-networks", "203.0.113.0/24", "192.0.2.0/24"); out != "IP set bad-networks has 3 networks, 1 added and 0 removed\n" {
		t.Errorf("ipset add printed %q", out)
	}
	if out := f.must(t, "waf", "ipset", "remove", "bad-networks", "198.51.100.7"); out != "IP set bad-networks has 2 networks, 0 added and 1 removed\n" {
		t.Errorf("ipset remove printed %q", out)
	}
	if out := f.must(t, "waf", "ipset", "show", "bad-networks"); out != "192.0.2.0/24\n203.0.113.0/24\n" {
		t.Errorf("ipset show printed %q", out)
	}
	if out := f.must(t, "waf", "ipset", "put", "six", "--version", "ipv6"); out != "IP set six has 0 networks, 0 added and 0 removed\n" {
		t.Errorf("ipset put printed %q", out)
	}
	if out := f.must(t, "waf", "ipset", "show", "six"); out != "" {
		t.Errorf("ipset show printed %q", out)
	}
	f.stdin = "evil\r\n\n(?i)bad+\n"
	if out := f.must(t, "waf", "pattern", "put", "words", "-", "--description", "of scanners"); out != "regex pattern set words has 2 expressions\n" {
		t.Errorf("pattern put printed %q", out)
	}
	if out := f.must(t, "waf", "pattern", "show", "words"); out != "evil\n(?i)bad+\n" {
		t.Errorf("pattern show printed %q", out)
	}

	file := write(t, "shop.json", shopACL)
	if out := f.must(t, "waf", "put", "shop", file, "--description", "of the shop"); out != "stored web ACL shop, which protects no stage yet\n" {
		t.Errorf("put printed %q", out)
	}
	if out := f.must(t, "waf", "attach", "petstore:prod", "shop"); out != "web ACL shop protects petstore:prod\n" {
		t.Errorf("attach printed %q", out)
	}
	if out := f.must(t, "waf", "put", "shop", file); out != "stored web ACL shop, which protects petstore:prod\n" {
		t.Errorf("put printed %q", out)
	}
	if out := f.must(t, "waf", "show", "shop"); out != shopACL {
		t.Errorf("show printed %q", out)
	}
	acls := f.must(t, "waf")
	printed(t, acls, "petstore:prod  of the shop")
	if again := f.must(t, "waf", "acls"); again != acls {
		t.Errorf("acls printed\n%s, waf\n%s", again, acls)
	}
	acl := only[control.WebACL](t, f.must(t, "waf", "--json"))
	if stage := decoded[control.Stage](t, f.must(t, "waf", "attach", "petstore:prod", acl.ID, "--json")); stage.WebACLARN != acl.ARN {
		t.Errorf("stage %+v", stage)
	}
	sets := f.must(t, "waf", "ipsets")
	printed(t, sets, "IPV4     2          no           shop", "IPV6     0          no           -")
	if again := f.must(t, "waf", "ipset"); again != sets {
		t.Errorf("ipset printed\n%s, ipsets\n%s", again, sets)
	}
	patterns := f.must(t, "waf", "patterns")
	printed(t, patterns, "2            shop")
	if again := f.must(t, "waf", "pattern"); again != patterns {
		t.Errorf("pattern printed\n%s, patterns\n%s", again, patterns)
	}

	f.stdin = "192.0.2.0/24\n10.0.0.7\n"
	code, out, warning := f.run("waf", "ipset", "put", "bad-networks", "-", "--kernel-gate")
	if code != exitOK || out != "IP set bad-networks has 2 networks, 1 added and 1 removed, kept out of the whole host\n" ||
		!strings.HasPrefix(warning, "warning: 10.0.0.0/24 is not kept out of the host: it is never shut out") {
		t.Errorf("exit code %d, printed %q and %q", code, out, warning)
	}
	if set := decoded[control.IPSet](t, f.must(t, "waf", "ipset", "show", "bad-networks", "--json")); !set.KernelGate || set.AddressCount != 2 {
		t.Errorf("IP set %+v", set)
	}
	if set := decoded[control.IPSet](t, f.must(t, "waf", "ipset", "put", "bad-networks", "--kernel-gate=false", "--json")); set.KernelGate || set.AddressCount != 2 {
		t.Errorf("IP set %+v", set)
	}

	stats := f.must(t, "waf", "stats")
	printed(t, stats, "shop     bad        0        3        0", "shop     (default)  4        0        0",
		"inspections beside the event loops: 1 running, 2 waiting; 3 refused, 4 timed out, 5 failed since the start")
	if one := f.must(t, "waf", "stats", "shop"); one != stats {
		t.Errorf("stats shop printed\n%s", one)
	}
	if s := decoded[control.WAFStats](t, f.must(t, "waf", "stats", "--json")); len(s.WebACLs) != 1 || s.Inspections.Failed != 5 {
		t.Errorf("stats %+v", s)
	}
	printed(t, f.must(t, "waf", "samples", "shop"), "2025-11-28 12:00:00Z  BLOCK   (default)  192.0.2.1  GET /prod/a?b?  shop")
	if s := only[control.SampledRequest](t, f.must(t, "waf", "samples", "shop", "--json")); s.Action != "BLOCK" {
		t.Errorf("samples %+v", s)
	}

	f.refused(t, exitRefused, "Cannot delete web ACL shop because it protects stages: petstore:prod. Detach it first", "waf", "delete", "shop")
	f.refused(t, exitRefused, "Cannot delete IP set bad-networks because web ACLs name it: shop.", "waf", "ipset", "delete", "bad-networks")
	f.refused(t, exitRefused, "Cannot delete regex pattern set words because web ACLs name it: shop.", "waf", "pattern", "delete", "words")
	if out := f.must(t, "waf", "detach", "petstore:prod"); out != "petstore:prod has no web ACL\n" {
		t.Errorf("detach printed %q", out)
	}
	printed(t, f.must(t, "waf", "delete", "shop"), "deleted web ACL shop\n")
	printed(t, f.must(t, "waf", "ipset", "delete", "bad-networks"), "deleted IP set bad-networks\n")
	f.must(t, "waf", "ipset", "delete", "six")
	printed(t, f.must(t, "waf", "pattern", "delete", "words"), "deleted regex pattern set words\n")
	if out := f.must(t, "waf", "--json") + f.must(t, "waf", "ipsets", "--json") + f.must(t, "waf", "patterns", "--json"); strings.TrimSpace(out) != "[]\n[]\n[]" {
		t.Errorf("left at the end: %s", out)
	}
}

// TestManyAddresses is more than a page of them.
func TestManyAddresses(t *testing.T) {
	f := newFixture(t)
	var text strings.Builder
	for i := range 25_000 {
		fmt.Fprintf(&text, "10.%d.%d.0/24\n", i/250, i%250)
	}
	file := write(t, "many.txt", text.String())
	f.must(t, "waf", "ipset", "put", "many", file)
	if out := f.must(t, "waf", "ipset", "show", "many"); out != text.String() {
		t.Errorf("%d bytes of %d", len(out), text.Len())
	}
}

func TestWAFRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	bad := write(t, "bad.json", `{"DefaultAction": {"Allow": {}}, "Rules": [{"Name": "a"}]}`)
	lines := write(t, "bad.txt", "192.0.2.0/24\nbots\n")
	f.must(t, "waf", "ipset", "put", "four", "--version", "IPV4")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "missing NAME and FILE", []string{"put", "shop"}},
		{exitFailure, "no such file", []string{"put", "shop", "none.json"}},
		{exitRefused, bad + `: BadRequestException: web ACL "shop": Rules[0].Priority: is missing`, []string{"put", "shop", bad}},
		{exitRefused, "The web ACL with name none cannot be found.", []string{"show", "none"}},
		{exitRefused, "The web ACL with name none cannot be found.", []string{"delete", "none"}},
		{exitRefused, "The web ACL with name none cannot be found.", []string{"samples", "none"}},
		{exitRefused, `no web ACL has the name "none"`, []string{"stats", "none"}},
		{exitRefused, "There is no web ACL none", []string{"attach", "petstore:prod", "none"}},
		{exitRefused, `no API has the name or id "toys"`, []string{"attach", "toys:prod", "none"}},
		{exitRefused, "Invalid Stage identifier specified", []string{"detach", "petstore:test"}},
		{exitUsage, "write API:STAGE, without a method", []string{"attach", "petstore:prod:/pets/GET", "shop"}},
		{exitUsage, "missing API:STAGE", []string{"detach"}},
		{exitUsage, "missing NAME", []string{"ipset", "put"}},
		{exitRefused, "Value null at 'putIPSetInput.ipAddressVersion'", []string{"ipset", "put", "new"}},
		{exitRefused, "Member must satisfy enum value set: [IPV4, IPV6]", []string{"ipset", "put", "new", "--version", "5"}},
		{exitRefused, lines + `: BadRequestException: Invalid addresses: line:2: "bots" is not a network`, []string{"ipset", "put", "new", lines}},
		{exitUsage, "missing NAME and NETWORK", []string{"ipset", "add", "four"}},
		{exitRefused, "add[0]: 2001:db8::1/128 is not of IPV4", []string{"ipset", "add", "four", "2001:db8::1"}},
		{exitRefused, "The IP set with name none cannot be found.", []string{"ipset", "remove", "none", "192.0.2.1"}},
		{exitRefused, "The IP set with name none cannot be found.", []string{"ipset", "show", "none"}},
		{exitRefused, "The IP set with name none cannot be found.", []string{"ipset", "show", "none", "--json"}},
		{exitUsage, "or: tidegate waf ipset put NAME", []string{"ipset", "dance"}},
		{exitRefused, "Invalid regex pattern set", []string{"pattern", "put", "new", write(t, "bad.re", "(?=a)\n")}},
		{exitRefused, "The regex pattern set with name none cannot be found.", []string{"pattern", "show", "none"}},
		{exitUsage, "or: tidegate waf put NAME FILE", []string{"dance"}},
	} {
		f.refused(t, c.code, c.want, append([]string{"waf"}, c.args...)...)
	}
	printed(t, f.must(t, "waf", "ipset", "put", "--help"), "usage: tidegate waf ipset put NAME [FILE]", "--kernel-gate")
	printed(t, f.must(t, "waf", "ipset", "--help"), "Subcommands, each with --help:", "waf ipset put")
}
