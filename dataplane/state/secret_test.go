package state

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestSecretFile(t *testing.T) {
	write := func(n int, mode os.FileMode) func(string) error {
		return func(path string) error {
			if err := os.WriteFile(path, bytes.Repeat([]byte{7}, n), mode); err != nil {
				return err
			}
			return os.Chmod(path, mode)
		}
	}
	same := func(string) error { return nil }
	accessKeysAlone := func(t testing.TB, s *Store) { mustWrite(t, s, principals()) }
	const restore = "restore it from the backup that the state file belongs to, for without it neither API keys nor signatures can be verified"
	for _, c := range []struct {
		name  string
		keys  func(testing.TB, *Store) // writes some; nil: there are none
		spoil func(path string) error
		want  string // in the error; none if empty
	}{
		{"as it was", twoPlans, same, ""},
		{"missing", twoPlans, os.Remove, "is missing: " + restore},
		{"another", twoPlans, write(secretSize, 0o600), "is not the one that the keys were stored with: " + restore},
		{"cut short", twoPlans, write(secretSize-1, 0o600), "has 31 bytes and should have 32: " + restore},
		{"empty", nil, write(0, 0o600), "has 0 bytes and should have 32: " + restore},
		{"open to all", twoPlans, func(path string) error { return os.Chmod(path, 0o604) }, "(mode 0604): chmod it to 0600"},
		{"missing, access keys alone", accessKeysAlone, os.Remove, "is missing: " + restore},
		{"another, access keys alone", accessKeysAlone, write(secretSize, 0o600), "is not the one that the keys were stored with: " + restore},
		{"missing, no keys", nil, os.Remove, ""},
		{"another, no keys", nil, write(secretSize, 0o600), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, secretName)
			s := mustOpen(t, dir)
			if c.keys != nil {
				c.keys(t, s)
			}
			secret := s.Secret()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(path); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first attempt must not make the second one pass
				s, err := Open(dir)
				switch {
				case c.want == "" && err != nil:
					t.Fatal(err)
				case c.want != "" && (err == nil || !strings.Contains(err.Error(), "secret file "+path) || !strings.Contains(err.Error(), c.want)):
					t.Fatalf("error: %v", err)
				}
				if err != nil {
					continue
				}
				if c.keys != nil && s.Secret() != secret {
					t.Error("the secret changed")
				}
				if c.keys == nil {
					mustWrite(t, s, definition.Change{PutKeys: []*definition.APIKey{key("k1")}})
				}
				if k, err := s.Key("k1"); err != nil || k == nil || k.Value != key("k1").Value {
					t.Errorf("key: %v, %v", k, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestSecretFileIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, secretName)
	if err := os.WriteFile(path+".new", []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() []byte {
		if err := mustOpen(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || info.Size() != secretSize {
			t.Errorf("mode %04o, %d bytes", info.Mode().Perm(), info.Size())
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if first := read(); !bytes.Equal(first, read()) {
		t.Error("the second Open made another secret")
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the draft was left behind")
	}
}

func TestSealedValueOpensForItsKeyOnly(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	if bytes.Equal(s.vault.seal("k1", "v"), s.vault.seal("k1", "v")) {
		t.Error("two seals of a value are alike")
	}
	if _, err := s.vault.unseal("k2", s.vault.seal("k1", "v")); err == nil {
		t.Error("another key opened it")
	}
	// A record of k1 that has the sealed value of k2, with a right checksum.
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketKeys)
		var one, two keyRecord
		if err := decode([]byte("k1"), b.Get([]byte("k1")), &one); err != nil {
			return err
		}
		if err := decode([]byte("k2"), b.Get([]byte("k2")), &two); err != nil {
			return err
		}
		one.Sealed = two.Sealed
		return put(b, []byte("k1"), one)
	})
	if err != nil {
		t.Fatal(err)
	}
	if k, err := s.Key("k1"); err == nil || !strings.Contains(err.Error(), "value of API key k1") {
		t.Errorf("swapped value: %v, %v", k, err)
	}
}
