package load

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

// The generator's loop uses raw system calls: around others, Go's monitor wakes
// up every 20 µs to look whether they block, which costs a third of a core.
// Blocking one thread so is no harm, as nothing else runs in the process.

func epollWait(epoll int, events []syscall.EpollEvent, timeout time.Duration) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(timeout.Milliseconds()), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EINTR:
		return 0, nil
	default:
		return 0, fmt.Errorf("load: epoll: %w", errno)
	}
}

func rawRead(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func rawWrite(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// rawConnect begins a connection and does not wait for it.
func rawConnect(to *syscall.RawSockaddrInet4) (int, error) {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return 0, fmt.Errorf("socket: %w", errno)
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_CONNECT, fd, uintptr(unsafe.Pointer(to)), unsafe.Sizeof(*to))
	if errno != 0 && errno != syscall.EINPROGRESS {
		rawClose(int(fd))
		return 0, fmt.Errorf("connect: %w", errno)
	}
	return int(fd), nil
}

func rawWatch(epoll, fd int, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epoll), syscall.EPOLL_CTL_ADD, uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("load: epoll: %w", errno)
	}
	return nil
}

func rawClose(fd int) { syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }

// timer is a timerfd(2), for which package syscall has numbers but no functions.
type timer struct {
	fd    int
	armed time.Time
}

func newTimer() (*timer, error) {
	const clockMonotonic = 1
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, fmt.Errorf("load: timerfd: %w", errno)
	}
	return &timer{fd: int(fd)}, nil
}

// set makes the timer readable at that time, and until then not.
func (t *timer) set(now, at time.Time) error {
	if at.Equal(t.armed) {
		return nil
	}
	t.armed = at
	spec := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(max(at.Sub(now).Nanoseconds(), 1))}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(t.fd), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("load: timerfd: %w", errno)
	}
	return nil
}

func sockaddr(address string) (syscall.Sockaddr, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !ap.Addr().Is4() {
		return nil, fmt.Errorf("load: %q is not an IPv4 address and port", address)
	}
	return &syscall.SockaddrInet4{Addr: ap.Addr().As4(), Port: int(ap.Port())}, nil
}
