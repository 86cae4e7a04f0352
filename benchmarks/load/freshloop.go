package load

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// fresh is the generator of a Fresh, in one thread, as that of an open loop.
type fresh struct {
	Fresh
	target      syscall.RawSockaddrInet4
	request     []byte
	epoll, stop int
	timer       *timer
	start, to   time.Time
	due         int64       // connections that have become due, at a constant rate
	visits      []visit     // by descriptor
	begun       []beginning // oldest first, also those that are done
	underWay    int
	FreshSummary
}

// visit is one connection. Its descriptor is taken anew when it is done, so that
// a number tells it from the next.
type visit struct {
	number int64 // 0: none
	sent   bool
	answer []byte
}

type beginning struct {
	at     time.Time
	fd     int
	number int64
}

// Run generates the load in this process and returns when it is over, or sooner
// when stop becomes readable or is closed (nil: never).
func (f Fresh) Run(stop *os.File) (FreshSummary, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection while measuring

	g, err := newFresh(f)
	if err != nil {
		return FreshSummary{}, err
	}
	defer g.close()
	if stop != nil {
		if err := rawWatch(g.epoll, int(stop.Fd()), syscall.EPOLLIN); err != nil {
			return FreshSummary{}, err
		}
		g.stop = int(stop.Fd())
	}
	if err := g.loop(); err != nil {
		return FreshSummary{}, err
	}
	g.Micros = micros(g.to.Sub(g.start))
	return g.FreshSummary, nil
}

func newFresh(f Fresh) (*fresh, error) {
	if f.Connections <= 0 || f.Rate < 0 || f.Patience <= 0 {
		return nil, fmt.Errorf("load: %d connections with a patience of %v, %v per second", f.Connections, f.Patience, f.Rate)
	}
	target, err := sockaddr(f.Address)
	if err != nil {
		return nil, err
	}
	to := target.(*syscall.SockaddrInet4)
	g := &fresh{
		Fresh: f, stop: -1,
		target:       syscall.RawSockaddrInet4{Family: syscall.AF_INET, Addr: to.Addr},
		request:      fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", f.Path, cmp.Or(f.Host, f.Address)),
		FreshSummary: FreshSummary{Status: map[int]int64{}},
	}
	port := binary.BigEndian.AppendUint16(nil, uint16(to.Port))
	g.target.Port = binary.NativeEndian.Uint16(port)
	if g.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	if g.timer, err = newTimer(); err == nil {
		err = rawWatch(g.epoll, g.timer.fd, syscall.EPOLLIN)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *fresh) close() {
	for fd, v := range g.visits {
		if v.number != 0 {
			rawClose(fd)
		}
	}
	if g.timer != nil {
		rawClose(g.timer.fd)
	}
	rawClose(g.epoll)
}

func (g *fresh) loop() error {
	g.start = time.Now()
	g.to = g.start.Add(g.Duration)
	events := make([]syscall.EpollEvent, 256)
	for now := g.start; ; now = time.Now() {
		g.giveUp(now)
		if now.Before(g.to) {
			if err := g.open(now); err != nil {
				return err
			}
		} else if g.underWay == 0 {
			return nil
		}
		n, err := epollWait(g.epoll, events, 10*time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			switch fd := int(e.Fd); fd {
			case g.timer.fd: // open looks at the clock itself
			case g.stop:
				g.to = time.Now()
				_ = syscall.EpollCtl(g.epoll, syscall.EPOLL_CTL_DEL, fd, nil)
			default:
				g.happened(fd, e.Events)
			}
		}
	}
}

// open opens what is due: those of one tick together.
func (g *fresh) open(now time.Time) error {
	if g.Rate == 0 {
		for g.underWay < g.Connections {
			if err := g.begin(now); err != nil {
				return err
			}
		}
		return nil
	}
	passed := now.Sub(g.start).Truncate(tick)
	for ; float64(g.due) < passed.Seconds()*g.Rate; g.due++ {
		if g.underWay == g.Connections {
			g.Excess++
		} else if err := g.begin(now); err != nil {
			return err
		}
	}
	return g.timer.set(now, g.start.Add(passed+tick))
}

func (g *fresh) begin(now time.Time) error {
	fd, err := rawConnect(&g.target)
	if err != nil {
		return fmt.Errorf("load: connection %d: %w", g.Opened+1, err)
	}
	if err := rawWatch(g.epoll, fd, syscall.EPOLLIN|syscall.EPOLLOUT|edgeTriggered); err != nil {
		rawClose(fd)
		return err
	}
	for fd >= len(g.visits) {
		g.visits = append(g.visits, visit{})
	}
	g.Opened++
	g.underWay++
	g.visits[fd] = visit{number: g.Opened, answer: g.visits[fd].answer[:0]}
	g.begun = append(g.begun, beginning{now, fd, g.Opened})
	return nil
}

// edgeTriggered is EPOLLET, which package syscall has as a negative number.
const edgeTriggered = 1 << 31

// giveUp closes the connections that have taken too long.
func (g *fresh) giveUp(now time.Time) {
	for len(g.begun) > 0 {
		oldest := g.begun[0]
		open := g.visits[oldest.fd].number == oldest.number
		if open && now.Sub(oldest.at) < g.Patience {
			return
		}
		if open {
			g.Silent++
			g.done(oldest.fd)
		}
		g.begun = g.begun[1:]
	}
}

func (g *fresh) done(fd int) {
	rawClose(fd)
	g.visits[fd].number = 0
	g.underWay--
}

// happened is called with the events of a connection, or of an earlier one that
// had its descriptor.
func (g *fresh) happened(fd int, events uint32) {
	v := &g.visits[fd]
	if v.number == 0 {
		return
	}
	if !v.sent && events&(syscall.EPOLLERR|syscall.EPOLLHUP) == 0 {
		if n, err := rawWrite(fd, g.request); n != len(g.request) {
			g.failed(fd, fmt.Errorf("write: %d of %d bytes: %w", n, len(g.request), err))
			return
		}
		v.sent = true
	}
	for {
		if cap(v.answer)-len(v.answer) < 1024 {
			v.answer = append(make([]byte, 0, 2*cap(v.answer)+4096), v.answer...)
		}
		n, err := rawRead(fd, v.answer[len(v.answer):cap(v.answer)])
		if n > 0 {
			v.answer = v.answer[:len(v.answer)+n]
			continue
		}
		if err == syscall.EAGAIN || err == syscall.EINTR {
			return
		}
		g.ended(fd, v, err)
		return
	}
}

// ended is called when the server has closed the connection, or refused it. A
// reset after a whole answer is no matter.
func (g *fresh) ended(fd int, v *visit, err error) {
	a, bad := parseAnswer(v.answer)
	switch {
	case bad == nil:
		g.Status[a.status]++
		g.done(fd)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		g.Reset++
		g.done(fd)
	default:
		g.failed(fd, errors.Join(bad, err))
	}
}

func (g *fresh) failed(fd int, err error) {
	g.Failed++
	if g.Error == "" {
		g.Error = err.Error()
	}
	g.done(fd)
}
