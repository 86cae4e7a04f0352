package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// crowd is a Crowd at work: one thread with an epoll set, as the generator of
// OpenLoop is.
type crowd struct {
	Crowd
	target  syscall.Sockaddr
	request []byte
	stdout  *json.Encoder

	epoll, stdin int
	timer        *timer
	byFD         []*client
	clients      []*client
	job          job // nil between orders
	orders       []byte
	failed       error // the first thing that went wrong

	in, out []byte
	key     uint32 // of the last frame
	turn    uint64 // of the last message
}

// job is what the clients do at the moment.
type job interface {
	// joined is told of a client that is ready.
	joined(c *crowd, m *client, now time.Time)
	// message is told of a message from the server.
	message(c *crowd, m *client, payload []byte, now time.Time)
	// step does what is due. It returns the answer when the job is done, and
	// otherwise when to be called again at the latest.
	step(c *crowd, now time.Time) (answer *crowdAnswer, again time.Time)
}

// Run is the crowd, in this process: it answers when all are connected, then
// takes orders from stdin until that is closed.
func (c Crowd) Run(stdin *os.File, stdout io.Writer) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection while measuring

	target, err := sockaddr(c.Address)
	if err != nil {
		return err
	}
	w := &crowd{
		Crowd: c, target: target, request: c.request(), stdout: json.NewEncoder(stdout), stdin: int(stdin.Fd()),
		in: make([]byte, 2*maxFrame), job: &gather{left: c.Clients},
	}
	if w.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("load: epoll: %w", err)
	}
	defer syscall.Close(w.epoll)
	if w.timer, err = newTimer(); err != nil {
		return err
	}
	defer syscall.Close(w.timer.fd)
	defer w.close()
	if err := errors.Join(w.watch(w.stdin), w.watch(w.timer.fd)); err != nil {
		return err
	}
	return w.loop()
}

func (c *crowd) watch(fd int) error {
	e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(c.epoll, syscall.EPOLL_CTL_ADD, fd, &e); err != nil {
		return fmt.Errorf("load: epoll: %w", err)
	}
	return nil
}

func (c *crowd) close() {
	for _, m := range c.clients {
		c.leave(m)
	}
}

func (c *crowd) loop() error {
	events := make([]syscall.EpollEvent, 256)
	for {
		if err := c.step(); err != nil {
			return err
		}
		n, err := epollWait(c.epoll, events, 100*time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			switch fd := int(e.Fd); fd {
			case c.timer.fd: // step looks at the clock itself
			case c.stdin:
				over, err := c.listen()
				if over || err != nil {
					return err
				}
			default:
				if m := c.byFD[fd]; m != nil {
					c.readable(m)
				}
			}
		}
	}
}

// step goes on with the job, and answers when it is done.
func (c *crowd) step() error {
	if c.job == nil {
		return nil
	}
	if c.failed != nil {
		return c.answer(&crowdAnswer{Error: c.failed.Error()})
	}
	now := time.Now()
	answer, again := c.job.step(c, now)
	if answer == nil && c.failed == nil {
		return c.timer.set(now, again)
	}
	if c.failed != nil {
		answer = &crowdAnswer{Error: c.failed.Error()}
	}
	return c.answer(answer)
}

func (c *crowd) answer(a *crowdAnswer) error {
	c.job = nil
	return c.stdout.Encode(a)
}

// listen takes an order.
func (c *crowd) listen() (over bool, err error) {
	n, err := rawRead(c.stdin, c.in)
	if err != nil || n == 0 {
		return true, err
	}
	c.orders = append(c.orders, c.in[:n]...)
	line, rest, whole := bytes.Cut(c.orders, []byte("\n"))
	if !whole {
		return false, nil
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return false, fmt.Errorf("load: order: %w", err)
	}
	c.orders = bytes.Clone(rest)
	return false, c.obey(o)
}

func (c *crowd) obey(o order) error {
	switch {
	case o.Echo != nil:
		c.job = o.Echo
	case o.Expect != nil:
		c.job = o.Expect
		return c.stdout.Encode(crowdAnswer{})
	case o.Arrive != nil:
		c.job = o.Arrive
	default:
		open := 0
		for _, m := range c.clients {
			if m.fd >= 0 && m.ready {
				open++
			}
		}
		return c.stdout.Encode(crowdAnswer{Open: open})
	}
	return nil
}

// join begins a new client.
func (c *crowd) join(due time.Time) {
	fd, err := dial(c.target, c.request, len(c.clients))
	if err != nil {
		c.fail(err)
		return
	}
	m := &client{fd: fd, due: due}
	c.clients = append(c.clients, m)
	for fd >= len(c.byFD) {
		c.byFD = append(c.byFD, nil)
	}
	c.byFD[fd] = m
	if err := c.watch(fd); err != nil {
		c.fail(err)
	}
}

func (c *crowd) leave(m *client) {
	if m.fd >= 0 {
		syscall.Close(m.fd)
		c.byFD[m.fd] = nil
		m.fd = -1
	}
}

func (c *crowd) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// readable reads what has come for a client.
func (c *crowd) readable(m *client) {
	had := copy(c.in, m.held)
	n, err := rawRead(m.fd, c.in[had:])
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return
	case err == nil && n == 0:
		err = errClosed
	case err == nil:
		err = c.take(m, c.in[:had+n], time.Now())
	}
	if err != nil {
		c.leave(m)
		c.fail(err)
	}
}

// take uses all bytes of a client that are whole, and keeps the others.
func (c *crowd) take(m *client, data []byte, now time.Time) error {
	for len(data) > 0 {
		var used int
		var err error
		if m.speak {
			used, err = c.takeFrame(m, data, now)
		} else {
			used, err = c.takeAnswer(m, data, now)
		}
		if err == errPartial {
			break
		}
		if err != nil {
			return err
		}
		data = data[used:]
	}
	if m.held = m.held[:0]; len(data) > 0 {
		m.held = append(m.held, data...)
	}
	return nil
}

func (c *crowd) takeAnswer(m *client, data []byte, now time.Time) (int, error) {
	n, err := parseUpgrade(data)
	if err != nil {
		return 0, err
	}
	m.speak = true
	if c.Hello != "" {
		return n, c.send(m, opText, []byte(c.Hello))
	}
	c.ready(m, now)
	return n, nil
}

func (c *crowd) ready(m *client, now time.Time) {
	m.ready = true
	if c.job != nil {
		c.job.joined(c, m, now)
	}
}

func (c *crowd) takeFrame(m *client, data []byte, now time.Time) (int, error) {
	f, err := parseFrame(data)
	if err != nil {
		return 0, err
	}
	switch {
	case f.op == opPing:
		return f.size, c.send(m, opPong, f.payload)
	case f.op == opClose:
		return 0, errClosed
	case f.op != opText && f.op != opBinary:
	case !m.ready:
		m.id = connectionID(f.payload)
		c.ready(m, now)
	case c.job == nil:
		return 0, fmt.Errorf("a message nobody waits for: %.100q", f.payload)
	default:
		c.job.message(c, m, f.payload, now)
	}
	return f.size, nil
}

// connectionID finds the connection id in the answer to a hello, if there is one.
func connectionID(answer []byte) string {
	var known struct{ ConnectionID string }
	if json.Unmarshal(answer, &known) != nil {
		return ""
	}
	return known.ConnectionID
}

// send sends a frame whole: there is never much unread.
func (c *crowd) send(m *client, op byte, payload []byte) error {
	c.key += 0x9E3779B9 // masking hides nothing here, but has to be done
	c.out = appendFrame(c.out[:0], op, payload, c.key)
	if n, err := rawWrite(m.fd, c.out); n != len(c.out) {
		return fmt.Errorf("write: %d of %d bytes: %v", n, len(c.out), err)
	}
	return nil
}
