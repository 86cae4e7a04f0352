package front

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Listener is an open address. It accepts on one event loop and deals the
// connections out to all.
type Listener struct {
	Name     string
	TLS      *tls.Config // nil for cleartext
	Endpoint string      // id of the VPC endpoint that a private listener stands for; empty for a public one

	socket  loop.Socket
	refuses func(netip.Addr) bool
	fronts  []*Front
	turn    int
	addr    net.Addr
	port    string
	open    atomic.Int64
}

// Refuser is a net.Listener that turns some sources away at once, without a word.
// It is asked on the event loops and must not block.
type Refuser interface {
	Refuses(source netip.Addr) bool
}

// Listen starts accepting from ln for fronts. It takes a copy of ln's
// descriptor and closes ln, which may be a Refuser. endpoint is for a private
// listener. Any goroutine but a loop's may call it.
func Listen(name, endpoint string, ln net.Listener, config *tls.Config, fronts []*Front) (*Listener, error) {
	l, err := Open(name, endpoint, ln, config, fronts)
	if err == nil {
		l.Accept()
	}
	return l, err
}

// Open is Listen that accepts nothing until Accept. Whoever connects waits, and is
// another process's if that has the socket too.
func Open(name, endpoint string, ln net.Listener, config *tls.Config, fronts []*Front) (*Listener, error) {
	fd, err := detach(ln)
	if err != nil {
		return nil, fmt.Errorf("listener %q: %w", name, err)
	}
	l := &Listener{Name: name, Endpoint: endpoint, TLS: config, fronts: fronts, addr: ln.Addr()}
	_, l.port, _ = net.SplitHostPort(l.addr.String())
	if r, ok := ln.(Refuser); ok {
		l.refuses = r.Refuses
	}
	fronts[0].Loop.Do(func() {
		if err = l.socket.Open(fronts[0].Loop, fd, l, false); err == nil {
			l.socket.Pause()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listener %q: %w", name, err)
	}
	return l, nil
}

// detach takes a non-blocking copy of the listener's descriptor.
func detach(ln net.Listener) (int, error) {
	var fd int
	var dupErr error
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return -1, fmt.Errorf("%T has no descriptor", ln)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	if err := raw.Control(func(u uintptr) {
		fd, dupErr = unix.FcntlInt(u, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return -1, err
	}
	if dupErr != nil {
		return -1, dupErr
	}
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	if err := errors.Join(ln.Close(), unix.SetNonblock(fd, true)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, kernelUnsent) // not on Unix sockets
	return fd, nil
}

// kernelUnsent is how many bytes of an answer the kernel takes before they can be
// sent. Connections have it from their listener. Without it whoever asks for much
// and reads nothing has megabytes held for him, and the send timeout sees nothing. It
// is one and a half reads of a backend, so that half of one waits here.
const kernelUnsent = 96 << 10

// Addr returns the address listened on.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept starts accepting. Any goroutine but a loop's may call it.
func (l *Listener) Accept() { l.fronts[0].Loop.Do(l.socket.Resume) }

// Open returns the connections open now that the listener accepted.
func (l *Listener) Open() int64 { return l.open.Load() }

// File returns a copy of the socket, for another process to accept from. Any
// goroutine but a loop's may call it.
func (l *Listener) File() (file *os.File, err error) {
	l.fronts[0].Loop.Do(func() {
		var fd int
		if fd, err = unix.FcntlInt(uintptr(l.socket.FD()), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			file = os.NewFile(uintptr(fd), l.Name)
		}
	})
	return file, err
}

// Close stops accepting. Connections stay. Any goroutine but a loop's may call it.
func (l *Listener) Close() { l.fronts[0].Loop.Do(l.socket.Close) }

// OnReadable implements loop.Events: it accepts.
func (l *Listener) OnReadable() {
	home := l.fronts[0]
	if home.config.Overload.Load().Refuses() {
		l.rest()
		return
	}
	for range acceptBatch {
		fd, sa, err := unix.Accept4(l.socket.FD(), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case err == unix.EAGAIN:
			return
		case err == unix.EINTR || err == unix.ECONNABORTED:
			continue
		case err != nil: // out of descriptors or memory: try again soon
			l.rest()
			return
		case home.Loop.IsReserved(fd):
			home.refused[refusedDescriptors].Add(1) // before the client can notice
			unix.Close(fd)
			l.rest()
			return
		}
		remote := addrPort(sa)
		s, ok := home.enter(remote.Addr())
		if !ok {
			home.refused[refusedSource].Add(1)
			reset(fd)
			continue
		}
		l.turn++
		f := l.fronts[l.turn%len(l.fronts)]
		if f.Loop == home.Loop {
			f.accept(l, fd, remote, s)
		} else if !f.Loop.Post(func() { f.accept(l, fd, remote, s) }) {
			unix.Close(fd)
			s.leave()
		}
	}
}

// rest leaves connections in the kernel's queue for a moment.
func (l *Listener) rest() {
	l.socket.Pause()
	l.socket.SetDeadline(l.fronts[0].Loop.Now() + int64(acceptPause))
}

// addrPort is the address of a client; it is invalid for Unix sockets.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// OnWritable implements loop.Events.
func (l *Listener) OnWritable() {}

// OnHangup implements loop.Events.
func (l *Listener) OnHangup() {}

// OnDeadline implements loop.Events.
func (l *Listener) OnDeadline(int64) { l.socket.Resume() }

// accept takes a new connection on the front's loop.
func (f *Front) accept(l *Listener, fd int, remote netip.AddrPort, s *source) {
	f.accepted.Add(1)
	if f.closed || f.config.Connections > 0 && f.open.Load() >= int64(f.config.Connections) {
		if !f.draining {
			f.refused[refusedFull].Add(1)
		}
		unix.Close(fd)
		s.leave()
		return
	}
	c := &Conn{front: f, listener: l, remote: remote, source: s}
	if c.remote.IsValid() {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if l.refuses != nil && l.refuses(c.remote.Addr()) {
		reset(fd)
		s.leave()
		return
	}
	if f.config.Denied != nil && c.remote.IsValid() && f.config.Denied(c.remote.Addr()) {
		if c.denied = true; l.TLS != nil { // a handshake would cost more than it is worth
			reset(fd)
			s.leave()
			return
		}
	}
	if c.Open(f.Loop, fd, c, false) != nil {
		s.leave()
		return
	}
	f.link(c)
	wait := f.config.FirstByte
	if l.TLS != nil {
		wait = f.config.TLSHandshake
		c.StartTLS(func(under net.Conn) *tls.Conn { return tls.Server(under, l.TLS) }, c.onHandshake)
	}
	c.deadline(f.shorter(wait))
}

// reset closes a connection with a TCP reset.
func reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(fd)
}

func (c *Conn) deadline(after time.Duration) {
	c.SetDeadline(c.front.Loop.Now() + int64(after))
}
