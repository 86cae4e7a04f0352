package control

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// fakeWAF compiles web ACLs as the gateway does, and has seen one request.
type fakeWAF struct{ acls map[string]*waf.ACL }

func (f *fakeWAF) compile(c *definition.Catalog) (map[string]*waf.ACL, error) {
	acls := map[string]*waf.ACL{}
	for id, def := range c.WebACLs {
		acl, err := waf.Compile(def, c.IPSets, c.RegexPatternSets, waf.Options{Region: "us-east-1", Account: "000000000000"})
		if err != nil {
			return nil, &definition.InvalidError{Err: err}
		}
		acls[id] = acl
	}
	return acls, nil
}

func (f *fakeWAF) Uses(id string) (ipSets, patternSets []string) {
	acl := f.acls[id]
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

func (f *fakeWAF) Rules(string) []RuleStats {
	return []RuleStats{{Rule: "bad", Blocked: 3}, {Allowed: 4}}
}

func (f *fakeWAF) Samples(string) []SampledRequest {
	return []SampledRequest{{Time: noon.Add(-time.Second), Rule: "bad", Action: "BLOCK", Source: "192.0.2.1", Method: "GET", Host: "x", URI: "/prod/a?b"}}
}

func (f *fakeWAF) Inspections() Inspections {
	return Inspections{Running: 1, Waiting: 2, Refused: 3, TimedOut: 4, Failed: 5}
}

func (f *fakeWAF) CheckPatterns(set *definition.RegexPatternSet) error { return waf.CheckPatterns(set) }
