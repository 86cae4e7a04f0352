package state

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

const (
	secretName = "secret.key"
	secretSize = 32
)

// openVault reads the secret file at path, and makes one if the state file holds
// no API keys and no access keys yet. A wrong one would find no API key at all and
// open no access key, so it is refused.
func (s *Store) openVault(path string) error {
	secret, err := readSecret(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	return s.guard(func() error {
		var known []byte
		hasKeys := false
		err := s.db.View(func(tx *bolt.Tx) (err error) {
			hasKeys = !isEmpty(tx.Bucket(bucketKeys)) || !isEmpty(tx.Bucket(bucketAccessKeys))
			known, err = s.knownSecret(tx.Bucket(bucketMeta))
			return err
		})
		if err != nil {
			return err
		}
		if missing && hasKeys {
			return secretError(path, "is missing")
		}
		if missing {
			if secret, err = makeSecret(path); err != nil {
				return fmt.Errorf("make secret file %s: %w", path, err)
			}
		}
		if s.vault, err = newVault(secret); err != nil {
			return fmt.Errorf("secret file %s: %w", path, err)
		}
		if bytes.Equal(known, s.vault.check) {
			return nil
		}
		if hasKeys {
			return secretError(path, "is not the one that the keys were stored with")
		}
		return s.db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(keySecret, frame(keySecret, s.vault.check))
		})
	})
}

func isEmpty(b *bolt.Bucket) bool {
	first, _ := b.Cursor().First()
	return first == nil
}

// knownSecret is what the state file knows of the secret, nil if nothing.
func (s *Store) knownSecret(meta *bolt.Bucket) ([]byte, error) {
	value := meta.Get(keySecret)
	if value == nil {
		return nil, nil
	}
	known, err := unframe(keySecret, value)
	if err != nil {
		return nil, &DamagedError{s.path, err}
	}
	return bytes.Clone(known), nil
}

// secretError says what is wrong with the secret file, and what to do.
func secretError(path, what string) error {
	return fmt.Errorf("secret file %s %s: restore it from the backup that the state file belongs to, for without it neither API keys nor signatures can be verified", path, what)
}

func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("secret file %s is open to every user (mode %04o): chmod it to 0600", path, info.Mode().Perm())
	}
	if info.Size() != secretSize {
		return nil, secretError(path, fmt.Sprintf("has %d bytes and should have %d", info.Size(), secretSize))
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	return secret, nil
}

// makeSecret makes the file whole and durable under another name and publishes
// it by a link, which never replaces a secret that is there.
func makeSecret(path string) ([]byte, error) {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	defer func() { _ = os.Remove(draft) }()
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(secret)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(draft, path); err != nil {
		return nil, err
	}
	return secret, syncDir(filepath.Dir(path))
}
