package seccomp

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// call is what a filter sees of a system call.
type call struct {
	arch, number uint32
	argument     uint64 // the first
}

// judge runs the filter on a call. The machine reads as the network does, so each
// word is laid out that way.
func judge(t *testing.T, p []bpf.Instruction, c call) uint32 {
	t.Helper()
	vm, err := bpf.NewVM(p)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offsetNumber:], c.number)
	binary.BigEndian.PutUint32(data[offsetArch:], c.arch)
	binary.BigEndian.PutUint32(data[offsetArgument:], uint32(c.argument))
	binary.BigEndian.PutUint32(data[offsetArgument+4:], uint32(c.argument>>32))
	n, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

func errno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

func TestProgram(t *testing.T) {
	if auditArch == 0 {
		t.Skip("no filter on this architecture")
	}
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	const process = unix.CLONE_VFORK | unix.CLONE_VM | unix.CLONE_PIDFD | uint64(unix.SIGCHLD)
	for name, c := range map[string]struct {
		call
		want uint32
	}{
		"read":                        {call{auditArch, unix.SYS_READ, 0}, unix.SECCOMP_RET_ALLOW},
		"execve":                      {call{auditArch, unix.SYS_EXECVE, 0}, unix.SECCOMP_RET_ALLOW},
		"capset":                      {call{auditArch, unix.SYS_CAPSET, 0}, unix.SECCOMP_RET_ALLOW},
		"seccomp":                     {call{auditArch, unix.SYS_SECCOMP, 0}, unix.SECCOMP_RET_ALLOW},
		"ptrace":                      {call{auditArch, unix.SYS_PTRACE, 0}, errno(unix.EPERM)},
		"another arch":                {call{unix.AUDIT_ARCH_I386, unix.SYS_READ, 0}, errno(unix.EPERM)},
		"clone of a thread":           {call{auditArch, unix.SYS_CLONE, thread}, unix.SECCOMP_RET_ALLOW},
		"clone of a process":          {call{auditArch, unix.SYS_CLONE, process}, unix.SECCOMP_RET_ALLOW},
		"clone into a user namespace": {call{auditArch, unix.SYS_CLONE, process | unix.CLONE_NEWUSER}, errno(unix.EPERM)},
		"clone into a net namespace":  {call{auditArch, unix.SYS_CLONE, process | unix.CLONE_NEWNET}, errno(unix.EPERM)},
		"clone3":                      {call{auditArch, unix.SYS_CLONE3, 0}, errno(unix.ENOSYS)},
		"socket AF_UNIX":              {call{auditArch, unix.SYS_SOCKET, unix.AF_UNIX}, unix.SECCOMP_RET_ALLOW},
		"socket AF_INET":              {call{auditArch, unix.SYS_SOCKET, unix.AF_INET}, unix.SECCOMP_RET_ALLOW},
		"socket AF_INET6":             {call{auditArch, unix.SYS_SOCKET, unix.AF_INET6}, unix.SECCOMP_RET_ALLOW},
		"socket AF_NETLINK":           {call{auditArch, unix.SYS_SOCKET, unix.AF_NETLINK}, unix.SECCOMP_RET_ALLOW},
		"socket AF_PACKET":            {call{auditArch, unix.SYS_SOCKET, unix.AF_PACKET}, errno(unix.EAFNOSUPPORT)},
		"socket AF_ALG":               {call{auditArch, unix.SYS_SOCKET, unix.AF_ALG}, errno(unix.EAFNOSUPPORT)},
		"socket AF_VSOCK":             {call{auditArch, unix.SYS_SOCKET, unix.AF_VSOCK}, errno(unix.EAFNOSUPPORT)},
	} {
		if got := judge(t, program(false), c.call); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
	if firstForeign > 0 {
		if got := judge(t, program(true), call{auditArch, firstForeign | unix.SYS_READ, 0}); got != errno(unix.EPERM) {
			t.Errorf("under a foreign number: %#x", got)
		}
	}
}

// TestProgramDeniesTheList: every call of the list, bpf(2) by the parameter, and
// no other.
func TestProgramDeniesTheList(t *testing.T) {
	if auditArch == 0 {
		t.Skip("no filter on this architecture")
	}
	for _, allowBPF := range []bool{false, true} {
		p, list := program(allowBPF), numbers(allowBPF)
		if slices.Contains(list, unix.SYS_BPF) == allowBPF {
			t.Errorf("bpf(2) allowed %v, in the list all the same", allowBPF)
		}
		for number := range uint32(1024) {
			if slices.Contains([]uint32{unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_SOCKET}, number) {
				continue
			}
			want := uint32(unix.SECCOMP_RET_ALLOW)
			if slices.Contains(list, number) {
				want = errno(unix.EPERM)
			}
			if got := judge(t, p, call{auditArch, number, 0}); got != want {
				t.Errorf("call %d with bpf(2) allowed %v: %#x, want %#x", number, allowBPF, got, want)
			}
		}
	}
}
