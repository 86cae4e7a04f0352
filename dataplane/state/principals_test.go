package state

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func user(name string, attached ...string) *definition.User {
	return &definition.User{Name: name, ID: "AIDA" + strings.ToUpper(name), Path: "/", Tags: map[string]string{"Team": "blue"}, CreatedDate: day,
		Policies: map[string]string{"own": `{"Statement":[]}`}, Attached: attached}
}

func accessKey(id, user string) *definition.AccessKey {
	return &definition.AccessKey{ID: id, UserName: user, Secret: fmt.Sprintf("%-40s", "secret/of+"+id), Active: true, CreatedDate: day}
}

func managedPolicy(name string) *definition.ManagedPolicy {
	return &definition.ManagedPolicy{Name: name, Document: `{"Id":"allow ` + name + `","Statement":[]}`, CreatedDate: day, UpdatedDate: day}
}

// principals has the users ann, who has two keys and the policy read, and bob, who
// has one key and both policies.
func principals() definition.Change {
	return definition.Change{
		PutUsers:      []*definition.User{user("ann", "read"), user("bob", "pay", "read")},
		PutAccessKeys: []*definition.AccessKey{accessKey("A1", "ann"), accessKey("A2", "ann"), accessKey("B1", "bob")},
		PutPolicies:   []*definition.ManagedPolicy{managedPolicy("read"), managedPolicy("pay")},
	}
}

func TestPrincipalsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	want := mustLoad(t, s)
	off := accessKey("A2", "ann")
	off.Active = false
	bare := &definition.User{Name: "eve", ID: "AIDAEVE", Path: "/shops/", CreatedDate: day}
	for _, ch := range []definition.Change{
		principals(),
		{PutAccessKeys: []*definition.AccessKey{off}, PutUsers: []*definition.User{bare}},
		{DeleteUsers: []string{"bob", "none"}, DeleteAccessKeys: []string{"B1", "none"}, DeletePolicies: []string{"pay", "none"}},
	} {
		mustWrite(t, s, ch)
		want = want.With(ch)
		if got := mustLoad(t, s); !reflect.DeepEqual(got, want) {
			t.Fatalf("loaded %+v\nwant %+v", got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := mustLoad(t, mustOpen(t, dir)); !reflect.DeepEqual(got, want) || got.AccessKeys["A1"].Secret != accessKey("A1", "ann").Secret {
		t.Errorf("loaded %+v\nwant %+v", got, want)
	}
}

func TestChangesOfPrincipalsThatAreRefused(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	mustWrite(t, s, principals())
	before := mustLoad(t, s)
	with := func(id, user, secret string) definition.Change {
		k := accessKey(id, user)
		k.Secret = secret
		return definition.Change{PutAccessKeys: []*definition.AccessKey{k}}
	}
	for want, ch := range map[string]definition.Change{
		"access key A1 is of user ann, which does not exist":                         {DeleteUsers: []string{"ann"}},
		"access key C1 is of user eve, which does not exist":                         {PutAccessKeys: []*definition.AccessKey{accessKey("C1", "eve")}},
		"policy read, which does not exist, is attached to user ann":                 {DeletePolicies: []string{"read"}},
		"policy none, which does not exist, is attached to user eve":                 {PutUsers: []*definition.User{user("eve", "none")}},
		"access key C1: it has no secret":                                            with("C1", "ann", ""),
		"access key A1: it has no secret":                                            with("A1", "ann", ""),
		"access key A1: its user and its secret cannot be changed: make another key": with("A1", "ann", "other"),
		"access key A2: its user and its secret cannot be changed":                   with("A2", "bob", accessKey("A2", "ann").Secret),
		`user: "a/b" is no id`:                                                       {PutUsers: []*definition.User{user("a/b")}},
		`policy: "" is no id`:                                                        {PutPolicies: []*definition.ManagedPolicy{managedPolicy("")}},
		`access key: "a/" is no id`:                                                  {PutAccessKeys: []*definition.AccessKey{accessKey("a/", "ann")}},
	} {
		ch.PutPolicies = append([]*definition.ManagedPolicy{managedPolicy("extra")}, ch.PutPolicies...)
		if err := s.Write(ch); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.path) {
			t.Errorf("want %q: %v", want, err)
		}
		if after := mustLoad(t, s); !reflect.DeepEqual(after, before) {
			t.Errorf("want %q: the state changed", want)
		}
	}
}

func TestSecretsAreNeverInClear(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	mustWrite(t, s, principals())
	mustWrite(t, s, definition.Change{DeleteAccessKeys: []string{"B1"}, PutAccessKeys: []*definition.AccessKey{accessKey("A1", "ann")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range principals().PutAccessKeys {
		secret := []byte(k.Secret)
		for _, form := range []string{k.Secret[:12], base64.StdEncoding.EncodeToString(secret)[:24], hex.EncodeToString(secret)[:24]} {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("the state file has %s", form)
			}
		}
	}
}

// TestSealedSecretOpensForItsKeyAndUserOnly: a record with a right checksum that
// was put together of others does not load.
func TestSealedSecretOpensForItsKeyAndUserOnly(t *testing.T) {
	for name, edit := range map[string]func(one, other *accessKeyRecord){
		"the secret of another key": func(one, other *accessKeyRecord) { one.Sealed = other.Sealed },
		"another user":              func(one, _ *accessKeyRecord) { one.UserName = "bob" },
	} {
		s := mustOpen(t, t.TempDir())
		mustWrite(t, s, principals())
		err := s.db.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket(bucketAccessKeys)
			one, err := s.vault.readAccessKey([]byte("A1"), b.Get([]byte("A1")))
			if err != nil {
				return err
			}
			other, err := s.vault.readAccessKey([]byte("A2"), b.Get([]byte("A2")))
			if err != nil {
				return err
			}
			edit(&one, &other)
			return put(b, []byte("A1"), one)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), "secret of access key A1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := mustOpen(t, t.TempDir())
	if bytes.Equal(s.vault.sealSecret("A1", "ann", "v"), s.vault.sealSecret("A1", "ann", "v")) {
		t.Error("two seals of a secret are alike")
	}
	if _, err := s.vault.unseal("A1", s.vault.sealSecret("A1", "ann", "v")); err == nil {
		t.Error("a secret opens as the value of an API key")
	}
}

// TestLoadRefusesWhatBelongsToNobody: what Write refuses is damage in a file.
func TestLoadRefusesWhatBelongsToNobody(t *testing.T) {
	for want, spoil := range map[string]func(tx *bolt.Tx) error{
		"access key A1 is of user ann, which does not exist":        func(tx *bolt.Tx) error { return tx.Bucket(bucketUsers).Delete([]byte("ann")) },
		"policy pay, which does not exist, is attached to user bob": func(tx *bolt.Tx) error { return tx.Bucket(bucketPolicies).Delete([]byte("pay")) },
	} {
		s := mustOpen(t, t.TempDir())
		mustWrite(t, s, principals())
		if err := s.db.Update(spoil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
