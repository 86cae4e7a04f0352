package deploy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/waf"
)

func ipSet(id, prefix string) *definition.IPSet {
	addresses, err := definition.NewPrefixes([]netip.Prefix{netip.MustParsePrefix(prefix)})
	if err != nil {
		panic(err)
	}
	return &definition.IPSet{ID: id, Name: id, IPAddressVersion: definition.IPv4, Addresses: addresses}
}

func webACL(id, ipSet string) *definition.WebACL {
	return &definition.WebACL{ID: id, Name: "name-" + id, Document: `{"DefaultAction": {"Allow": {}}, "Rules": [
  {"Name": "rate", "Priority": 0, "Action": {"Block": {}}, "Statement": {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}}},
  {"Name": "set", "Priority": 1, "Action": {"Block": {}}, "Statement": {"IPSetReferenceStatement": {"ARN": "` + ipSet + `"}}}]}`}
}

// TestWebACLsAreReused: a changed IP set changes the stages whose web ACL names it,
// of which nothing else is compiled again.
func TestWebACLsAreReused(t *testing.T) {
	stores := deploy.Stores{WAF: waf.NewStore(waf.Settings{Shards: 1})}
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": proxied("http://h/")}), "one", "two", "none")
	stage := func(name, acl string) *definition.Stage {
		return &definition.Stage{APIID: "api1", Name: name, DeploymentID: "dep001", WebACLID: acl}
	}
	c = c.With(definition.Change{
		PutIPSets:  []*definition.IPSet{ipSet("a", "192.0.2.0/24"), ipSet("b", "198.51.100.0/24")},
		PutWebACLs: []*definition.WebACL{webACL("1", "a"), webACL("2", "b"), webACL("3", "b")},
		PutStages:  []*definition.Stage{stage("one", "1"), stage("two", "2")},
	})
	served := func(s *deploy.Snapshot, name string) *deploy.Stage {
		found, _, _, _ := s.Find([]byte("api.test"), []byte("/"+name))
		return found
	}
	first := compile(t, c, stores, nil)
	if one, two, none := served(first, "one"), served(first, "two"), served(first, "none"); one.WAF.Name() != "name-1" || two.WAF.Name() != "name-2" || none.WAF != nil {
		t.Fatalf("%v, %v, %v", one.WAF, two.WAF, none.WAF)
	}
	if acls := first.WebACLs(); len(acls) != 3 || acls[2] != first.WebACL("3") || acls[2].Name() != "name-3" || first.WebACL("4") != nil {
		t.Errorf("%d web ACLs", len(acls))
	}
	changed := c.With(definition.Change{PutIPSets: []*definition.IPSet{ipSet("b", "198.51.100.128/25")}})
	second := compile(t, changed, stores, first)
	if served(second, "one") != served(first, "one") || served(second, "none") != served(first, "none") {
		t.Error("a stage without the IP set was changed")
	}
	if before, after := served(first, "two"), served(second, "two"); before.WAF == after.WAF || before.Methods != after.Methods {
		t.Errorf("web ACL %p, then %p; methods %p, then %p", before.WAF, after.WAF, before.Methods, after.Methods)
	}
	if first.WebACL("3") == second.WebACL("3") || first.WebACL("1") != second.WebACL("1") {
		t.Error("not the web ACLs with the IP set were compiled")
	}
	detached := changed.With(definition.Change{PutStages: []*definition.Stage{stage("one", "")}})
	if third := compile(t, detached, stores, second); served(third, "one").WAF != nil || served(third, "two") != served(second, "two") {
		t.Error("detached")
	}
}

func TestWebACLErrors(t *testing.T) {
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": proxied("http://h/")}), "prod")
	for want, ch := range map[string]definition.Change{
		`web ACL "name-1": Rules[1].Statement.IPSetReferenceStatement.ARN: there is no IP set a`: {PutWebACLs: []*definition.WebACL{webACL("1", "a")}},
		`API api1: stage "prod": web ACL "9" does not exist`:                                     {PutStages: []*definition.Stage{{APIID: "api1", Name: "prod", DeploymentID: "dep001", WebACLID: "9"}}},
	} {
		if _, err := deploy.Compile(c.With(ch), host, deploy.Stores{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
