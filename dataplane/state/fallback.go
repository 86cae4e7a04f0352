package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Fallback says that a start has found the state file damaged or missing and went
// back to the copy. Changes after Copied are lost.
type Fallback struct {
	At      time.Time // of the start
	Cause   string    // what was wrong with the state file
	Damaged string    // where it is now; empty if it was missing
	Copied  time.Time // when the copy was made
}

const (
	noteSuffix    = ".fallback"
	damagedSuffix = ".damaged-"

	// keptDamaged is how many damaged files are kept.
	keptDamaged = 3
)

// FallBack puts the copy in the place of a state file that was found to be
// damaged, and moves that aside. The store must be closed. What it did is noted,
// and known to the stores that are opened from then on, until it is acknowledged.
// If there is no copy, or it is no good either, the error is the *DamagedError.
func FallBack(dir string, cause *DamagedError) error {
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	path := filepath.Join(dir, fileName)
	var still *DamagedError
	if err := probe(dir, path); !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &still) {
		return nil // another process was faster, or has it in use
	}
	copied, err := copiedAt(path)
	if err != nil {
		return fmt.Errorf("copy of the state file: %w", err)
	}
	if copied == 0 {
		return cause
	}
	draft := path + ".new"
	if err := copyFile(copyPath(path), draft); err != nil {
		return fmt.Errorf("fall back to the copy of the state file: %w", err)
	}
	if err := probe(dir, draft); errors.As(err, &still) {
		_ = os.Remove(draft)
		return &DamagedError{path, fmt.Errorf("%w; and so is its copy %s: %w", cause.Err, copyPath(path), still.Err)}
	} else if err != nil {
		return err
	}
	if err := replaceDamaged(path, draft, cause, time.Unix(0, copied)); err != nil {
		return fmt.Errorf("fall back to the copy of the state file: %w", err)
	}
	return nil
}

// probe reads what a start reads of a state file, and lets go of it.
func probe(dir, path string) error {
	s, err := openAt(path, migrations)
	if err != nil {
		return err
	}
	err = s.openVault(filepath.Join(dir, secretName))
	if err == nil {
		err = s.sound()
	}
	return errors.Join(err, s.db.Close())
}

// replaceDamaged makes each step durable before the next, so that a crash in
// between falls back again.
func replaceDamaged(path, draft string, cause *DamagedError, copied time.Time) error {
	note := Fallback{At: time.Now().UTC(), Cause: cause.Err.Error(), Copied: copied.UTC()}
	_, err := os.Lstat(path)
	switch before, noteErr := readNote(path); {
	case err == nil:
		note.Damaged = path + damagedSuffix + note.At.Format("20060102T150405.000")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case noteErr == nil && before != nil: // a crash came between the steps
		note.Cause, note.Damaged = before.Cause, before.Damaged
	}
	if err := writeNote(path, &note); err != nil {
		return err
	}
	if err == nil {
		if err := os.Rename(path, note.Damaged); err != nil {
			return err
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return err
		}
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	forgetDamaged(path)
	return syncDir(filepath.Dir(path))
}

// forgetDamaged keeps a disk that damages files again and again from filling up.
func forgetDamaged(path string) {
	all, _ := filepath.Glob(path + damagedSuffix + "*")
	slices.Sort(all)
	for _, old := range all[:max(0, len(all)-keptDamaged)] {
		_ = os.Remove(old)
	}
}

// Fallback returns what a start has done since it was last acknowledged; nil if
// nothing.
func (s *Store) Fallback() *Fallback { return s.fallback.Load() }

// AcknowledgeFallback forgets it.
func (s *Store) AcknowledgeFallback() error {
	if err := os.Remove(s.path + noteSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("acknowledge the fallback: %w", err)
	}
	s.fallback.Store(nil)
	return syncDir(filepath.Dir(s.path))
}

// readNote returns nil without a note. One that cannot be read is a fallback all
// the same.
func readNote(path string) (*Fallback, error) {
	text, err := os.ReadFile(path + noteSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("note of a fallback: %w", err)
	}
	f := new(Fallback)
	if err := json.Unmarshal(text, f); err != nil {
		return &Fallback{Cause: fmt.Sprintf("unknown, for the note of it (%s) is damaged", path+noteSuffix)}, nil
	}
	return f, nil
}

func writeNote(path string, f *Fallback) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	draft := path + noteSuffix + ".new"
	if err := writeFile(draft, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return err
	}
	if err := os.Rename(draft, path+noteSuffix); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// copyFile makes a durable copy of a file, over what is there.
func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	return writeFile(to, func(w io.Writer) error {
		// Through memory: some file systems would share the blocks otherwise, and
		// what damages one file would damage the other.
		_, err := io.Copy(struct{ io.Writer }{w}, struct{ io.Reader }{src})
		return err
	})
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// lockDir keeps two processes from falling back at once.
func lockDir(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("state directory %s is in use: is another tidegate starting? (%w)", dir, err)
	}
	return func() { _ = d.Close() }, nil
}
