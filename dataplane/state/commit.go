package state

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// UnsettledError says that a change is in the file and may not be on the disk: the
// disk failed at the last moment. Reads find it, no other change is made until it
// is settled, and a power failure before that may lose it.
type UnsettledError struct {
	Path string
	Err  error
}

// Error says what failed and what that means.
func (e *UnsettledError) Error() string {
	return fmt.Sprintf("write state file %s: %v; the change is in force, and a power failure may undo it until another one is stored", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *UnsettledError) Unwrap() error { return e.Err }

// update runs f in a write transaction. An error of f undoes it all.
func (s *Store) update(f func(*bolt.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.unsettled {
		if err := s.settle(); err != nil {
			return fmt.Errorf("write state file %s: the change before is not on the disk yet: %w", s.path, err)
		}
	}
	var id int
	err := s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			id = tx.ID()
			return f(tx)
		})
	})
	if err == nil {
		return nil
	}
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		return err
	}
	if !s.inForce(id) {
		return fmt.Errorf("write state file %s: %w", s.path, err)
	}
	if s.unsettled = true; s.settle() != nil {
		return &UnsettledError{s.path, err}
	}
	return nil
}

// inForce reports whether the transaction is what the file says, although it
// failed: its last page was written, and could not be synced.
func (s *Store) inForce(id int) bool { return id > 0 && s.current() >= id }

// current is the number of the transaction that the file is at, 0 if unknown.
func (s *Store) current() (id int) {
	err := s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error { id = tx.ID(); return nil })
	})
	if err != nil {
		return 0
	}
	return id
}

// settle writes the last page of a transaction again and syncs it. Syncing alone
// is no use: the kernel takes a page that it failed to write for written. Nor is
// another transaction, which would reuse pages that belong to the one before, and
// that is the one on the disk if this page is not. All its other pages had been
// synced.
func (s *Store) settle() error {
	return s.guard(func() error {
		page := make([]byte, s.db.Info().PageSize)
		at := int64(s.current()%2) * int64(len(page)) // bbolt has two such pages in turns
		if _, err := s.file.ReadAt(page, at); err != nil {
			return err
		}
		if _, err := s.file.WriteAt(page, at); err != nil {
			return err
		}
		if err := unix.Fdatasync(int(s.file.Fd())); err != nil {
			return err
		}
		s.unsettled = false
		return nil
	})
}
