package front

import (
	"net/netip"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Conn is one client connection.
type Conn struct {
	loop.Stream
	front    *Front
	listener *Listener
	x        *Exchange // nil while idle
	next     *Conn
	prev     *Conn
	remote   netip.AddrPort
	source   *source // nil when it is not counted

	rest time.Duration // what it is not read for once it is idle

	served    bool // a request, at least
	denied    bool // its source is kept out; its first request is its last
	ended     bool // the client will send nothing more
	lingering bool // everything is said; reading only so that it arrives
	taken     bool // by Takeover: what it receives is not the front's any more
}

// OnReadable implements loop.Events.
func (c *Conn) OnReadable() {
	if c.Handshaking() {
		c.FeedHandshake()
		return
	}
	c.BeginRead()
	for c.reads() {
		n, room, err := c.fill()
		if err == loop.ErrWouldBlock {
			return
		}
		if err != nil {
			c.shut()
			return
		}
		if n == 0 {
			c.end()
			return
		}
		if n < room && !c.IsTLS() {
			return
		}
	}
}

// reads reports whether the front may read on.
func (c *Conn) reads() bool { return c.IsOpen() && !c.Paused() && !c.ended && !c.taken }

// fill reads once and deals with what came.
func (c *Conn) fill() (n, room int, err error) {
	shared := c.front.Loop.ReadBuffer
	x := c.x
	if c.lingering {
		n, err = c.Read(shared)
		return n, len(shared), err
	}
	if x == nil {
		x = c.front.borrow(c)
	}
	if x.takesBody() {
		n, err = c.Read(shared)
		if err == nil && n > 0 {
			x.receive(shared[:n])
		}
		return n, len(shared), err
	}
	if !x.makeRoom() {
		c.Pause() // until the exchange gets on
		return 1, 2, nil
	}
	space := x.in[len(x.in):cap(x.in)]
	n, err = c.Read(space)
	if err == nil && n > 0 {
		first := len(x.in) == 0 && x.phase == phaseHead
		x.in = x.in[:len(x.in)+n]
		x.run()
		if first && c.x == x && x.phase == phaseHead { // only part of a head
			c.deadline(c.front.shorter(c.front.config.Head))
		}
	} else if len(x.in) == 0 && x.phase == phaseHead {
		c.front.giveBack(c)
	}
	return n, len(space), err
}

// OnWritable implements loop.Events.
func (c *Conn) OnWritable() {
	if c.Handshaking() {
		return
	}
	if c.x == nil {
		c.WantWrite(false)
		return
	}
	c.x.flush()
}

// OnHangup implements loop.Events: the client closed its sending end, perhaps
// both. What it sent before is still answered; what there is no room for now is
// read when resume comes back here.
func (c *Conn) OnHangup() {
	if c.Handshaking() {
		c.FeedHandshake()
		return
	}
	c.BeginRead()
	for c.reads() {
		n, _, err := c.fill()
		switch {
		case err == loop.ErrWouldBlock || err == nil && n == 0:
			c.end()
			return
		case err != nil:
			c.shut()
			return
		}
	}
}

// end notes that nothing more comes from the client.
func (c *Conn) end() {
	c.ended = true
	x := c.x
	switch {
	case x == nil, c.lingering,
		x.phase == phaseHead, // nothing, or part of a head
		x.bodyMissing():
		c.shut()
	default:
		c.Pause() // the end of the stream stays readable
	}
}

// shut closes the connection and lets go of everything. A handler at work hears
// that its client is gone.
func (c *Conn) shut() {
	if !c.IsOpen() {
		return
	}
	if x := c.x; x != nil {
		if x.phase == phaseServing && !x.finished {
			x.phase = phaseGone
			x.Handler.Gone()
		}
		if x.running {
			x.phase = phaseGone // run gives it back
		} else {
			c.front.giveBack(c)
		}
	}
	c.Close()
	c.front.unlink(c)
}

// linger closes the sending end and reads on for a moment, so that the client
// gets the answer rather than a reset.
func (c *Conn) linger() {
	c.lingering = true
	c.CloseWrite()
	if c.ended {
		c.shut()
		return
	}
	c.deadline(lingerTime)
	c.resume()
}

// resume reads again after a pause. Neither a hang-up nor bytes that TLS has
// decrypted make another event.
func (c *Conn) resume() {
	if !c.Paused() {
		return
	}
	c.Resume()
	if c.IsTLS() || c.HungUp() {
		c.front.Loop.Post(func() {
			switch {
			case !c.reads():
			case c.HungUp():
				c.OnHangup()
			default:
				c.OnReadable()
			}
		})
	}
}

// OnDeadline implements loop.Events.
func (c *Conn) OnDeadline(now int64) {
	x := c.x
	switch {
	case x == nil && c.rest > 0: // it has rested
		c.rest = 0
		c.SetDeadline(now + int64(c.front.shorter(c.front.config.Idle)))
		c.resume()
	case x == nil || c.lingering || c.Handshaking() || x.phase == phaseHead:
		c.shut()
	case len(x.out) > 0 || c.Unsent() > 0:
		c.shut()
	case x.takesBody():
		floor := int64(c.front.config.BodyMinRate) * int64(bodyGrace/time.Second)
		if x.received < floor {
			c.shut()
			return
		}
		x.received = 0
		c.SetDeadline(now + int64(bodyGrace))
	}
}

func (c *Conn) onHandshake(err error) {
	if !c.IsOpen() {
		return
	}
	if err != nil {
		c.shut()
		return
	}
	c.deadline(c.front.config.FirstByte)
	c.OnReadable() // the first request may have come with the handshake
	if c.reads() && c.HungUp() {
		c.OnHangup()
	}
}
