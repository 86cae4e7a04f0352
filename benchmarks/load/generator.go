package load

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// grace is how long answers are awaited after the last request was sent.
const grace = 2 * time.Second

// tick is how often requests may become due. A timer for each would cost the
// generator more than the requests do, above all on a virtual machine.
const tick = 200 * time.Microsecond

// Run generates the load in this process and returns when it is over, or
// sooner when stop becomes readable or is closed (nil: never). One thread with
// an epoll set and a timer in nanoseconds does all: Go's own timers wake up to
// a millisecond late, which would drown what is to be measured.
func (o OpenLoop) Run(stop *os.File) (OpenLoopSummary, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection while measuring

	g, err := newGenerator(o)
	if err != nil {
		return OpenLoopSummary{}, err
	}
	defer g.close()
	if stop != nil {
		if err := g.watch(int(stop.Fd()), syscall.EPOLLIN); err != nil {
			return OpenLoopSummary{}, err
		}
		g.stop = int(stop.Fd())
	}
	if err := g.loop(); err != nil {
		return OpenLoopSummary{}, err
	}
	return g.summary(), nil
}

type generator struct {
	OpenLoop
	target   syscall.Sockaddr
	request  []byte
	interval time.Duration

	epoll, stop int
	timer       *timer
	conns       map[int]*conn // by descriptor
	idle        []*conn       // first in, first out: all connections take turns
	due         []time.Time   // requests that wait for a connection

	start          time.Time
	sent           int64 // requests that have become due
	latency, late  []float64
	failed         int64
	firstErr       error
	busy           int
	recordFrom, to time.Time
}

func newGenerator(o OpenLoop) (*generator, error) {
	if o.Rate <= 0 || o.Connections <= 0 {
		return nil, fmt.Errorf("load: rate %v over %d connections", o.Rate, o.Connections)
	}
	target, err := sockaddr(o.Address)
	if err != nil {
		return nil, err
	}
	g := &generator{
		OpenLoop: o, target: target, stop: -1,
		request:  fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", o.Path, o.Address),
		interval: time.Duration(float64(time.Second) / o.Rate),
		conns:    make(map[int]*conn, o.Connections),
	}
	expected := int(o.Rate*o.Duration.Seconds()) + 1000
	g.latency, g.late = make([]float64, 0, expected), make([]float64, 0, expected)
	if g.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	if g.timer, err = newTimer(); err != nil {
		g.close()
		return nil, err
	}
	if err := g.watch(g.timer.fd, syscall.EPOLLIN); err != nil {
		g.close()
		return nil, err
	}
	for range o.Connections {
		if err := g.connect(); err != nil {
			g.close()
			return nil, err
		}
	}
	return g, nil
}

func (g *generator) watch(fd int, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	if err := syscall.EpollCtl(g.epoll, syscall.EPOLL_CTL_ADD, fd, &e); err != nil {
		return fmt.Errorf("load: epoll: %w", err)
	}
	return nil
}

func (g *generator) close() {
	for fd := range g.conns {
		syscall.Close(fd)
	}
	if g.timer != nil {
		syscall.Close(g.timer.fd)
	}
	syscall.Close(g.epoll)
}

func (g *generator) loop() error {
	g.start = time.Now()
	g.recordFrom = g.start.Add(g.WarmUp)
	g.to = g.recordFrom.Add(g.Duration)
	if err := g.timer.set(g.start, g.start.Add(time.Nanosecond)); err != nil {
		return err
	}
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := epollWait(g.epoll, events, 100*time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			switch fd := int(e.Fd); fd {
			case g.timer.fd: // send looks at the clock itself
			case g.stop:
				g.to = time.Now()
				_ = syscall.EpollCtl(g.epoll, syscall.EPOLL_CTL_DEL, fd, nil)
			default:
				g.readable(g.conns[fd])
			}
		}
		now := time.Now()
		if now.Before(g.to) {
			if err := g.send(now); err != nil {
				return err
			}
			continue
		}
		if g.busy == 0 && len(g.due) == 0 {
			return nil
		}
		if err := g.timer.set(now, g.to.Add(grace)); err != nil {
			return err
		}
		if now.After(g.to.Add(grace)) {
			g.fail(int64(g.busy+len(g.due)), fmt.Errorf("no answer within %v", grace))
			return nil
		}
	}
}

// send sends what is due and sets the timer for what comes next.
func (g *generator) send(now time.Time) error {
	for {
		next := g.dueTime(g.sent)
		if next.After(now) {
			return g.timer.set(now, next)
		}
		g.sent++
		if g.records(next) {
			g.late = append(g.late, micros(now.Sub(next)))
		}
		g.due = append(g.due, next)
		g.dispatch()
	}
}

// dueTime is when request i becomes due: those of one tick together.
func (g *generator) dueTime(i int64) time.Time {
	return g.start.Add((time.Duration(i) * g.interval).Truncate(tick))
}

// dispatch gives waiting requests to idle connections.
func (g *generator) dispatch() {
	for len(g.due) > 0 && len(g.idle) > 0 {
		c, due := g.idle[0], g.due[0]
		g.idle, g.due = g.idle[1:], g.due[1:]
		g.busy++
		c.due, c.busy = due, true
		if n, err := rawWrite(c.fd, g.request); n != len(g.request) {
			g.broken(c, fmt.Errorf("write: %d of %d bytes: %v", n, len(g.request), err))
		}
	}
}

func (g *generator) records(due time.Time) bool { return !due.Before(g.recordFrom) }

// answered is called with a complete answer; last says that the server will
// close the connection.
func (g *generator) answered(c *conn, status int, last bool) {
	c.busy = false
	g.busy--
	switch {
	case status != 200:
		g.fail(1, fmt.Errorf("status %d", status))
	case g.records(c.due):
		g.latency = append(g.latency, micros(time.Since(c.due)))
	}
	if last {
		g.reconnect(c)
	} else {
		g.idle = append(g.idle, c)
	}
	g.dispatch()
}

// broken is called when a connection ended other than after its answer. While
// it is idle the server may close it; a request in flight has failed.
func (g *generator) broken(c *conn, err error) {
	if c.busy {
		g.busy--
		g.fail(1, err)
	} else if i := slices.Index(g.idle, c); i >= 0 {
		g.idle = slices.Delete(g.idle, i, i+1)
	}
	g.reconnect(c)
	g.dispatch()
}

func (g *generator) reconnect(old *conn) {
	delete(g.conns, old.fd)
	syscall.Close(old.fd)
	if err := g.connect(); err != nil {
		g.fail(1, err)
	}
}

func (g *generator) fail(n int64, err error) {
	g.failed += n
	if g.firstErr == nil {
		g.firstErr = err
	}
}
