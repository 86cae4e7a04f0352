package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// openCopy opens the copy as a state file of its own.
func openCopy(t *testing.T, dir string) *Store {
	t.Helper()
	other := t.TempDir()
	for from, to := range map[string]string{copyPath(fileName): fileName, secretName: secretName} {
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, to), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return mustOpen(t, other)
}

func TestCopyIsAStateFile(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	if !s.Copied().IsZero() {
		t.Errorf("copied at %s", s.Copied())
	}
	for n := range 20 {
		mustWrite(t, s, nth(n))
		if err := s.WriteUsage(nthUsage(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.copy(); err != nil {
		t.Fatal(err)
	}
	if time.Since(s.Copied()) > time.Minute {
		t.Errorf("copied at %s", s.Copied())
	}
	info, err := os.Stat(copyPath(s.path))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	mustWrite(t, s, nth(20)) // not in it
	c := openCopy(t, dir)
	if err := readAll(c); err != nil {
		t.Fatal(err)
	}
	if err := present(c, mustLoad(t, c), 19); err != nil || present(c, mustLoad(t, c), 20) == nil || counted(t, c) != 20 {
		t.Errorf("write 19: %v; write 20: %v; usage %d", err, present(c, mustLoad(t, c), 20), counted(t, c))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if copied := mustOpen(t, dir).Copied(); copied.IsZero() || time.Since(copied) > time.Minute {
		t.Errorf("after a restart: copied at %s", copied)
	}
}

// TestCopyNoticesDamage: what gets damaged under a running gateway is noticed, and
// does not get into the copy.
func TestCopyNoticesDamage(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for n := range 20 {
		mustWrite(t, s, nth(n))
	}
	if err := s.copy(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(copyPath(s.path))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := 0; ; at++ { // everywhere in the file, also where it is no more in use
		next := bytes.Index(b[at:], []byte("name of key0000010"))
		if next < 0 {
			break
		}
		at += next
		if _, err := f.WriteAt([]byte("game"), int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	err = s.copy()
	if !errors.As(err, new(*DamagedError)) || !strings.Contains(err.Error(), s.path+" is damaged") || !strings.Contains(err.Error(), "key0000010") {
		t.Errorf("error: %v", err)
	}
	if after, err := os.ReadFile(copyPath(s.path)); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the copy has changed: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
}

// TestKeepCopy: a change is in the copy soon, and at the latest when the store is
// closed.
func TestKeepCopy(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	reports := make(chan error, 100)
	s.KeepCopy(func(err error) { reports <- err })
	mustWrite(t, s, nth(0))
	if err := <-reports; err != nil {
		t.Fatal(err)
	}
	if c := openCopy(t, dir); present(c, mustLoad(t, c), 0) != nil {
		t.Error("the change is not in the first copy")
	}
	mustWrite(t, s, nth(1))
	if err := <-reports; err != nil {
		t.Fatal(err)
	}
	mustWrite(t, s, nth(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c := openCopy(t, dir); present(c, mustLoad(t, c), 2) != nil {
		t.Error("the last change is not in the last copy")
	}
	if n := len(reports); n != 1 {
		t.Errorf("%d copies at the end", n)
	}

	s = mustOpen(t, dir)
	s.KeepCopy(func(err error) { reports <- err })
	if err := errors.Join(os.Remove(copyPath(s.path)), os.MkdirAll(filepath.Join(copyPath(s.path), "in the way"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-reports, s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-reports; err == nil || !strings.Contains(err.Error(), "copy the state file") {
		t.Errorf("copied over a folder: %v", err)
	}
}

// TestOneCopyIsEnough: a change makes one copy, and then there is silence.
func TestOneCopyIsEnough(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	reports := make(chan error, 10)
	s.KeepCopy(func(err error) { reports <- err })
	for n := range 3 {
		mustWrite(t, s, nth(n))
	}
	if err := <-reports; err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-reports:
		t.Errorf("another copy: %v", err)
	case <-time.After(copyDelay + 500*time.Millisecond):
	}
	if s.CopyDue() {
		t.Error("one is due")
	}
}
