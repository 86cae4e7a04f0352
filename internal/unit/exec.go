package unit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Confinement is what a unit makes of a process. It can be kept as JSON.
type Confinement struct {
	Filter            []bpf.RawInstruction
	Bounding, Ambient []uintptr // numbers of capabilities
	Umask             int
	ReadOnly          bool // the file system
	HideProcesses     bool // of others
}

// Read works out what the unit at path confines its process to. analyze is the path
// of systemd-analyze, which knows the sets of system calls.
func Read(path, analyze string) (*Confinement, error) {
	k, err := read(path)
	if err != nil {
		return nil, err
	}
	if !k.on("NoNewPrivileges") {
		return nil, fmt.Errorf("%s: without NoNewPrivileges= was not thought of", path)
	}
	c := &Confinement{ReadOnly: len(k["ProtectSystem"]) == 1 && k["ProtectSystem"][0] == "strict", HideProcesses: len(k["ProtectProc"]) > 0}
	for key, set := range map[string]*[]uintptr{"CapabilityBoundingSet": &c.Bounding, "AmbientCapabilities": &c.Ambient} {
		for _, name := range k.words(key) {
			number, ok := map[string]uintptr{"CAP_BPF": unix.CAP_BPF, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN, "CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE}[name]
			if !ok {
				return nil, fmt.Errorf("%s: %s=%s was not thought of", path, key, name)
			}
			*set = append(*set, number)
		}
	}
	if c.Filter, err = compile(k, analyze); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if v := k["UMask"]; len(v) == 1 {
		mask, err := strconv.ParseUint(v[0], 8, 9)
		if err != nil {
			return nil, fmt.Errorf("%s: UMask: %w", path, err)
		}
		c.Umask = int(mask)
	}
	return c, nil
}

// nativeArch names the architecture of filters.
func nativeArch() (uint32, error) {
	arch, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return 0, fmt.Errorf("no filters were made for %s", runtime.GOARCH)
	}
	return arch, nil
}

// Exec becomes another program, run by the user with that number, who may write to
// some folders. It takes root, and returns only on an error.
func (c *Confinement) Exec(user int, writable []string, argv []string) error {
	runtime.LockOSThread() // all below is of this thread, which is what execve(2) keeps
	if err := c.view(writable); err != nil {
		return err
	}
	for _, path := range writable {
		err := filepath.WalkDir(path, func(name string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(name, user, user))
		})
		if err != nil {
			return fmt.Errorf("give %s to its user: %w", path, err)
		}
	}
	unix.Umask(c.Umask)
	if err := c.become(user); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(c.Filter)), Filter: (*unix.SockFilter)(unsafe.Pointer(&c.Filter[0]))}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	return fmt.Errorf("execute %s: %w", argv[0], unix.Exec(argv[0], argv, os.Environ()))
}

// view mounts everything read-only but what may be written, and hides processes.
func (c *Confinement) view(writable []string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to ourselves: %w", err)
	}
	if c.HideProcesses {
		if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "hidepid=invisible"); err != nil {
			return fmt.Errorf("hide processes: %w", err)
		}
	}
	if !c.ReadOnly {
		return nil
	}
	for _, path := range writable {
		if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", path, err)
		}
	}
	if err := unix.MountSetattr(-1, "/", unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make all read-only: %w", err)
	}
	for _, path := range writable {
		if err := unix.MountSetattr(-1, path, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
			return fmt.Errorf("make %s writable: %w", path, err)
		}
	}
	return nil
}

// become takes on a user and the unit's capabilities. The calls of package syscall
// would change all threads, which binaries with C code cannot.
func (c *Confinement) become(user int) error {
	for n := range uintptr(64) {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, n, 0, 0, 0)
		if err != nil {
			break // the kernel has no more
		}
		if in == 1 && bits(c.Bounding)&(1<<n) == 0 {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, n, 0, 0, 0); err != nil {
				return fmt.Errorf("drop capability %d: %w", n, err)
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	id := uintptr(user)
	_, _, e1 := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)
	_, _, e2 := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id)
	_, _, e3 := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id)
	if e1 != 0 || e2 != 0 || e3 != 0 {
		return fmt.Errorf("become user %d: %w, %w, %w", user, e1, e2, e3)
	}
	set := bits(c.Ambient)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{}
	for i := range data {
		word := uint32(set >> (32 * i))
		data[i] = unix.CapUserData{Effective: word, Permitted: word, Inheritable: word}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("set capabilities: %w", err)
	}
	for _, n := range c.Ambient {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n, 0, 0); err != nil {
			return fmt.Errorf("raise ambient capability %d: %w", n, err)
		}
	}
	return nil
}

func bits(list []uintptr) (set uint64) {
	for _, n := range list {
		set |= 1 << n
	}
	return set
}
