package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end, as the kernel knew it when it
// connected (unix(7), SO_PEERCRED and SO_PEERGROUPS). Its process id is left
// out: it may belong to another by now.
type Peer struct {
	UID    uint32
	GID    uint32
	Groups []uint32 // supplementary
}

func (p Peer) in(gid int) bool {
	return gid >= 0 && (int64(p.GID) == int64(gid) || slices.Contains(p.Groups, uint32(gid)))
}

func peerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var p Peer
	var inner error
	err = raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); inner != nil {
			return
		}
		p.UID, p.GID = cred.Uid, cred.Gid
		p.Groups, inner = peerGroups(fd)
	})
	return p, errors.Join(err, inner)
}

// peerGroups asks twice when the first buffer is too small: the kernel then
// says how much it needs.
func peerGroups(fd uintptr) ([]uint32, error) {
	groups := make([]uint32, 64)
	for {
		size := uint32(len(groups) * 4)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(unsafe.SliceData(groups))), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4], nil
		case errno == syscall.ERANGE && int(size/4) > len(groups):
			groups = make([]uint32, size/4)
		default:
			return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", errno)
		}
	}
}

// access says who may do what. A gid of -1 stands for no group.
type access struct {
	self              uint32
	writeGID, readGID int
}

func resolveAccess(o Options) (access, error) {
	write, err := groupID(o.Group)
	if err != nil {
		return access{}, fmt.Errorf("control group: %w", err)
	}
	read, err := groupID(o.ReadGroup)
	if err != nil {
		return access{}, fmt.Errorf("control read_group: %w", err)
	}
	if write >= 0 && read >= 0 && write != read && o.Mode&0o006 != 0o006 {
		return access{}, fmt.Errorf("group %q cannot reach a control socket of mode %04o that belongs to group %q: set control.mode to \"0666\" (every call is still checked)", o.ReadGroup, o.Mode.Perm(), o.Group)
	}
	return access{uint32(os.Geteuid()), write, read}, nil
}

func groupID(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("%w: create it with groupadd, or name another", err)
	}
	return strconv.Atoi(g.Gid)
}

// owner is the group that the socket belongs to.
func (a access) owner() int {
	if a.writeGID >= 0 {
		return a.writeGID
	}
	return a.readGID
}

// privileged peers are root and the gateway's own user.
func (a access) privileged(p Peer) bool { return p.UID == 0 || p.UID == a.self }

func (a access) mayWrite(p Peer) bool { return a.privileged(p) || p.in(a.writeGID) }
func (a access) mayRead(p Peer) bool  { return a.mayWrite(p) || p.in(a.readGID) }
