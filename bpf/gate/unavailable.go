package gate

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Unavailable says what a host lacks for the gate. Its text is one line; all
// the gateway does works without the gate.
type Unavailable struct {
	Missing []string // such as "CAP_BPF", "a BPF file system at /sys/fs/bpf"

	// Interface is set where one interface is all that is in the way: the gate
	// can be opened without it.
	Interface string
}

func (u *Unavailable) Error() string {
	return "the kernel gate is off, for lack of " + strings.Join(u.Missing, ", ")
}

// require returns an Unavailable unless the host has all the gate needs.
func require(dir string, interfaces []string) error {
	u := &Unavailable{}
	u.capabilities()
	u.fileSystem(dir)
	for _, name := range interfaces {
		if _, err := net.InterfaceByName(name); err != nil {
			u.Missing = append(u.Missing, "interface "+name)
		}
	}
	if len(u.Missing) == 0 {
		u.kernel() // asked last: without capabilities it says nothing
	}
	if len(u.Missing) > 0 {
		return u
	}
	return nil
}

func (u *Unavailable) capabilities() {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return // the load will tell
	}
	has := func(capability int) bool { return data[capability/32].Effective>>(capability%32)&1 == 1 }
	all := has(unix.CAP_SYS_ADMIN)
	if !has(unix.CAP_BPF) && !all {
		u.Missing = append(u.Missing, "CAP_BPF")
	}
	if !has(unix.CAP_NET_ADMIN) {
		u.Missing = append(u.Missing, "CAP_NET_ADMIN")
	}
}

// fileSystem looks at the nearest folder above dir that exists.
func (u *Unavailable) fileSystem(dir string) {
	for at := dir; ; at = filepath.Dir(at) {
		var stat unix.Statfs_t
		err := unix.Statfs(at, &stat)
		switch {
		case errors.Is(err, unix.ENOENT) && at != filepath.Dir(at):
			continue
		case err != nil:
			u.Missing = append(u.Missing, fmt.Sprintf("access to %s (%v)", at, err))
		case stat.Type != unix.BPF_FS_MAGIC:
			u.Missing = append(u.Missing, "a BPF file system above "+dir+" (mount -t bpf bpf /sys/fs/bpf)")
		case unix.Access(at, unix.W_OK) != nil:
			u.Missing = append(u.Missing, "write access to "+at)
		}
		return
	}
}

func (u *Unavailable) kernel() {
	err := features.HaveProgramHelper(ebpf.XDP, asm.FnXdpStoreBytes)
	if errors.Is(err, ebpf.ErrNotSupported) {
		u.Missing = append(u.Missing, "Linux 5.18 or later")
	}
}

// refused turns a refusal of the kernel into an Unavailable: capabilities of
// another user namespace look whole and are not.
func refused(what string, err error) error {
	if errors.Is(err, os.ErrPermission) && !errors.As(err, new(*ebpf.VerifierError)) {
		return &Unavailable{Missing: []string{fmt.Sprintf("permission to %s", what)}}
	}
	return fmt.Errorf("%s: %w", what, err)
}
