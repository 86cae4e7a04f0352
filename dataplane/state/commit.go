package state

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// UnsettledError says that a change is in the file and may not be on the disk: the
// disk failed at the last moment. Reads find it, the next change settles it, and
// a power failure before that may lose it.
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
	if s.inForce(id) {
		return s.settle(err)
	}
	return fmt.Errorf("write state file %s: %w", s.path, err)
}

// inForce reports whether the transaction is what the file says, although it
// failed: its last page was written, and could not be synced.
func (s *Store) inForce(id int) bool {
	found := 0
	err := s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error { found = tx.ID(); return nil })
	})
	return err == nil && id > 0 && found >= id
}

// settle has an empty transaction follow one that may not be on the disk. Its last
// page is another one, so the page that could not be synced matters no more; all
// the others had been synced before.
func (s *Store) settle(cause error) error {
	if err := s.guard(func() error { return s.db.Update(func(*bolt.Tx) error { return nil }) }); err != nil {
		return &UnsettledError{s.path, cause}
	}
	return nil
}
