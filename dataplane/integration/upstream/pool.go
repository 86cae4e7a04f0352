package upstream

import (
	"errors"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// pool is a target's connections on one loop, and is touched there alone, but for
// its counts, which anyone reads.
type pool struct {
	target  *Target
	lane    *lane
	idle    []*conn // last in, first out
	open    int
	epoch   uint32 // see health.Target
	retired bool

	answered, failed atomic.Int64 // of the present epoch and earlier ones, in their time
	late             atomic.Int64 // answers that came in a later epoch than their requests
	moved            atomic.Int64 // requests that failed here and were sent to another target
	_                [64]byte     // other loops' pools are on other cores
}

// bump adds one to a count that its loop alone writes.
func bump(n *atomic.Int64) { n.Store(n.Load() + 1) }

// room reports whether the pool has a connection to give.
func (p *pool) room() bool { return len(p.idle) > 0 || p.open < p.lane.maxOpen }

// busy is how many calls the pool's connections have.
func (p *pool) busy() int { return p.open - len(p.idle) }

// serve gives the call a connection. It is false when there is none to give.
func (p *pool) serve(c *Call) bool {
	for n := len(p.idle); n > 0 && !c.retried; n = len(p.idle) {
		conn := p.idle[n-1]
		p.idle = p.idle[:n-1]
		conn.state = connActive
		if conn.HungUp() || conn.HasInput() {
			conn.close()
			continue
		}
		p.lane.group.store.Reused[p.lane.loop.ID].add(1)
		c.reused = true
		conn.begin(c)
		return true
	}
	if p.open >= p.lane.maxOpen {
		return false
	}
	p.dial(c)
	return true
}

// dial opens a connection for the call.
func (p *pool) dial(c *Call) {
	ln := p.lane
	store, l := ln.group.store, ln.loop
	fd, err := connect(p.target.Addr)
	if err != nil {
		if errors.Is(err, errOwn) {
			c.drop()
			c.fail(NoSocket)
			return
		}
		c.settle(Refused)
		c.elsewhere(Refused)
		return
	}
	conn := &conn{pool: p, state: connConnecting, call: c}
	if err := conn.Open(l, fd, conn, true); err != nil { // likewise the host's own
		c.drop()
		c.fail(NoSocket)
		return
	}
	p.open++
	store.open[l.ID].add(1)
	c.conn, c.reused = conn, false
	conn.SetDeadline(min(l.Now()+int64(store.config.ConnectTimeout), c.Deadline))
}

// errOwn is a failure that is the host's own, and says nothing of the target.
var errOwn = errors.New("no socket")

// connect begins a connection.
func connect(addr netip.AddrPort) (fd int, err error) {
	family := unix.AF_INET6
	var sa unix.Sockaddr = &unix.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())}
	if addr.Addr().Is4() {
		family = unix.AF_INET
		sa = &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errOwn
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	switch err = unix.Connect(fd, sa); err {
	case nil, unix.EINPROGRESS:
		return fd, nil
	case unix.EADDRNOTAVAIL: // no port of ours is free
		err = errOwn
	}
	unix.Close(fd)
	return -1, err
}

// putBack makes a connection idle.
func (p *pool) putBack(c *conn) {
	if p.retired || c.HungUp() {
		c.close()
		return
	}
	c.state, c.call = connIdle, nil
	c.SetDeadline(p.lane.loop.Coarse() + int64(p.lane.group.store.config.IdleTimeout))
	p.idle = append(p.idle, c)
	if p.lane.waiting.n > 0 {
		p.lane.serveWaiting()
	}
}

// closed counts a connection out.
func (p *pool) closed(c *conn, wasIdle bool) {
	ln := p.lane
	p.open--
	ln.group.store.open[ln.loop.ID].add(-1)
	if wasIdle {
		for i, other := range p.idle {
			if other == c {
				p.idle = append(p.idle[:i], p.idle[i+1:]...)
				break
			}
		}
	}
	if ln.waiting.n > 0 {
		ln.serveWaiting()
	}
}

// retire closes idle connections, and every other one when its call is over.
func (p *pool) retire() {
	p.retired = true
	for len(p.idle) > 0 {
		p.idle[len(p.idle)-1].close()
	}
}
