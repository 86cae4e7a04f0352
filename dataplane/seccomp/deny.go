package seccomp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// variable tells the programs that this process starts which filter they inherit.
// Without it every upgrade would add the same filter once more.
const variable = "TIDEGATE_SECCOMP"

// Deny has the kernel refuse what a gateway never does, from now on, to all threads
// of this process and to the programs it starts. It also sets no_new_privs, so that
// none of them gains privileges. allowBPF leaves bpf(2) allowed, for the programs of
// the kernel gate. A filter that the process inherited is not added again. Where
// there can be no filter the error is errors.ErrUnsupported, and nothing more is
// denied than was.
func Deny(allowBPF bool) error {
	if auditArch == 0 {
		return fmt.Errorf("no filter of system calls was made for %s: %w", runtime.GOARCH, errors.ErrUnsupported)
	}
	raw, err := bpf.Assemble(program(allowBPF))
	if err != nil {
		return fmt.Errorf("assemble the filter of system calls: %w", err)
	}
	sum := sha256.Sum256(unsafe.Slice((*byte)(unsafe.Pointer(&raw[0])), len(raw)*int(unsafe.Sizeof(raw[0]))))
	digest := hex.EncodeToString(sum[:8])
	if os.Getenv(variable) == digest && filtered() {
		return nil
	}
	if err := install(raw); err != nil {
		return err
	}
	return os.Setenv(variable, digest)
}

// filtered says whether there is a filter already.
func filtered() bool {
	mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return err == nil && mode == unix.SECCOMP_MODE_FILTER
}

// install gives the filter to all threads.
func install(raw []bpf.RawInstruction) error {
	runtime.LockOSThread() // no_new_privs is the thread's, until the filter hands it to all
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	// A bpf.RawInstruction is laid out as a struct sock_filter.
	prog := unix.SockFprog{Len: uint16(len(raw)), Filter: (*unix.SockFilter)(unsafe.Pointer(&raw[0]))}
	// Kernels before 5.16 would also slow down all code that is filtered, for the
	// sake of programs that run code of others.
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL:
		return fmt.Errorf("the kernel has no filters of system calls (CONFIG_SECCOMP_FILTER): %w", errors.ErrUnsupported)
	case errno == unix.EPERM: // no_new_privs is set, so it is no lack of a privilege
		return fmt.Errorf("what started the process denies it seccomp(2): %w", errors.ErrUnsupported)
	case errno != 0:
		return fmt.Errorf("filter system calls: %w", errno)
	case thread != 0:
		return fmt.Errorf("filter system calls: thread %d has a filter of its own", thread)
	}
	return nil
}
