package loop

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// ErrWouldBlock is returned by reads and writes that would have to wait.
var ErrWouldBlock error = wouldBlock{}

// wouldBlock is a temporary net.Error, so that crypto/tls lets a read be tried
// again.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "operation would block" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// ErrReserved is returned by Open for a descriptor that is left to others.
var ErrReserved = errors.New("no file descriptor is left for sockets; raise RLIMIT_NOFILE")

// ErrClosed is returned by a socket that has been closed.
var ErrClosed = errors.New("socket is closed")

// Events are the callbacks of a socket. They run on the loop's goroutine, and
// may close the socket.
type Events interface {
	OnReadable()
	OnWritable()
	OnHangup() // the peer closed its end, or the connection failed; there may be bytes to read
	OnDeadline(now int64)
}

// Socket is a non-blocking descriptor registered with a loop. It is embedded in
// what uses it. Its methods must be called on the loop's goroutine.
type Socket struct {
	loop   *Loop
	op     *netpoll.FDOperator
	events Events
	fd     int32
	slot   int32
	state  socketState
}

type socketState uint8

const (
	stateOpen     socketState = 1 << iota
	stateAttached             // in the poller's set
	stateWriting              // waiting to be writable
	statePaused
	stateHangup  // the peer closed; the poller let go of the descriptor
	stateStalled // in the loop's list of sockets to write to at the next tick
)

// Open registers fd, which the socket owns from now on, also when it fails. If
// connecting, the first event is OnWritable or OnHangup.
func (s *Socket) Open(l *Loop, fd int, events Events, connecting bool) error {
	if l.IsReserved(fd) {
		unix.Close(fd)
		return ErrReserved
	}
	*s = Socket{loop: l, events: events, fd: int32(fd), state: stateOpen}
	s.op = l.poll.Alloc()
	s.op.FD = fd
	s.op.OnRead, s.op.OnWrite, s.op.OnHup = s.onRead, s.onWrite, hangup(l, s, s.op)
	s.slot = l.deadlines.add(s)
	interest := netpoll.PollReadable
	if connecting {
		interest = netpoll.PollWritable
	}
	if err := s.control(interest); err != nil {
		s.Close()
		return fmt.Errorf("watch descriptor: %w", err)
	}
	s.state |= stateAttached
	return nil
}

// Loop returns the loop the socket belongs to.
func (s *Socket) Loop() *Loop { return s.loop }

// FD returns the descriptor, or -1 after Close or Release.
func (s *Socket) FD() int {
	if s.state&stateOpen == 0 {
		return -1
	}
	return int(s.fd)
}

// IsOpen reports whether the socket can be used.
func (s *Socket) IsOpen() bool { return s.state&stateOpen != 0 }

// HungUp reports whether the peer has closed its end.
func (s *Socket) HungUp() bool { return s.state&stateHangup != 0 }

// SetDeadline has OnDeadline called once, within 25 milliseconds after at, in
// nanoseconds of Loop.Now; 0 takes the deadline back.
func (s *Socket) SetDeadline(at int64) {
	l := s.loop
	l.deadlines.at[s.slot] = at
	if !l.fast && at != 0 && at < l.ticked+int64(nearHorizon) {
		l.setFast(true)
	}
}

// Deadline returns the deadline set, or 0.
func (s *Socket) Deadline() int64 { return s.loop.deadlines.at[s.slot] }

// Read reads what has arrived. It returns 0 and nil at the end of the stream.
func (s *Socket) Read(p []byte) (int, error) {
	if s.state&stateOpen == 0 {
		return 0, ErrClosed
	}
	// Raw, here and below: the descriptor does not block, so the scheduler need
	// not know.
	n, _, e := syscall.RawSyscall(syscall.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return result(n, e)
}

// result is the outcome of a call that does not block.
func result(n uintptr, e syscall.Errno) (int, error) {
	switch e {
	case 0:
		return int(n), nil
	case syscall.EAGAIN, syscall.EINTR: // there will be another event
		return 0, ErrWouldBlock
	}
	return 0, e
}

// HasInput reports whether bytes or the end of the stream are waiting.
func (s *Socket) HasInput() bool {
	var b [1]byte
	_, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return e != syscall.EAGAIN
}

// Write writes what the socket takes at once.
func (s *Socket) Write(p []byte) (int, error) {
	if s.state&stateOpen == 0 {
		return 0, ErrClosed
	}
	return send(int(s.fd), p)
}

func send(fd int, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return result(n, e)
}

// Write2 writes a and then b in one go, as far as the socket takes them.
func (s *Socket) Write2(a, b []byte) (int, error) {
	if len(b) == 0 {
		return s.Write(a)
	}
	if len(a) == 0 {
		return s.Write(b)
	}
	if s.state&stateOpen == 0 {
		return 0, ErrClosed
	}
	var iov [2]syscall.Iovec
	iov[0].Base, iov[1].Base = &a[0], &b[0]
	iov[0].SetLen(len(a))
	iov[1].SetLen(len(b))
	var msg syscall.Msghdr
	msg.Iov, msg.Iovlen = &iov[0], 2
	n, _, e := syscall.RawSyscall(syscall.SYS_SENDMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&msg)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return result(n, e)
}

// WantWrite switches OnWritable on or off. It needs the socket not to be paused.
func (s *Socket) WantWrite(on bool) {
	if s.state&stateOpen == 0 || on == (s.state&stateWriting != 0) {
		return
	}
	if on {
		s.state |= stateWriting
	} else {
		s.state &^= stateWriting
	}
	s.update()
}

// Pause stops OnReadable; bytes stay in the kernel, which slows the peer down.
func (s *Socket) Pause() {
	if s.state&stateOpen != 0 && s.state&statePaused == 0 {
		s.state |= statePaused
		s.update()
	}
}

// Resume undoes Pause.
func (s *Socket) Resume() {
	if s.state&stateOpen != 0 && s.state&statePaused != 0 {
		s.state &^= statePaused
		s.update()
	}
}

// Paused reports whether reading is paused.
func (s *Socket) Paused() bool { return s.state&statePaused != 0 }

// update makes the poller's interest what the state says. netpoll has no
// interest in writing alone but its edge-triggered one, which fits: it is used
// after a write that would have blocked.
func (s *Socket) update() {
	reading := s.state&(statePaused|stateHangup) == 0
	writing := s.state&stateWriting != 0
	if reading && s.state&stateAttached != 0 {
		if writing {
			_ = s.control(netpoll.PollR2RW)
		} else {
			_ = s.control(netpoll.PollRW2R)
		}
		return
	}
	if s.state&stateAttached != 0 {
		_ = s.control(netpoll.PollDetach)
		s.state &^= stateAttached
	}
	if s.state&stateHangup != 0 {
		if writing {
			s.loop.stall(s)
		}
		return
	}
	if s.loop.running == s { // netpoll does not take an operator back inside its own callback
		op := s.op
		s.loop.Post(func() {
			if s.op == op && s.state&stateAttached == 0 {
				s.update()
			}
		})
		return
	}
	switch {
	case reading:
		if s.control(netpoll.PollReadable) == nil && writing {
			_ = s.control(netpoll.PollR2RW)
		}
	case writing:
		_ = s.control(netpoll.PollWritable)
	default:
		return
	}
	s.state |= stateAttached
}

// Connected ends the connecting state that Open began: OnReadable is on.
func (s *Socket) Connected() error {
	if n, err := unix.GetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil {
		return err
	} else if n != 0 {
		return syscall.Errno(n)
	}
	return s.control(netpoll.PollRW2R)
}

func (s *Socket) control(e netpoll.PollEvent) error { return s.loop.poll.Control(s.op, e) }

// Close closes the descriptor. No callback follows.
func (s *Socket) Close() {
	if fd := s.release(); fd >= 0 {
		unix.Close(fd)
	}
}

// Release takes the descriptor out of the loop and returns it, open.
func (s *Socket) Release() int { return s.release() }

func (s *Socket) release() int {
	if s.state&stateOpen == 0 {
		return -1
	}
	if s.state&stateAttached != 0 {
		_ = s.control(netpoll.PollDetach)
	}
	s.op.FD = -1
	s.state = 0
	s.loop.deadlines.remove(s.slot)
	s.loop.dead = append(s.loop.dead, s.op)
	if len(s.loop.dead) == 64 {
		s.loop.Post(func() {}) // waking buries them
	}
	s.op = nil
	return int(s.fd)
}

func (s *Socket) onRead(netpoll.Poll) error {
	if s.state&(stateOpen|statePaused) == stateOpen {
		s.loop.running = s
		s.events.OnReadable()
		s.loop.running = nil
	}
	return nil
}

func (s *Socket) onWrite(netpoll.Poll) error {
	if s.state&stateOpen != 0 {
		s.loop.running = s
		s.events.OnWritable()
		s.loop.running = nil
	}
	return nil
}

// hangup returns the callback that netpoll calls, on a goroutine of its own,
// after it let go of the descriptor because the peer closed.
func hangup(l *Loop, s *Socket, op *netpoll.FDOperator) func(netpoll.Poll) error {
	return func(netpoll.Poll) error {
		l.Post(func() {
			if s.op != op || s.state&stateHangup != 0 {
				return
			}
			if s.state&stateAttached != 0 { // attached again meanwhile, perhaps
				_ = s.control(netpoll.PollDetach)
			}
			s.state = s.state&^stateAttached | stateHangup
			if s.state&stateWriting != 0 {
				l.stall(s)
			}
			s.events.OnHangup()
		})
		return nil
	}
}

func (s *Socket) shutdownWrite() {
	if s.state&stateOpen != 0 {
		_ = unix.Shutdown(int(s.fd), unix.SHUT_WR)
	}
}

// SetEvents has someone else told of what happens from now on.
func (s *Socket) SetEvents(e Events) { s.events = e }
