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
//
// A third is a copy of the first, which a start falls back to when that is damaged
// (FallBack). It says so until an operator acknowledges it.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
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
	file  *os.File // db's
	path  string
	vault *vault

	writing   sync.Mutex // held by who changes the file, and of what follows
	unsettled bool       // the last page of the last transaction may not be on the disk

	fallback atomic.Pointer[Fallback]
	copied   atomic.Int64 // when, in Unix nanoseconds
	dirty    atomic.Bool  // there are changes that the copy does not have
	used     atomic.Bool  // there is usage that it does not have
	copying  atomic.Bool
	changed  chan struct{}
	closing  chan struct{}
	close    sync.Once
	keeping  sync.WaitGroup
}

// DamagedError says that the state file cannot be read as one.
type DamagedError struct {
	Path string
	Err  error
}

// Error names the file, what is wrong with it and what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("state file %s is damaged: %v; restore it from a backup, or move it and its copy (%s) away to start without any API", e.Path, e.Err, filepath.Base(copyPath(e.Path)))
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// Open opens the state file and the secret file in dir and makes what does not
// exist of them (the directory with mode 0700, the files 0600). It fails at once
// when another process has the state file open, when a newer tidegate wrote it,
// when it is damaged or lost (*DamagedError), or when it holds API keys or access keys
// and the secret file is not the one they were stored with. It is lost if it does not
// exist and its copy does.
func Open(dir string) (*Store, error) {
	s, err := open(dir, migrations)
	if err != nil {
		return nil, err
	}
	err = s.openVault(filepath.Join(dir, secretName))
	if err == nil {
		// Who was here before may have been killed between a write and its sync: what
		// is built upon must be on the disk.
		err = errors.Join(s.file.Sync(), syncDir(dir))
	}
	if err != nil {
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
	copied, err := copiedAt(path)
	if err != nil {
		return nil, fmt.Errorf("copy of the state file: %w", err)
	}
	if _, err := os.Lstat(path); copied != 0 && errors.Is(err, fs.ErrNotExist) {
		return nil, &DamagedError{path, errors.New("it is missing, and its copy is there")}
	}
	if err := create(path, steps); err != nil {
		return nil, fmt.Errorf("create state file %s: %w", path, err)
	}
	s, err := openAt(path, steps)
	if err != nil {
		return nil, err
	}
	note, err := readNote(path)
	if err != nil {
		_ = s.db.Close()
		return nil, err
	}
	s.fallback.Store(note)
	s.copied.Store(copied)
	return s, nil
}

// openAt opens a state file that exists.
func openAt(path string, steps []migration) (*Store, error) {
	s := &Store{path: path, changed: make(chan struct{}, 1), closing: make(chan struct{})}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open state file: %w", err)
	}
	if info.Size() == 0 { // bbolt would make a new one of it
		return nil, &DamagedError{path, errors.New("it is empty")}
	}
	err = s.guard(func() error {
		var err error
		s.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, OpenFile: func(name string, flag int, mode fs.FileMode) (*os.File, error) {
			if name != path { // a copy
				return os.OpenFile(name, flag, mode)
			}
			s.file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
			return s.file, err
		}})
		switch {
		case errors.Is(err, bolterrors.ErrTimeout):
			return fmt.Errorf("state file %s is in use: is another tidegate running?", path)
		case errors.As(err, new(syscall.Errno)): // the system's fault, not the file's
			return fmt.Errorf("open state file: %w", err)
		case err != nil:
			return &DamagedError{path, err}
		}
		if err := s.checkSize(); err != nil {
			return err
		}
		return s.migrate(steps)
	})
	if err == nil {
		return s, nil
	}
	if s.db != nil {
		_ = s.db.Close()
	} else if s.file != nil { // bbolt panicked; its mapping would keep the lock
		_ = syscall.Flock(int(s.file.Fd()), syscall.LOCK_UN)
		_ = s.file.Close()
	}
	return nil, err
}

// migrate brings the file up to date, and writes nothing if it is.
func (s *Store) migrate(steps []migration) error {
	upToDate := false
	err := s.db.View(func(tx *bolt.Tx) error {
		version, err := schemaVersion(tx, s.path)
		upToDate = version == 1+len(steps)
		return err
	})
	if err != nil || upToDate {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error { return migrate(tx, s.path, steps) })
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

// Close lets go of the file. It waits for a write that is being made, and makes a
// last copy if KeepCopy still owes one.
func (s *Store) Close() error {
	s.close.Do(func() { close(s.closing) })
	s.keeping.Wait()
	return s.db.Close()
}

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
