package unit

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/need"
)

const service = "../../configs/systemd/tidegate.service"

// TestReadNewKey: a key that the package does not know is not passed over.
func TestReadNewKey(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.service")
	if err := os.WriteFile(name, []byte("[Unit]\nOther=1\n[Service]\nNoNewPrivileges=yes\n#Was=1\nProtectSoul=yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(name, "systemd-analyze"); err == nil || !strings.Contains(err.Error(), "ProtectSoul= is new") {
		t.Error(err)
	}
}

// TestService reads the daemon's unit, and asks its filter.
func TestService(t *testing.T) {
	c, err := Read(service, need.Tool(t, "systemd-analyze"))
	if err != nil {
		t.Fatal(err)
	}
	if !c.ReadOnly || !c.HideProcesses || c.Umask != 0o077 || bits(c.Bounding) != 1<<unix.CAP_BPF|1<<unix.CAP_NET_ADMIN || bits(c.Ambient) != bits(c.Bounding) {
		t.Errorf("%v %v %o %v %v", c.ReadOnly, c.HideProcesses, c.Umask, c.Bounding, c.Ambient)
	}
	program, ok := bpf.Disassemble(c.Filter)
	if !ok {
		t.Fatal("the filter is none")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	arch, err := nativeArch()
	if err != nil {
		t.Fatal(err)
	}
	const allowed = unix.Errno(0)
	for _, c := range []struct {
		name      string
		number    uint32
		arguments []uint32
		want      unix.Errno
	}{
		{"read", unix.SYS_READ, nil, allowed},
		{"bpf", unix.SYS_BPF, nil, allowed},
		{"capset", unix.SYS_CAPSET, nil, allowed},
		{"seccomp", unix.SYS_SECCOMP, nil, allowed},
		{"fchownat", unix.SYS_FCHOWNAT, nil, allowed},
		{"ptrace", unix.SYS_PTRACE, nil, unix.EPERM},
		{"mount", unix.SYS_MOUNT, nil, unix.EPERM},
		{"setuid", unix.SYS_SETUID, nil, unix.EPERM},
		{"io_uring_setup", unix.SYS_IO_URING_SETUP, nil, allowed}, // the daemon's own filter denies it
		{"personality", unix.SYS_PERSONALITY, nil, unix.EPERM},
		{"socket", unix.SYS_SOCKET, []uint32{unix.AF_INET6}, allowed},
		{"socket of packets", unix.SYS_SOCKET, []uint32{unix.AF_PACKET}, unix.EAFNOSUPPORT},
		{"clone", unix.SYS_CLONE, []uint32{unix.CLONE_VM}, allowed},
		{"clone of a namespace", unix.SYS_CLONE, []uint32{unix.CLONE_NEWUSER}, unix.EPERM},
		{"clone3", unix.SYS_CLONE3, nil, unix.ENOSYS},
		{"mmap", unix.SYS_MMAP, []uint32{0, 0, unix.PROT_READ | unix.PROT_EXEC}, allowed},
		{"mmap to write and execute", unix.SYS_MMAP, []uint32{0, 0, unix.PROT_WRITE | unix.PROT_EXEC}, unix.EPERM},
		{"mprotect", unix.SYS_MPROTECT, []uint32{0, 0, unix.PROT_READ}, allowed},
		{"mprotect to execute", unix.SYS_MPROTECT, []uint32{0, 0, unix.PROT_EXEC}, unix.EPERM},
		{"fchmodat", unix.SYS_FCHMODAT, []uint32{0, 0, 0o660}, allowed},
		{"fchmodat set-user-ID", unix.SYS_FCHMODAT, []uint32{0, 0, 0o4755}, unix.EPERM},
	} {
		data := make([]byte, 64) // as a machine reads it that reads as the network does
		binary.BigEndian.PutUint32(data[offsetNumber:], c.number)
		binary.BigEndian.PutUint32(data[offsetArch:], arch)
		for i, a := range c.arguments {
			binary.BigEndian.PutUint32(data[offsetArguments+8*i:], a)
		}
		want := uint32(unix.SECCOMP_RET_ALLOW)
		if c.want != allowed {
			want = unix.SECCOMP_RET_ERRNO | uint32(c.want)
		}
		if got, err := vm.Run(data); err != nil || uint32(got) != want {
			t.Errorf("%s: %#x, %v, want %#x", c.name, got, err, want)
		}
	}
}
