package dataplane

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel gate and steering need to load and attach a program. What is
// loaded is then changed by file descriptors, which take no capability.
const kernelCapabilities = 1<<unix.CAP_BPF | 1<<unix.CAP_NET_ADMIN

// What root needs to open its files again at a reload, whoever owns them.
const fileCapabilities = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER

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

// dropPrivileges takes from all threads what serving does not need. Those of the
// kernel stay permitted, since a reload or an interface that appears takes a new
// program, but no thread has them in effect outside of privileged; without kernel
// they go too. A binary with C code cannot change all its threads, and says so
// by errors.ErrUnsupported.
func dropPrivileges(kernel bool) error {
	now, err := threadCapabilities()
	if err != nil || now.permitted == 0 {
		return err
	}
	var next capabilities
	if os.Geteuid() == 0 {
		next.effective = now.permitted & fileCapabilities
	}
	next.permitted = next.effective
	if kernel {
		next.permitted |= now.permitted & kernelCapabilities
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(next.words())), 0)
	switch {
	case errno == unix.ENOTSUP:
		return fmt.Errorf("this binary has C code (build with CGO_ENABLED=0): %w", errors.ErrUnsupported)
	case errno != 0:
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return nil
}

// privileged runs f with the kernel's capabilities in effect on its thread, as far
// as they are permitted. Where they were not dropped it only calls f.
func privileged(f func() error) error {
	now, err := threadCapabilities()
	if err != nil || now.permitted&kernelCapabilities&^now.effective == 0 {
		return f()
	}
	runtime.LockOSThread() // threads that Go starts meanwhile do not come of this one
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	raised := now
	raised.effective |= now.permitted & kernelCapabilities
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
