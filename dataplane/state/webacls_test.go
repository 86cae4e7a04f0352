package state

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func webACL(id string) *definition.WebACL {
	return &definition.WebACL{ID: id, Name: "name-of-" + id, Document: `{"DefaultAction":{"Allow":{}}}`}
}

// ipSet has n addresses.
func ipSet(id string, n int) *definition.IPSet {
	list := make([]netip.Prefix, n)
	for i := range list {
		list[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	addresses, err := definition.NewPrefixes(list)
	if err != nil {
		panic(err)
	}
	return &definition.IPSet{ID: id, Name: "name-of-" + id, IPAddressVersion: definition.IPv4, Addresses: addresses}
}

func protected(acl string) *definition.Stage {
	st := stage("a", "s", "d")
	st.WebACLID = acl
	return st
}

// oneProtected writes an API whose stage has the web ACL "w".
func oneProtected(t testing.TB, s *Store) {
	t.Helper()
	b := body("a", "/x")
	mustWrite(t, s, definition.Change{
		PutAPIs:        []*definition.API{api("a", b)},
		PutDeployments: []*definition.Deployment{deployment("a", "d", 1, b)},
		PutStages:      []*definition.Stage{protected("w")},
		PutWebACLs:     []*definition.WebACL{webACL("w"), webACL("spare")},
	})
}

func TestWebACLsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	oneProtected(t, s)
	gate := ipSet("k", 3)
	gate.KernelGate = true
	patterns := &definition.RegexPatternSet{ID: "r", Name: "bad", RegularExpressions: []string{"^a+$", `\.php$`}}
	mustWrite(t, s, definition.Change{
		PutIPSets:           []*definition.IPSet{ipSet("large", 100_000), ipSet("empty", 0), gate},
		PutRegexPatternSets: []*definition.RegexPatternSet{patterns},
	})
	before := mustLoad(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	c := mustLoad(t, s)
	if !reflect.DeepEqual(c, before) {
		t.Error("it changed while it was closed")
	}
	if c.IPSets["large"].Addresses.Len() != 100_000 || c.IPSets["empty"].Addresses.Len() != 0 || !c.IPSets["k"].KernelGate ||
		!reflect.DeepEqual(c.RegexPatternSets["r"], patterns) || !reflect.DeepEqual(c.WebACLs["w"], webACL("w")) ||
		c.Stages[definition.StageKey{APIID: "a", Stage: "s"}].WebACLID != "w" {
		t.Errorf("loaded %+v %+v %+v", c.WebACLs, c.IPSets, c.RegexPatternSets)
	}
	mustWrite(t, s, definition.Change{
		DeleteIPSets: []string{"large", "empty", "k", "unknown"}, DeleteRegexPatternSets: []string{"r", "unknown"},
		DeleteWebACLs: []string{"spare", "unknown"},
	})
	if c = mustLoad(t, s); len(c.IPSets)+len(c.RegexPatternSets) != 0 || len(c.WebACLs) != 1 {
		t.Errorf("left: %+v %+v %+v", c.WebACLs, c.IPSets, c.RegexPatternSets)
	}
	if n := count(t, s, bucketIPSetAddresses); n != 0 {
		t.Errorf("the addresses of %d IP sets are left", n)
	}
}

// A change to what is said of an IP set does not write its addresses again.
func TestAddressesAreWrittenOnce(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	set := ipSet("large", 100_000)
	mustWrite(t, s, definition.Change{PutIPSets: []*definition.IPSet{set}})
	before := s.db.Stats()
	set.Description = "other"
	mustWrite(t, s, definition.Change{PutIPSets: []*definition.IPSet{set}})
	if n := pageBytes(s, before); n > 128<<10 {
		t.Errorf("%d bytes of pages", n)
	}
}

func TestNoStageLosesItsWebACL(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	oneProtected(t, s)
	before := mustLoad(t, s)
	for name, tc := range map[string]struct {
		ch   definition.Change
		want string
	}{
		"put":          {definition.Change{PutStages: []*definition.Stage{protected("nope")}}, "stage a/s has the web ACL nope, which does not exist"},
		"delete":       {definition.Change{DeleteWebACLs: []string{"w"}}, "stage a/s has the web ACL w, which does not exist"},
		"without id":   {definition.Change{PutWebACLs: []*definition.WebACL{{}}}, "is no id"},
		"set's id":     {definition.Change{PutIPSets: []*definition.IPSet{ipSet("a/b", 1)}}, "is no id"},
		"pattern's id": {definition.Change{PutRegexPatternSets: []*definition.RegexPatternSet{{}}}, "is no id"},
	} {
		if err := s.Write(tc.ch); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
		if after := mustLoad(t, s); !reflect.DeepEqual(after, before) {
			t.Errorf("%s: the state changed", name)
		}
	}
	mustWrite(t, s, definition.Change{PutStages: []*definition.Stage{protected("")}, DeleteWebACLs: []string{"w"}})
	mustWrite(t, s, definition.Change{DeleteWebACLs: []string{"spare"}, PutWebACLs: []*definition.WebACL{webACL("spare")}})
	if c := mustLoad(t, s); len(c.WebACLs) != 1 {
		t.Errorf("left: %+v", c.WebACLs)
	}
}

func TestDamagedAddressesAreFound(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	mustWrite(t, s, definition.Change{PutIPSets: []*definition.IPSet{ipSet("x", 3)}})
	for name, damage := range map[string]func(*bolt.Bucket) error{
		"missing":     func(b *bolt.Bucket) error { return b.Delete([]byte("x")) },
		"not packed":  func(b *bolt.Bucket) error { return b.Put([]byte("x"), frame([]byte("x"), []byte{1})) },
		"no checksum": func(b *bolt.Bucket) error { return b.Put([]byte("x"), []byte{1}) },
		"another's":   func(b *bolt.Bucket) error { return b.Put([]byte("x"), frame([]byte("y"), nil)) },
		"host bits":   func(b *bolt.Bucket) error { return b.Put([]byte("x"), frame([]byte("x"), []byte{8, 10, 0, 0, 1})) },
		"out of order": func(b *bolt.Bucket) error {
			return b.Put([]byte("x"), frame([]byte("x"), []byte{8, 11, 0, 0, 0, 8, 10, 0, 0, 0}))
		},
	} {
		if err := s.db.Update(func(tx *bolt.Tx) error { return damage(tx.Bucket(bucketIPSetAddresses)) }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, fileName)+" is damaged") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
