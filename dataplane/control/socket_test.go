package control

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestSocketModesAreExact(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
			dir := filepath.Join(shortDir(t), "run")
			path := filepath.Join(dir, "control.sock")
			syscall.Umask(umask)
			s, err := bind(path, mode, os.Getegid())
			syscall.Umask(0o022)
			if err != nil {
				t.Fatalf("umask %03o: %v", umask, err)
			}
			wantDir := fs.FileMode(0o750)
			if mode == 0o666 {
				wantDir = 0o755
			}
			for p, want := range map[string]fs.FileMode{dir: fs.ModeDir | wantDir, path: fs.ModeSocket | mode} {
				info, err := os.Lstat(p)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != want {
					t.Errorf("umask %03o: %s has mode %v, want %v", umask, p, info.Mode(), want)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("socket is still there after Close: %v", err)
			}
		}
	}
}

func TestStaleSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	path := filepath.Join(shortDir(t), "control.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if _, err := bind(path, 0o660, -1); err == nil || !strings.Contains(err.Error(), "another tidegate is running") {
		t.Errorf("live socket: %v", err)
	}
	if err := l.Close(); err != nil { // as after a crash: the file stays
		t.Fatal(err)
	}
	s, err := bind(path, 0o660, -1)
	if err != nil {
		t.Fatalf("stale socket: %v", err)
	}
	// A socket that took our place is not ours to remove.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("Close removed what was not its own: %v", err)
	}
}

func TestSocketPathsThatAreRefused(t *testing.T) {
	dir := shortDir(t)
	mustDo := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mustDo(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	mustDo(os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	mustDo(os.Mkdir(filepath.Join(dir, "real"), 0o755))
	mustDo(os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "swapped")))
	mustDo(os.Mkdir(filepath.Join(dir, "open"), 0o755))
	mustDo(os.Chmod(filepath.Join(dir, "open"), 0o777))
	for path, want := range map[string]string{
		"relative.sock":                              "give an absolute path",
		filepath.Join(dir, "file"):                   "something else at this path",
		filepath.Join(dir, "link"):                   "something else at this path",
		filepath.Join(dir, "swapped", "sock"):        "not a directory",
		filepath.Join(dir, "open", "sock"):           "other users may write in it",
		filepath.Join(dir, "no", "no", "sock"):       "no such file or directory",
		filepath.Join(dir, strings.Repeat("x", 120)): "control socket",
	} {
		s, err := bind(path, 0o660, -1)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if text, err := os.ReadFile("/etc/passwd"); err != nil || len(text) == 0 {
		t.Error("the target of a symbolic link was touched")
	}
}

func TestAccessOfSelfAndGroups(t *testing.T) {
	a := access{self: 500, writeGID: 10, readGID: 20}
	for _, tt := range []struct {
		peer        Peer
		write, read bool
	}{
		{Peer{UID: 0, GID: 99}, true, true},
		{Peer{UID: 500, GID: 99}, true, true},
		{Peer{UID: 1, GID: 10}, true, true},
		{Peer{UID: 1, GID: 99, Groups: []uint32{7, 10}}, true, true},
		{Peer{UID: 1, GID: 20}, false, true},
		{Peer{UID: 1, GID: 99, Groups: []uint32{20}}, false, true},
		{Peer{UID: 1, GID: 99}, false, false},
		{Peer{UID: 1, GID: 1<<32 - 1}, false, false},
	} {
		if w, r := a.mayWrite(tt.peer), a.mayRead(tt.peer); w != tt.write || r != tt.read {
			t.Errorf("%+v: write %v read %v", tt.peer, w, r)
		}
	}
	none := access{self: 500, writeGID: -1, readGID: -1}
	if none.mayRead(Peer{UID: 1, GID: 1<<32 - 1}) {
		t.Error("no group lets a stranger in")
	}
}

func TestListenRefusesGroupsItCannotServe(t *testing.T) {
	dir := shortDir(t)
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Group: "no-such-group-here"}, "control group"},
		{Options{ReadGroup: "no-such-group-here"}, "control read_group"},
		{Options{Group: "1", ReadGroup: "2"}, `set control.mode to "0666"`},
	} {
		tt.o.Socket = filepath.Join(dir, "s")
		if err := NewServer(newFakeGateway(), tt.o).Listen(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.o, err)
		}
	}
}

func TestClientSaysWhatToDo(t *testing.T) {
	socket := filepath.Join(shortDir(t), "control.sock")
	_, err := Dial(socket).Status(context.Background())
	var none *NotRunningError
	want := "tidegate is not running (socket " + socket + "): start it with 'tidegate run'"
	if !errors.As(err, &none) || err.Error() != want {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := Dial(socket).Status(context.Background()); !errors.As(err, &none) {
		t.Errorf("stale socket: %v", err)
	}
}
