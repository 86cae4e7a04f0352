package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// socket is a bound Unix socket that removes its own file, and only that.
type socket struct {
	*net.UnixListener
	path string
	made syscall.Stat_t

	remove sync.Once // later another's file may have the same inode number
}

// bind makes the socket file. gid owns it and its directory; -1 leaves the
// group as it comes.
func bind(path string, mode fs.FileMode, gid int) (*socket, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("control socket %q: give an absolute path", path)
	}
	dir, err := openDir(filepath.Dir(path), mode, gid)
	if err != nil {
		return nil, fmt.Errorf("directory of control socket %s: %w", path, err)
	}
	defer func() { _ = dir.Close() }()
	// One tidegate at a time looks, removes and binds here.
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock directory of control socket %s: %w", path, err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// The socket is nobody else's until it has its group and mode.
	before := syscall.Umask(0o177)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	syscall.Umask(before)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	s := &socket{UnixListener: l, path: path}
	if err := s.hand(mode, gid); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	return s, nil
}

// hand gives the socket to its group and then opens it.
func (s *socket) hand(mode fs.FileMode, gid int) error {
	if err := syscall.Lstat(s.path, &s.made); err != nil {
		return err
	}
	if err := giveTo(s.path, gid); err != nil {
		return err
	}
	return os.Chmod(s.path, mode.Perm())
}

// giveTo makes gid the group of the file at path, unless it is -1.
func giveTo(path string, gid int) error {
	if gid < 0 {
		return nil
	}
	err := os.Lchown(path, -1, gid)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: make the user of tidegate a member of group %d, or name another control group", err, gid)
	}
	return err
}

// Close stops listening and removes the file unless another took its place.
func (s *socket) Close() error {
	s.remove.Do(func() {
		var now syscall.Stat_t
		if err := syscall.Lstat(s.path, &now); err == nil && now.Dev == s.made.Dev && now.Ino == s.made.Ino {
			_ = os.Remove(s.path)
		}
	})
	return s.UnixListener.Close()
}

// openDir opens the socket's directory, and makes it when it is missing:
// mode 0750, or 0755 for a socket that every user may connect to. It refuses
// one in which another user could swap the socket.
func openDir(dir string, mode fs.FileMode, gid int) (*os.File, error) {
	perm := fs.FileMode(0o750)
	if mode&0o006 != 0 {
		perm = 0o755
	}
	switch err := os.Mkdir(dir, perm); {
	case err == nil:
		if err := giveTo(dir, gid); err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, perm); err != nil { // whatever the umask took
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := checkOwner(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func checkOwner(dir *os.File) error {
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner != 0 && int(owner) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d: it must belong to root or to the user of tidegate", owner)
	}
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("other users may write in it (mode %04o): chmod it to 0750", info.Mode().Perm())
	}
	return nil
}

// removeStale removes a socket that a connection attempt finds dead.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("control socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("control socket %s: there is something else at this path: move it away", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("control socket %s answers: another tidegate is running", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("control socket %s is in use or out of reach: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale control socket: %w", err)
	}
	return nil
}
