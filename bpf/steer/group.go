package steer

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// group is one SO_REUSEPORT group of private listening sockets, by copies of
// their descriptors.
type group struct {
	descriptors []int
	at          netip.AddrPort // hidden
	dual        bool           // IPv6 and IPv4
}

// copyGroup refuses sockets that anything but the program could find.
func copyGroup(conns []syscall.Conn) (*group, error) {
	g := &group{}
	for _, c := range conns {
		raw, err := c.SyscallConn()
		if err != nil {
			g.close()
			return nil, err
		}
		if err := withDescriptor(raw, g.add); err != nil {
			g.close()
			return nil, fmt.Errorf("%w; open private sockets by steer.Listen", err)
		}
	}
	return g, nil
}

// add checks a socket and keeps a copy of it.
func (g *group) add(fd int) error {
	for _, want := range []struct {
		name          string
		option, value int
		otherwise     string
	}{
		{"SO_PROTOCOL", unix.SO_PROTOCOL, unix.IPPROTO_TCP, "the socket is not plain TCP"},
		{"SO_ACCEPTCONN", unix.SO_ACCEPTCONN, 1, "the socket does not listen"},
		{"SO_REUSEPORT", unix.SO_REUSEPORT, 1, "the socket is not of a SO_REUSEPORT group"},
	} {
		got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, want.option)
		if err != nil {
			return fmt.Errorf("read %s: %w", want.name, err)
		}
		if got != want.value {
			return errors.New(want.otherwise)
		}
	}
	at, dual, err := address(fd)
	if err != nil {
		return err
	}
	if ip := at.Addr(); ip != hidden4 && ip != hidden6 {
		return fmt.Errorf("the socket listens at %s, where anybody may find it", at)
	}
	if len(g.descriptors) > 0 && (at != g.at || dual != g.dual) {
		return errors.New("the sockets are not of the same SO_REUSEPORT group")
	}
	g.at, g.dual = at, dual
	fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("copy the descriptor: %w", err)
	}
	g.descriptors = append(g.descriptors, fd)
	return nil
}

// address returns where a socket is bound, and whether it takes both families.
func address(fd int) (at netip.AddrPort, dual bool, err error) {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return at, false, fmt.Errorf("read the socket's address: %w", err)
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port)), false, nil
	case *unix.SockaddrInet6:
		only6, err := unix.GetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_V6ONLY)
		if err != nil {
			return at, false, fmt.Errorf("read IPV6_V6ONLY: %w", err)
		}
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), uint16(name.Port)), only6 == 0, nil
	}
	return at, false, errors.New("the socket is not of the IP family")
}

// serves says whether the sockets can take connections to ip.
func (g *group) serves(ip netip.Addr) bool {
	switch {
	case g.dual:
		return true
	case ip == netip.IPv6Unspecified():
		return false
	}
	return ip.Unmap().Is4() == g.at.Addr().Is4()
}

// allow lets in what arrives by these interfaces, and nothing else.
func (g *group) allow(indexes []int) error {
	var errs []error
	for _, fd := range g.descriptors {
		errs = append(errs, attach(fd, only(indexes)))
	}
	return errors.Join(errs...)
}

func (g *group) close() {
	for _, fd := range g.descriptors {
		_ = unix.Close(fd)
	}
	g.descriptors = nil
}
