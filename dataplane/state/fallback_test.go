package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestFallBack: whatever happens to the state file, a start goes back to the copy
// and raises the alarm until it is acknowledged.
func TestFallBack(t *testing.T) {
	good, secret, spoils := damages(t)
	spoils["missing"] = func([]byte) []byte { return nil }
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			bad := spoil(bytes.Clone(good))
			lay(t, dir, secret, bad)
			if name == "missing" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			before := time.Date(2020, 2, 3, 1, 2, 3, 0, time.UTC)
			if err := errors.Join(os.WriteFile(copyPath(path), good, 0o600), os.Chtimes(copyPath(path), before, before)); err != nil {
				t.Fatal(err)
			}
			if name == "missing" {
				if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "it is missing, and its copy is there") {
					t.Errorf("missing: %v", err)
				}
			}
			s := mustFallBack(t, dir, name)
			if err := readAll(s); err != nil {
				t.Fatal(err)
			}
			if err := present(s, mustLoad(t, s), 39); err != nil {
				t.Error(err)
			}
			f := s.Fallback()
			if f == nil || f.Cause == "" || !f.Copied.Equal(before) || f.At.Before(before) {
				t.Fatalf("fallback %+v", f)
			}
			if name != "missing" {
				if aside, err := os.ReadFile(f.Damaged); err != nil || !bytes.Equal(aside, bad) {
					t.Errorf("moved aside: %v", err)
				}
			} else if f.Damaged != "" {
				t.Errorf("moved aside: %q", f.Damaged)
			}
			if left, err := os.ReadFile(copyPath(path)); err != nil || !bytes.Equal(left, good) {
				t.Errorf("the copy is not what it was: %v", err)
			}
			mustWrite(t, s, nth(40)) // does not end the alarm, nor does a restart
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, dir)
			if f := s.Fallback(); f == nil || !f.Copied.Equal(before) {
				t.Errorf("after a restart: %+v", f)
			}
			if err := errors.Join(s.AcknowledgeFallback(), s.AcknowledgeFallback()); err != nil || s.Fallback() != nil {
				t.Errorf("acknowledged: %v, %+v", err, s.Fallback())
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if f := mustOpen(t, dir).Fallback(); f != nil {
				t.Errorf("after it was acknowledged: %+v", f)
			}
		})
	}
}

// mustFallBack opens a store that is damaged.
func mustFallBack(t *testing.T, dir, name string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err == nil {
		err = s.sound()
		_ = s.Close()
	}
	if err == nil && (name == "key record" || name == "plan of a key" || name == "usage of a day") {
		return fallBackAnyway(t, dir) // only what is read later is damaged
	}
	s, err = openHealed(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fallBackAnyway damages the state file so that a start notices.
func fallBackAnyway(t *testing.T, dir string) *Store {
	t.Helper()
	s := mustOpen(t, dir)
	if err := s.read(everyRecord); err == nil {
		t.Error("every record is whole")
	}
	if err := s.copy(); !errors.As(err, new(*DamagedError)) || !strings.Contains(err.Error(), s.path+" is damaged") {
		t.Errorf("a copy of it: %v", err)
	}
	_ = s.Close()
	t.Skip("nothing that a start reads is damaged")
	return nil
}

func TestFallBackWithoutAGoodCopy(t *testing.T) {
	good, secret, _ := damages(t)
	noise := bytes.Repeat([]byte("tidegate "), 4000)
	for name, c := range map[string]struct {
		copy []byte
		want string
	}{
		"none":            {nil, "(tidegate.db.good) away to start without any API"},
		"damaged":         {noise, "; and so is its copy "},
		"damaged records": {bytes.ReplaceAll(good, []byte("pets api0000030"), []byte("pots api0000030")), `tidegate.db.good: record "api0000030" does not match its checksum`},
		"empty":           {[]byte{}, "; and so is its copy "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			lay(t, dir, secret, noise)
			path := filepath.Join(dir, fileName)
			if c.copy != nil {
				if err := os.WriteFile(copyPath(path), c.copy, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := contents(t, dir)
			for range 2 {
				_, err := openHealed(dir)
				if !errors.As(err, new(*DamagedError)) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("error: %v", err)
				}
			}
			if after := contents(t, dir); after != before {
				t.Errorf("the folder has changed: %s, before %s", after, before)
			}
		})
	}
}

// contents sums a folder up.
func contents(t *testing.T, dir string) (text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%s %d %08x\n", e.Name(), len(b), checksum(nil, b))
	}
	return text
}

// TestWhatIsNoDamage: a start that fails for other reasons falls back to nothing.
func TestWhatIsNoDamage(t *testing.T) {
	good, secret, _ := damages(t)
	for name, spoil := range map[string]func(dir, path string) error{
		"another secret": func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, secretName), bytes.Repeat([]byte{7}, secretSize), 0o600)
		},
		"a newer schema": func(_, path string) error {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error { return putVersion(tx, 99) }), db.Close())
		},
		"no file":      func(_, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"open for all": func(dir, _ string) error { return os.Chmod(dir, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			lay(t, dir, secret, good)
			if err := errors.Join(os.WriteFile(copyPath(path), good, 0o600), spoil(dir, path)); err != nil {
				t.Fatal(err)
			}
			if s, err := openHealed(dir); err == nil || errors.As(err, new(*DamagedError)) {
				t.Errorf("%v, %v", s, err)
			}
			if files, _ := filepath.Glob(path + ".*"); len(files) != 1 {
				t.Errorf("there are %v", files)
			}
		})
	}
}

func TestDamagedFilesDoNotPileUp(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	mustWrite(t, s, nth(0))
	if err := errors.Join(s.copy(), s.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fileName)
	for i := range keptDamaged + 2 {
		if err := os.WriteFile(path, []byte(fmt.Sprint("damaged ", i)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openHealed(dir)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(s.Fallback().Damaged); err != nil || string(text) != fmt.Sprint("damaged ", i) {
			t.Errorf("%d: %q, %v", i, text, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // another name
	}
	if files, _ := filepath.Glob(path + damagedSuffix + "*"); len(files) != keptDamaged {
		t.Errorf("kept %v", files)
	}
	if err := os.WriteFile(path+noteSuffix, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := mustOpen(t, dir).Fallback(); f == nil || !strings.Contains(f.Cause, path+noteSuffix) {
		t.Errorf("a note that is damaged: %+v", f)
	}
}

// TestNobodyFallsBackFromAStoreInUse: also if what the caller saw was damaged.
func TestNobodyFallsBackFromAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	mustWrite(t, s, nth(0))
	if err := s.copy(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, s, nth(1))
	before := contents(t, dir)
	if err := FallBack(dir, &DamagedError{filepath.Join(dir, fileName), errors.New("it was")}); err != nil {
		t.Error(err)
	}
	if after := contents(t, dir); after != before {
		t.Errorf("the folder has changed: %s, before %s", after, before)
	}
	unlock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := FallBack(dir, &DamagedError{filepath.Join(dir, fileName), errors.New("it was")}); err == nil || !strings.Contains(err.Error(), "is another tidegate starting?") {
		t.Errorf("while another one does: %v", err)
	}
}
