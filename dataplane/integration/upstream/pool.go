package upstream

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// pool is a target's connections on one loop, and is touched there alone.
type pool struct {
	target     *Target
	loop       *loop.Loop
	idle       []*conn // last in, first out
	open       int
	waiting    []*Call
	maxOpen    int
	maxWaiting int
	turn       int // of the target's addresses
	retired    bool
}

// start gives the call a connection, or has it wait for one.
func (p *pool) start(c *Call) {
	for n := len(p.idle); n > 0 && !c.retried; n = len(p.idle) {
		conn := p.idle[n-1]
		p.idle = p.idle[:n-1]
		conn.state = connActive
		if conn.HungUp() || conn.HasInput() {
			conn.close()
			continue
		}
		p.target.group.Reused[p.loop.ID].add(1)
		c.reused = true
		conn.begin(c)
		return
	}
	addrs := p.target.addrs.Load()
	if p.open >= p.maxOpen || addrs == nil {
		p.wait(c)
		if addrs == nil {
			p.target.used.Store(true)
			p.target.resolve()
		}
		return
	}
	p.dial(c, *addrs)
}

func (p *pool) wait(c *Call) {
	if len(p.waiting) >= p.maxWaiting {
		c.fail(Busy)
		return
	}
	if len(p.waiting) == 0 {
		p.target.group.queues[p.loop.ID].add(p)
	}
	c.waits = true
	p.waiting = append(p.waiting, c)
}

// queues are the pools of one loop that have calls waiting.
type queues struct{ pools []*pool }

func (q *queues) add(p *pool) {
	for _, have := range q.pools {
		if have == p {
			return
		}
	}
	q.pools = append(q.pools, p)
}

// expire fails the calls that have waited too long.
func (q *queues) expire(now int64) {
	waiting := q.pools[:0]
	for _, p := range q.pools {
		for i := 0; i < len(p.waiting); {
			if c := p.waiting[i]; now >= c.Deadline {
				p.forget(c)
				c.fail(Timeout)
			} else {
				i++
			}
		}
		if len(p.waiting) > 0 {
			waiting = append(waiting, p)
		}
	}
	q.pools = waiting
}

// forget takes a call out of the queue.
func (p *pool) forget(c *Call) {
	for i, w := range p.waiting {
		if w == c {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			break
		}
	}
	c.waits = false
}

// resolved goes on with what waited for addresses.
func (p *pool) resolved() {
	if p.target.addrs.Load() != nil {
		p.serveWaiting()
		return
	}
	for len(p.waiting) > 0 {
		c := p.waiting[0]
		p.forget(c)
		c.fail(Unresolved)
	}
}

// serveWaiting gives free places to waiting calls, first come first served.
func (p *pool) serveWaiting() {
	for len(p.waiting) > 0 && (len(p.idle) > 0 || p.open < p.maxOpen) {
		c := p.waiting[0]
		p.forget(c)
		p.start(c)
	}
}

// dial opens a connection for the call.
func (p *pool) dial(c *Call, addrs []netip.AddrPort) {
	p.target.used.Store(true)
	p.turn++
	addr := addrs[p.turn%len(addrs)]
	fd, err := connect(addr)
	if err != nil {
		p.retryDial(c, addrs)
		return
	}
	conn := &conn{pool: p, state: connConnecting, call: c}
	if err := conn.Open(p.loop, fd, conn, true); err != nil {
		c.fail(Refused)
		return
	}
	p.open++
	p.target.group.open[p.loop.ID].add(1)
	c.conn, c.reused = conn, false
	c.dials++
	conn.SetDeadline(min(p.loop.Now()+int64(p.target.group.config.ConnectTimeout), c.Deadline))
}

// retryDial tries the target's next address, each at most once.
func (p *pool) retryDial(c *Call, addrs []netip.AddrPort) {
	if c.dials >= len(addrs) {
		c.fail(Refused)
		return
	}
	c.dials++
	p.dial(c, addrs)
}

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
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// putBack makes a connection idle.
func (p *pool) putBack(c *conn) {
	if p.retired || c.HungUp() {
		c.close()
		return
	}
	c.state, c.call = connIdle, nil
	c.SetDeadline(p.loop.Coarse() + int64(p.target.group.config.IdleTimeout))
	p.idle = append(p.idle, c)
	if len(p.waiting) > 0 {
		p.serveWaiting()
	}
}

// closed counts a connection out.
func (p *pool) closed(c *conn, wasIdle bool) {
	p.open--
	p.target.group.open[p.loop.ID].add(-1)
	if wasIdle {
		for i, other := range p.idle {
			if other == c {
				p.idle = append(p.idle[:i], p.idle[i+1:]...)
				break
			}
		}
	}
	if len(p.waiting) > 0 {
		p.serveWaiting()
	}
}

// retire closes idle connections, and every other one when its call is over.
// Calls that wait still get their turn: a deployment fails no request.
func (p *pool) retire() {
	p.retired = true
	for len(p.idle) > 0 {
		p.idle[len(p.idle)-1].close()
	}
}

// shut fails the calls that wait, and retires the pool.
func (p *pool) shut() {
	for len(p.waiting) > 0 {
		c := p.waiting[0]
		p.forget(c)
		c.fail(ShuttingDown)
	}
	p.retire()
}
