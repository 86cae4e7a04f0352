package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// The copy lies beside the state file, and a start falls back to it when that is
// damaged. It is a whole state file: byte for byte what one read transaction saw.
// It is read through before it takes the place of the one before, so that damage
// is noticed while the gateway runs, and never gets into the copy.

// CopySuffix is what the name of the copy has behind that of the state file.
const CopySuffix = ".good"

func copyPath(path string) string { return path + CopySuffix }

// copy makes the copy anew. Changes go on meanwhile, but one for which the file
// has to be mapped anew, as it has doubled, waits until the bytes are copied. With
// an error the copy is the one before; a *DamagedError says that the state file
// itself is no good.
func (s *Store) copy() (err error) {
	draft := copyPath(s.path) + ".new"
	defer func() {
		if err != nil {
			_ = os.Remove(draft)
		}
	}()
	err = s.guard(func() error { return s.db.View(func(tx *bolt.Tx) error { return writeCopy(tx, draft) }) })
	if err != nil {
		return fmt.Errorf("copy the state file: %w", err)
	}
	if err := s.verifyCopy(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, copyPath(s.path)); err != nil {
		return fmt.Errorf("copy the state file: %w", err)
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("copy the state file: %w", err)
	}
	s.copied.Store(time.Now().UnixNano())
	return nil
}

// writeCopy leaves the file system as much room as the state file has, so that
// copying is not what fills the disk.
func writeCopy(tx *bolt.Tx, path string) error {
	var room unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &room); err != nil {
		return fmt.Errorf("free space of %s: %w", filepath.Dir(path), err)
	}
	if free := int64(room.Bavail) * room.Bsize; free < 2*tx.Size() {
		return fmt.Errorf("%d bytes are free in %s, and copying takes %d: %w", free, filepath.Dir(path), 2*tx.Size(), unix.ENOSPC)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = tx.WriteTo(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// verifyCopy reads all that a start would read of the file at path, and everything
// else against its checksum.
func (s *Store) verifyCopy(path string) error {
	c := &Store{path: path, vault: s.vault}
	err := c.guard(func() (err error) {
		c.db, err = bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockWait})
		return err
	})
	if err == nil {
		err = errors.Join(c.sound(), c.read(everyRecord), c.db.Close())
	}
	var damaged *DamagedError
	if errors.As(err, &damaged) { // it was so before it was copied
		return &DamagedError{s.path, damaged.Err}
	}
	return err
}

// sound reads what a start reads.
func (s *Store) sound() error {
	if _, err := s.Load(); err != nil {
		return err
	}
	if err := s.EachKey(func(string, [16]byte, bool) error { return nil }); err != nil {
		return err
	}
	if err := s.EachPlanKey(func(string, string) error { return nil }); err != nil {
		return err
	}
	return s.each(bucketUsage, func(key, value []byte, _ caller) error {
		_, err := readNewest(key, value)
		return err
	})
}

// everyRecord compares all records with their checksums. References are names
// alone, and the version of the schema is what it is.
func everyRecord(tx *bolt.Tx) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		return b.ForEach(func(key, value []byte) error {
			if bytes.Equal(name, bucketReferences) || bytes.Equal(name, bucketMeta) && bytes.Equal(key, keySchema) {
				return nil
			}
			_, err := unframe(key, value)
			return err
		})
	})
}

// Copied returns when the copy was made; the zero time if there is none.
func (s *Store) Copied() time.Time {
	if at := s.copied.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// copiedAt is the time of the copy beside a state file, 0 without one.
func copiedAt(path string) (int64, error) {
	info, err := os.Stat(copyPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.ModTime().UnixNano(), nil
}
