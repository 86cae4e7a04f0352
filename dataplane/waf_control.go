package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// WAF implements control.Gateway.
func (g *Gateway) WAF() control.WAF { return wafControl{g} }

// wafControl is what the control socket sees of web ACLs.
type wafControl struct{ gateway *Gateway }

func (c wafControl) acl(id string) *waf.ACL { return c.gateway.pipeline.Snapshot().WebACL(id) }

// Uses implements control.WAF.
func (c wafControl) Uses(id string) (ipSets, patternSets []string) {
	acl := c.acl(id)
	if acl == nil {
		return nil, nil
	}
	for _, set := range acl.IPSets() {
		ipSets = append(ipSets, set.ID)
	}
	for _, set := range acl.RegexPatternSets() {
		patternSets = append(patternSets, set.ID)
	}
	return ipSets, patternSets
}

// Rules implements control.WAF.
func (c wafControl) Rules(id string) (all []control.RuleStats) {
	acl := c.acl(id)
	if acl == nil {
		return nil
	}
	for _, r := range acl.Stats() {
		all = append(all, control.RuleStats{Rule: r.Name, Allowed: r.Allowed, Blocked: r.Blocked, Counted: r.Counted})
	}
	return all
}

// Samples implements control.WAF.
func (c wafControl) Samples(id string) (all []control.SampledRequest) {
	acl := c.acl(id)
	if acl == nil {
		return nil
	}
	start := time.Now().Add(-time.Duration(loop.Now())) // of the event loops' clock
	for _, s := range acl.Samples() {
		all = append(all, control.SampledRequest{
			Time: start.Add(time.Duration(s.At)).UTC().Truncate(time.Millisecond), Rule: s.Rule, Action: s.Action,
			Source: s.Source.String(), Method: s.Method, Host: s.Host, URI: s.URI,
		})
	}
	return all
}

// Inspections implements control.WAF.
func (c wafControl) Inspections() control.Inspections {
	p := c.gateway.waf.Inspections()
	return control.Inspections{Running: p.Running, Waiting: p.Waiting, Refused: p.Refused, TimedOut: p.Late, Failed: p.Failed}
}

// CheckPatterns implements control.WAF.
func (c wafControl) CheckPatterns(set *definition.RegexPatternSet) error {
	return waf.CheckPatterns(set)
}
