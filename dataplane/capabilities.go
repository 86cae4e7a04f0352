package dataplane

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// What the kernel gate and steering need to load and attach a program. What is
	// loaded is then changed by file descriptors, which take no capability.
	kernelCapabilities = 1<<unix.CAP_BPF | 1<<unix.CAP_NET_ADMIN

	// What it takes to listen at a port below 1024: of a private listener on an
	// interface that appears, or of a successor with another host file.
	portCapabilities = 1 << unix.CAP_NET_BIND_SERVICE

	// What root needs to open its files again at a reload, whoever owns them.
	fileCapabilities = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER
)

// raisable are those that privileged puts in effect.
const raisable = kernelCapabilities | portCapabilities

// capabilities of a thread, a bit each. Source: capabilities(7).
type capabilities struct{ effective, permitted uint64 }

func threadCapabilities() (c capabilities, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return c, fmt.Errorf("read the capabilities of this process: %w", err)
	}
	c.effective = uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
	c.permitted = uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted)
	return c, nil
}

// words are those for capset(2). Nothing is inherited, so nothing is ambient.
func (c capabilities) words() *[2]unix.CapUserData {
	return &[2]unix.CapUserData{
		{Effective: uint32(c.effective), Permitted: uint32(c.permitted)},
		{Effective: uint32(c.effective >> 32), Permitted: uint32(c.permitted >> 32)},
	}
}

// dropPrivileges takes from all threads what serving does not need, and returns what
// is left. Those to keep stay permitted, but no thread has them in effect outside of
// privileged; root also keeps what it needs to open its files. Programs that the
// process starts get no more. A binary with C code cannot change all its threads,
// and says so by errors.ErrUnsupported.
func dropPrivileges(keep uint64) (capabilities, error) {
	now, err := threadCapabilities()
	if err != nil || now.permitted == 0 {
		return now, err
	}
	var next capabilities
	if os.Geteuid() == 0 {
		next.effective = now.permitted & fileCapabilities
	}
	next.permitted = next.effective | now.permitted&keep
	if now.effective&(1<<unix.CAP_SETPCAP) != 0 {
		if err := narrow(next.permitted); err != nil {
			return now, err
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := allThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(next.words()))); err != nil {
		return now, err
	}
	return next, nil
}

// narrow takes all but some capabilities out of the bounding set, so that no program
// gives them back. It takes CAP_SETPCAP; who has it not was started with a set that
// somebody chose.
func narrow(keep uint64) error {
	for c := range uintptr(64) {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil {
			return nil // the kernel has no more
		}
		if in == 0 || keep&(1<<c) != 0 {
			continue
		}
		if err := allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c); err != nil {
			return err
		}
	}
	return nil
}

func allThreads(call, a, b uintptr) error {
	switch _, _, errno := syscall.AllThreadsSyscall(call, a, b, 0); errno {
	case 0:
		return nil
	case unix.ENOTSUP:
		return fmt.Errorf("this binary has C code (build with CGO_ENABLED=0): %w", errors.ErrUnsupported)
	default:
		return fmt.Errorf("drop capabilities: %w", errno)
	}
}

// privileged runs f with the raisable capabilities in effect on its thread, as far
// as they are permitted. Where they were not dropped it only calls f.
func privileged(f func() error) error {
	now, err := threadCapabilities()
	if err != nil || now.permitted&raisable&^now.effective == 0 {
		return f()
	}
	runtime.LockOSThread() // threads that Go starts meanwhile do not come of this one
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	raised := now
	raised.effective |= now.permitted & raisable
	if err := unix.Capset(&header, &raised.words()[0]); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("raise capabilities: %w", err)
	}
	defer func() {
		if unix.Capset(&header, &now.words()[0]) == nil { // else the thread is used for nothing more
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

var capabilityNames = map[int]string{
	unix.CAP_BPF: "CAP_BPF", unix.CAP_NET_ADMIN: "CAP_NET_ADMIN", unix.CAP_NET_BIND_SERVICE: "CAP_NET_BIND_SERVICE",
	unix.CAP_CHOWN: "CAP_CHOWN", unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE", unix.CAP_FOWNER: "CAP_FOWNER",
}

// names writes a set of capabilities as text: those that may be kept by their names.
func names(set uint64) string {
	var list []string
	for c := range 64 {
		switch name := capabilityNames[c]; {
		case set&(1<<c) == 0:
		case name == "":
			list = append(list, strconv.Itoa(c))
		default:
			list = append(list, name)
		}
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, " ")
}
