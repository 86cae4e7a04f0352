package firewall

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// The web ACL is one that Tidegate takes, and has as many rules as it says.
func TestHundredRules(t *testing.T) {
	acl := HundredRules()
	var document struct{ Rules []any }
	if err := json.Unmarshal([]byte(acl.Document), &document); err != nil || len(document.Rules) != rules || len(acl.IPSets) != sets {
		t.Errorf("%d rules, %d sets, %v", len(document.Rules), len(acl.IPSets), err)
	}
	all := map[string]*definition.IPSet{}
	for name, text := range acl.IPSets {
		var list []netip.Prefix
		for line := range strings.Lines(text) {
			p := netip.MustParsePrefix(strings.TrimSpace(line))
			if p != p.Masked() || p.Contains(netip.MustParseAddr("127.0.0.1")) {
				t.Fatalf("%s: %s", name, p)
			}
			list = append(list, p)
		}
		addresses, err := definition.NewPrefixes(list)
		if err != nil || addresses.Len() < prefixes*9/10 {
			t.Errorf("%s: %d networks, %v", name, addresses.Len(), err)
		}
		all[name] = &definition.IPSet{ID: name, Name: name, Addresses: addresses}
	}
	if _, err := waf.Compile(&definition.WebACL{ID: "1", Name: "bench", Document: acl.Document}, all, nil, waf.Options{Region: "us-east-1", Account: "000000000000"}); err != nil {
		t.Error(err)
	}
}

// All who inspect let the request pass.
func TestInspectors(t *testing.T) {
	all, err := Inspectors()
	if err != nil || len(all) != 3 {
		t.Fatalf("%d, %v", len(all), err)
	}
	for _, i := range all {
		if nanos, err := i.CPU(time.Millisecond); err != nil || nanos <= 0 {
			t.Errorf("%s: %g, %v", i.Name, nanos, err)
		}
	}
}
