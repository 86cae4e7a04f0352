package waf

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/waf/crs"
)

// managed is a ManagedRuleGroupStatement, which the OWASP Core Rule Set stands
// behind.
type managed struct {
	engine   *crs.Engine
	scope    matcher // nil: every request
	oversize outcome
	labels   map[crs.Groups]int // added where rules of a group match
}

// match runs the engine. It may take long, and is not for an event loop.
func (m *managed) match(in *Input, a *ACL) bool {
	if m.scope != nil && !m.scope.match(in, a) {
		return false
	}
	if in.BodyCut && m.oversize != inspect {
		return m.oversize == matches
	}
	ctx := in.context
	if ctx == nil {
		ctx = context.Background()
	}
	result, err := m.engine.Inspect(ctx, in.forEngine())
	if err != nil {
		in.failed = true
		return false
	}
	for group, label := range m.labels {
		if result.Groups&group != 0 {
			in.verdict.labels.add(label)
		}
	}
	return result.Blocked
}

// forEngine copies the request, whose head and body the engine wants as strings.
func (in *Input) forEngine() *crs.Request {
	r := in.Request
	q := &crs.Request{
		Source: in.source.String(), Port: int(in.Source.Port()), Method: string(in.method()), Target: string(r.Target),
		Protocol: "HTTP/1." + strconv.Itoa(r.Minor), Host: string(r.Host), Body: in.Body, Cut: in.BodyCut,
		Headers: make([]crs.Header, r.Len()),
	}
	for i := range r.Len() {
		q.Headers[i] = crs.Header{Name: string(r.Name(i)), Value: string(r.Value(i))}
		if r.ID(i) == http1.Host {
			q.Headers[i].Value = q.Host
		}
	}
	return q
}

// vendors are the rule groups that there are, by vendor and name. Those of AWS
// look for the kinds of attack that AWS documents for the group; they are not its
// rules.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
var vendors = map[string]map[string]crs.Groups{
	"OWASP": {"CoreRuleSet": crs.AllGroups},
	"AWS": {
		"AWSManagedRulesCommonRuleSet":         crs.Scanner | crs.Protocol | crs.LocalFile | crs.RemoteFile | crs.Generic | crs.XSS,
		"AWSManagedRulesSQLiRuleSet":           crs.SQL,
		"AWSManagedRulesKnownBadInputsRuleSet": crs.Java | crs.Smuggling | crs.Scanner,
		"AWSManagedRulesLinuxRuleSet":          crs.LocalFile | crs.Command,
		"AWSManagedRulesUnixRuleSet":           crs.LocalFile | crs.Command,
		"AWSManagedRulesWindowsRuleSet":        crs.LocalFile | crs.Command,
		"AWSManagedRulesPHPRuleSet":            crs.PHP,
	},
}

// managed compiles a ManagedRuleGroupStatement, which is that of a rule.
func (c *compiler) managed(spec value) *managed {
	o := c.object(spec, "VendorName", "Name", "Version", "ExcludedRules", "RuleActionOverrides", "ManagedRuleGroupConfigs", "ScopeDownStatement")
	vendor := o.choice("VendorName", true, slices.Sorted(maps.Keys(vendors))...)
	name := o.choice("Name", true, slices.Sorted(maps.Keys(vendors[vendor]))...)
	if version, ok := o.members["Version"]; ok && version.text != crs.Version {
		c.report(version.at, "must be %q, the one that there is, or left out", crs.Version)
	}
	m := &managed{labels: map[crs.Groups]int{}}
	config := crs.Config{
		Groups: vendors[vendor][name], ParanoiaLevel: 1, Threshold: crs.DefaultThreshold,
		Excluded: c.excluded(o, vendors[vendor][name]), BodyLimit: c.acl.bodyBytes,
	}
	for _, item := range o.list("ManagedRuleGroupConfigs", 0, 1) {
		s := c.object(c.object(item, "OWASPCoreRuleSet").need("OWASPCoreRuleSet"), "ParanoiaLevel", "AnomalyScoreThreshold", "OversizeHandling")
		config.ParanoiaLevel = int(s.numberOr("ParanoiaLevel", 1, 1, crs.MaxParanoiaLevel))
		config.Threshold = int(s.numberOr("AnomalyScoreThreshold", crs.DefaultThreshold, 1, crs.MaxThreshold))
		m.oversize = s.oversize(false)
	}
	if scope, ok := o.members["ScopeDownStatement"]; ok {
		m.scope = c.statement(scope, standing{depth: 1})
	}
	for group, label := range config.Groups.Labels() {
		m.labels[group] = c.label(labelPrefix + "managed:" + strings.ToLower(vendor) + ":" + labelName(name) + ":" + label)
	}
	if c.err != nil {
		return m // to load the rules takes long
	}
	var err error
	if m.engine, err = c.store.engines.Get(config); err != nil {
		c.report(o.at, "%v", err)
	}
	c.acl.engines = append(c.acl.engines, m.engine)
	return m
}

// labelName is what AWS calls a group in labels.
func labelName(group string) string {
	switch group {
	case "CoreRuleSet", "AWSManagedRulesCommonRuleSet":
		return "core-rule-set"
	case "AWSManagedRulesSQLiRuleSet":
		return "sql-database"
	case "AWSManagedRulesKnownBadInputsRuleSet":
		return "known-bad-inputs"
	case "AWSManagedRulesLinuxRuleSet":
		return "linux-os"
	case "AWSManagedRulesUnixRuleSet":
		return "posix-os"
	case "AWSManagedRulesWindowsRuleSet":
		return "windows-os"
	}
	return "php-app"
}

// excluded compiles ExcludedRules and RuleActionOverrides: the rules, by their
// ids, that are left out. AWS would count what they match.
func (c *compiler) excluded(o object, groups crs.Groups) (ids []int) {
	exclude := func(v value) {
		id, err := strconv.Atoi(c.textOf(v, 1, 16))
		if err != nil {
			c.report(v.at, "%q is no rule; rules have the ids of the OWASP Core Rule Set, such as 942100", v.text)
		} else if err := groups.Check(id); err != nil {
			c.report(v.at, "%v", err)
		}
		ids = append(ids, id)
	}
	for _, item := range o.list("ExcludedRules", 0, 100) {
		exclude(c.object(item, "Name").need("Name"))
	}
	for _, item := range o.list("RuleActionOverrides", 0, 100) {
		r := c.object(item, "Name", "ActionToUse")
		exclude(r.need("Name"))
		action, with := c.only(r.need("ActionToUse"), "Count")
		if action == "Count" {
			c.empty(with)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
