// Package state keeps what owners of APIs define in one crash-safe file, so
// that a restart, or a kill at any moment, loses nothing that was acknowledged.
//
// The file is a bbolt database with one writer. Bodies are kept once, under
// their revision, and APIs and deployments refer to them: a deployment of a
// large API writes a record of a few hundred bytes.
//
// A second file holds the secret of the host, which seals the values of API keys,
// under which these are found, and which seals the secrets of access keys. The two
// files belong together, in a backup too.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileName = "tidegate.db"

	// lockWait is how long Open waits for another process to let go of the
	// file: enough for one that is just exiting.
	lockWait = 250 * time.Millisecond
)

// Store is an open state file. Its methods may be called from any goroutine;
// writes are made one after the other.
type Store struct {
	db    *bolt.DB
	path  string
	vault *vault
}

// DamagedError says that the state file cannot be read as one.
type DamagedError struct {
	Path string
	Err  error
}

// Error names the file, what is wrong with it and what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("state file %s is damaged: %v; restore it from a backup, or move it away to start without any API", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// Open opens the state file and the secret file in dir and makes what does not
// exist of them (the directory with mode 0700, the files 0600). It fails at once
// when another process has the state file open, when a newer tidegate wrote it,
// when it is damaged (*DamagedError), or when it holds API keys or access keys and
// the secret file is not the one they were stored with.
func Open(dir string) (*Store, error) {
	s, err := open(dir, migrations)
	if err != nil {
		return nil, err
	}
	if err := s.openVault(filepath.Join(dir, secretName)); err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

func open(dir string, steps []migration) (*Store, error) {
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fileName)
	if err := create(path, steps); err != nil {
		return nil, fmt.Errorf("create state file %s: %w", path, err)
	}
	s := &Store{path: path}
	err := s.guard(func() error {
		var err error
		s.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait})
		switch {
		case errors.Is(err, bolterrors.ErrTimeout):
			return fmt.Errorf("state file %s is in use: is another tidegate running?", path)
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("open state file: %w", err)
		case err != nil:
			return &DamagedError{path, err}
		}
		if err := s.checkSize(); err != nil {
			return err
		}
		return s.db.Update(func(tx *bolt.Tx) error { return migrate(tx, path, steps) })
	})
	if err != nil {
		if s.db != nil {
			_ = s.db.Close()
		}
		return nil, err
	}
	return s, nil
}

// CopyTo copies the state file, as it is at one moment, to another one, which is
// replaced if it is there.
func (s *Store) CopyTo(path string) error {
	draft := path + ".new"
	err := s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error { return tx.CopyFile(draft, 0o600) })
	})
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return fmt.Errorf("copy state file %s: %w", s.path, err)
	}
	return nil
}

// Path returns the state file of a directory.
func Path(dir string) string { return filepath.Join(dir, fileName) }

// Close lets go of the file. It waits for a write that is being made.
func (s *Store) Close() error { return s.db.Close() }

// checkSize catches a file that was cut short: reading past its end would be a
// memory fault.
func (s *Store) checkSize() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("open state file: %w", err)
	}
	return s.db.View(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return &DamagedError{s.path, fmt.Errorf("it has %d bytes and should have %d", info.Size(), tx.Size())}
		}
		return nil
	})
}

// guard runs f and turns a panic into a *DamagedError: bbolt maps the file
// into memory and asserts what it finds there.
func (s *Store) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamagedError{s.path, fmt.Errorf("%v", p)}
		}
	}()
	return f()
}

// update runs f in a write transaction. An error of f undoes it all.
func (s *Store) update(f func(*bolt.Tx) error) error {
	err := s.guard(func() error { return s.db.Update(f) })
	var damaged *DamagedError
	if err != nil && !errors.As(err, &damaged) {
		return fmt.Errorf("write state file %s: %w", s.path, err)
	}
	return err
}

// read runs f in a read transaction of its own. An error of f is damage, for
// nothing else can be wrong with what was written whole.
func (s *Store) read(f func(*bolt.Tx) error) error {
	err := s.guard(func() error { return s.db.View(f) })
	var damaged *DamagedError
	switch {
	case err == nil, errors.As(err, &damaged):
		return err
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return fmt.Errorf("read state file %s: %w", s.path, err)
	}
	return &DamagedError{s.path, err}
}

func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make state directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("state directory %s may be written by every user (mode %04o): chmod it to 0700", dir, info.Mode().Perm())
	}
	return nil
}

// create makes the file whole under another name and publishes it by a link,
// so that a crash in between leaves no half-made state file.
func create(path string, steps []migration) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bolt.Open(draft, 0o600, &bolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft) }()
	err = errors.Join(db.Update(func(tx *bolt.Tx) error {
		if err := initialize(tx); err != nil {
			return err
		}
		return migrate(tx, path, steps)
	}), db.Close())
	if err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new directory entry durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
