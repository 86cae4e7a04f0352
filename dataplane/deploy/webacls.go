package deploy

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// compileWebACLs compiles what has changed since previous: all web ACLs, whether
// or not a stage has them, so that one is checked before it protects anything, and
// goes on to fit the sets that it names.
func (s *Snapshot) compileWebACLs(c *definition.Catalog, host Host, stores Stores, previous *Snapshot) error {
	s.webACLs = make(map[string]*waf.ACL, len(c.WebACLs))
	for _, id := range slices.Sorted(maps.Keys(c.WebACLs)) {
		def := c.WebACLs[id]
		if previous != nil {
			if same := previous.webACLs[id]; same != nil && same.MadeOf(def, c.IPSets, c.RegexPatternSets) {
				s.webACLs[id] = same
				continue
			}
		}
		acl, err := waf.Compile(def, c.IPSets, c.RegexPatternSets, waf.Options{
			Store: stores.WAF, Region: host.Region, Account: host.AccountID, TrustedProxies: host.TrustedProxies, Geo: stores.Geo,
		})
		if err != nil {
			return err
		}
		s.webACLs[id] = acl
	}
	return nil
}

// with returns the stage under a web ACL, or under none. It is the same compiled
// stage otherwise: nothing else of it depends on the ACL, whose IP sets may change
// often.
func (s *Stage) with(acl *waf.ACL) *Stage {
	if s.WAF == acl {
		return s
	}
	next := *s
	next.WAF = acl
	return &next
}

// WebACL returns a web ACL by its id, or nil.
func (s *Snapshot) WebACL(id string) *waf.ACL { return s.webACLs[id] }

// WebACLs returns all web ACLs, by their names.
func (s *Snapshot) WebACLs() []*waf.ACL {
	return slices.SortedFunc(maps.Values(s.webACLs), func(a, b *waf.ACL) int { return strings.Compare(a.Name(), b.Name()) })
}
