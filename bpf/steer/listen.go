package steer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where private sockets listen: addresses that by IANA's registry never are a
// destination (RFC 7600 for IPv4, RFC 9780 for IPv6), so that no packet is
// delivered to them; only the program finds the sockets.
var (
	hidden4 = netip.AddrFrom4([4]byte{192, 0, 0, 8})
	hidden6 = netip.AddrFrom16([16]byte{0: 0x01, 7: 0x01, 15: 0x01}) // 100:0:0:1::1
)

// backlog is more than the kernel grants; net.core.somaxconn is the bound.
const backlog = 1<<16 - 1

// Listen opens n listening sockets, one for each event loop, for a private
// listener that clients will reach at addr. The kernel spreads connections over
// them (SO_REUSEPORT). Nothing reaches them before Set has them.
//
// Their own address is a hidden one that nobody can connect to: show addr
// instead. Connections they accept do have, as their local address, what the
// client connected to.
//
// The sockets are in the network namespace of the calling thread.
func Listen(addr netip.AddrPort, n int) ([]*net.TCPListener, error) {
	var listeners []*net.TCPListener
	port := 0 // the kernel's choice for the first, which the others join
	for range n {
		l, err := listenHidden(addr.Addr().Unmap(), port)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, fmt.Errorf("open a private socket for %s: %w", addr, err)
		}
		listeners = append(listeners, l)
		port = l.Addr().(*net.TCPAddr).Port
	}
	return listeners, nil
}

// listenHidden is not net.Listen, which opens Multipath TCP sockets, for which
// socket maps have no place, and no IPv6 sockets at mapped addresses: bound to
// any other address they do not take IPv4.
func listenHidden(ip netip.Addr, port int) (*net.TCPListener, error) {
	family := unix.AF_INET
	var at unix.Sockaddr = &unix.SockaddrInet4{Port: port, Addr: hidden4.As4()}
	if ip.Is6() {
		family = unix.AF_INET6
		at = &unix.SockaddrInet6{Port: port, Addr: hidden6.As16()}
		if ip.IsUnspecified() { // both families
			at = &unix.SockaddrInet6{Port: port, Addr: hidden4.As16()}
		}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "private listener")
	defer file.Close()
	if err := setUp(fd, at); err != nil {
		return nil, err
	}
	l, err := net.FileListener(file) // a copy
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

func setUp(fd int, at unix.Sockaddr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_FREEBIND, 1); err != nil { // IPv6 too
		return os.NewSyscallError("set IP_FREEBIND", err)
	}
	if _, ok := at.(*unix.SockaddrInet6); ok {
		if err := unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
			return os.NewSyscallError("clear IPV6_V6ONLY", err)
		}
	}
	if err := setReusePort(fd); err != nil {
		return err
	}
	if err := attach(fd, only(nil)); err != nil {
		return err
	}
	if err := unix.Bind(fd, at); err != nil {
		return os.NewSyscallError("bind", err)
	}
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

// ListenControl is for hosts where [Open] is not possible: a
// net.ListenConfig.Control for a private listener on one interface, without any
// privilege. The socket is bound to the interface (SO_BINDTODEVICE) and takes
// nothing from another. Some kernels let only CAP_NET_ADMIN set the filter that
// is the second line; without it local processes that connect to an address of
// the interface pass for neighbours, so turn away what [Local] tells. Open one
// socket, or SO_REUSEPORT group, for each interface. With an empty name it is for public listeners of the same port:
// sockets whose addresses overlap must all have SO_REUSEPORT.
//
// What it lacks: the interface has to be there (unix.ENODEV), and a socket
// stays with that one whatever names change, so reopen it when the interface
// was made again. Other interfaces reach whatever else listens at the address.
// A public listener may have the port at a wildcard, but not the very address of
// the private one: of two SO_REUSEPORT groups at one address the kernel takes
// the one that it comes upon first, bound to the interface or not.
func ListenControl(interfaceName string) func(network, address string, c syscall.RawConn) error {
	return control(func(fd int) error {
		if err := setReusePort(fd); err != nil || interfaceName == "" {
			return err
		}
		if err := unix.BindToDevice(fd, interfaceName); err != nil {
			return fmt.Errorf("bind to interface %s: %w", interfaceName, err)
		}
		// Not by name, which may have moved on since.
		index, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
		if err != nil {
			return fmt.Errorf("read the index of interface %s: %w", interfaceName, err)
		}
		if err := attach(fd, only([]int{index})); !errors.Is(err, unix.EPERM) {
			return err
		}
		return nil
	})
}

// Local says whether an address is one of this host, in the namespace of the
// calling thread: whether a packet to it would stay here. It takes a few
// microseconds. What cannot be told is local.
func Local(addr netip.Addr) bool {
	if addr = addr.Unmap(); addr.IsLoopback() {
		return true
	}
	family, to := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: 9, Addr: addr.As16()})
	if addr.Is4() {
		family, to = unix.AF_INET, &unix.SockaddrInet4{Port: 9, Addr: addr.As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, to); err != nil {
		return !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EHOSTUNREACH)
	}
	from, _, err := address(fd)
	return err != nil || from.Addr() == addr // to itself, a host speaks by that very address
}

func setReusePort(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("set SO_REUSEPORT: %w", err)
	}
	return nil
}

// control makes a net.ListenConfig.Control of a function of a descriptor.
func control(f func(fd int) error) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error { return withDescriptor(c, f) }
}

func withDescriptor(c syscall.RawConn, f func(fd int) error) (err error) {
	if closed := c.Control(func(fd uintptr) { err = f(int(fd)) }); closed != nil {
		return closed
	}
	return err
}
