package steer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// UnsupportedError says what this host or process lacks for [Open]. It is
// errors.ErrUnsupported. Without the program, [ListenControl] is what there is.
type UnsupportedError struct {
	Missing string // such as "CAP_BPF"
	Remedy  string // what to do about it
	Err     error  // what the kernel said, if it was asked
}

func (e *UnsupportedError) Error() string {
	message := fmt.Sprintf("private listeners cannot be steered by the kernel: no %s; %s", e.Missing, e.Remedy)
	if e.Err != nil {
		message += ": " + e.Err.Error()
	}
	return message
}

func (e *UnsupportedError) Unwrap() error { return e.Err }

func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

// checkHost finds what can be told without trying.
func checkHost(folder string) error {
	have, err := capabilities()
	if err != nil {
		return fmt.Errorf("read the capabilities of this process: %w", err)
	}
	bpf := have(unix.CAP_BPF) || have(unix.CAP_SYS_ADMIN)
	for _, c := range []struct {
		name string
		have bool
	}{{"CAP_BPF", bpf}, {"CAP_NET_ADMIN", have(unix.CAP_NET_ADMIN)}} {
		if !c.have {
			return &UnsupportedError{Missing: c.name, Remedy: "grant it to the service (AmbientCapabilities=" + c.name + ")"}
		}
	}
	return checkFileSystem(folder)
}

// checkFileSystem looks at the nearest folder that there is.
func checkFileSystem(folder string) error {
	for {
		var fs unix.Statfs_t
		err := unix.Statfs(folder, &fs)
		if err == nil && fs.Type == unix.BPF_FS_MAGIC {
			err = unix.Access(folder, unix.W_OK)
		}
		if err == nil && fs.Type == unix.BPF_FS_MAGIC {
			return nil
		}
		if errors.Is(err, unix.EACCES) {
			return &UnsupportedError{Missing: "access to " + folder, Remedy: "let the gateway's user write there", Err: err}
		}
		if errors.Is(err, unix.ENOENT) && folder != filepath.Dir(folder) {
			folder = filepath.Dir(folder)
			continue
		}
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return &os.PathError{Op: "statfs", Path: folder, Err: err}
		}
		return &UnsupportedError{Missing: "BPF file system at " + folder, Remedy: "mount -t bpf bpf /sys/fs/bpf, or name a folder where there is one"}
	}
}

// explain makes an UnsupportedError of a program that could not be loaded, for
// all that the kernel does not say plainly.
func explain(err error) error {
	major, minor, ok := release()
	switch {
	case ok && (major < 5 || major == 5 && minor < 17):
		return &UnsupportedError{Missing: "ingress interface in sk_lookup programs (Linux 5.17)", Remedy: "use a newer kernel", Err: err}
	case errors.Is(err, unix.EPERM):
		return &UnsupportedError{Missing: "permission for the bpf system call", Remedy: "look for a seccomp filter, a user namespace or kernel lockdown", Err: err}
	case errors.Is(err, unix.ENOSYS):
		return &UnsupportedError{Missing: "bpf system call", Remedy: "use a kernel with CONFIG_BPF_SYSCALL", Err: err}
	}
	return err
}

func release() (major, minor int, ok bool) {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return 0, 0, false
	}
	n, _ := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	return major, minor, n == 2
}

// capabilities are the effective ones of the calling thread.
func capabilities() (have func(number int) bool, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return nil, err
	}
	return func(number int) bool { return data[number/32].Effective>>(number%32)&1 == 1 }, nil
}
