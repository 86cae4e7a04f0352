package definition

import (
	"slices"
	"testing"
)

func TestPrincipalsOfACatalog(t *testing.T) {
	first := (&Catalog{}).With(Change{
		PutUsers:      []*User{{Name: "bob", Attached: []string{"read"}}, {Name: "ann", Attached: []string{"pay", "read"}}, {Name: "eve"}},
		PutPolicies:   []*ManagedPolicy{{Name: "read"}, {Name: "pay"}},
		PutAccessKeys: []*AccessKey{{ID: "K2", UserName: "ann"}, {ID: "K1", UserName: "ann"}, {ID: "K3", UserName: "bob"}},
	})
	next := first.With(Change{
		DeleteUsers: []string{"bob"}, DeleteAccessKeys: []string{"K3"}, DeletePolicies: []string{"pay"},
		PutUsers: []*User{{Name: "ann"}}, PutAccessKeys: []*AccessKey{{ID: "K1", UserName: "ann", Active: true}},
	})
	for _, c := range []struct {
		name                  string
		catalog               *Catalog
		users, keys, policies int
		readers               []string
		active                bool
	}{
		{"before", first, 3, 3, 2, []string{"ann", "bob"}, false},
		{"after", next, 2, 2, 1, nil, true},
	} {
		if len(c.catalog.Users) != c.users || len(c.catalog.AccessKeys) != c.keys || len(c.catalog.Policies) != c.policies {
			t.Errorf("%s: %+v", c.name, c.catalog)
		}
		if got := c.catalog.Attachments()["read"]; !slices.Equal(got, c.readers) {
			t.Errorf("%s: read is attached to %v", c.name, got)
		}
		keys := c.catalog.KeysOf("ann")
		if len(keys) != 2 || keys[0].ID != "K1" || keys[1].ID != "K2" || keys[0].Active != c.active {
			t.Errorf("%s: keys of ann: %+v", c.name, keys)
		}
	}
}
