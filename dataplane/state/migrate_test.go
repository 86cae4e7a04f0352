package state

import (
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// oldFile makes a file as an earlier tidegate wrote it: that of version 1 came
// before usage plans, that of version 2 before users. It names everything itself,
// so that no later change can alter what it stands for.
func oldFile(t *testing.T, dir, version string, more ...string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "tidegate.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := body("aaaaaaaaaa", "/pets")
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range append([]string{"meta", "apis", "deployments", "stages", "bodies", "references"}, more...) {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		if err := tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte(version)); err != nil {
			return err
		}
		for _, r := range []struct {
			bucket, key string
			value       any
		}{
			{"meta", "account", definition.Account{CloudwatchRoleARN: "role"}},
			{"bodies", b.Revision, b},
			{"apis", "aaaaaaaaaa", apiRecord{api("aaaaaaaaaa", b), b.Revision}},
			{"deployments", "aaaaaaaaaa/d1", deploymentRecord{deployment("aaaaaaaaaa", "d1", 1, b), b.Revision}},
			{"stages", "aaaaaaaaaa/prod", stage("aaaaaaaaaa", "prod", "d1")},
		} {
			if err := put(tx.Bucket([]byte(r.bucket)), []byte(r.key), r.value); err != nil {
				return err
			}
		}
		for _, owner := range []string{"aaaaaaaaaa", "aaaaaaaaaa/d1"} {
			if err := tx.Bucket([]byte("references")).Put([]byte(b.Revision+"/"+owner), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestVersion1Migrates(t *testing.T) {
	dir := t.TempDir()
	oldFile(t, dir, "1")
	for range 2 {
		s := mustOpen(t, dir)
		c := mustLoad(t, s)
		if a := c.APIs["aaaaaaaaaa"]; a == nil || a.Body.Revision != body("aaaaaaaaaa", "/pets").Revision || len(c.Deployments) != 1 || len(c.Stages) != 1 || c.Account.CloudwatchRoleARN != "role" {
			t.Fatalf("loaded %s", text(c))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, dir)
	twoPlans(t, s)
	writeUsage(t, s, definition.Usage{PlanID: "p", KeyID: "k1", Day: 1, Used: 1})
	mustWrite(t, s, definition.Change{DeleteAPIs: []string{"aaaaaaaaaa"}})
	if n := count(t, s, bucketBodies); n != 0 {
		t.Errorf("%d bodies left", n)
	}
	if err := readAll(s); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, secretName)); err != nil {
		t.Error(err)
	}
	var version string
	if err := s.db.View(func(tx *bolt.Tx) error { version = string(tx.Bucket(bucketMeta).Get(keySchema)); return nil }); err != nil || version != "4" {
		t.Errorf("schema version %q, error %v", version, err)
	}
}

func TestVersion2Migrates(t *testing.T) {
	dir := t.TempDir()
	oldFile(t, dir, "2", "plans", "keys", "keyValues", "planKeys", "keyPlans", "usage", "usageHistory")
	s := mustOpen(t, dir)
	if c := mustLoad(t, s); len(c.APIs) != 1 || len(c.Users)+len(c.AccessKeys)+len(c.Policies) != 0 {
		t.Fatalf("loaded %s", text(c))
	}
	twoPlans(t, s)
	mustWrite(t, s, principals())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c := mustLoad(t, mustOpen(t, dir)); len(c.Users) != 2 || len(c.AccessKeys) != 3 || len(c.Policies) != 2 {
		t.Errorf("loaded %+v", c)
	}
}
