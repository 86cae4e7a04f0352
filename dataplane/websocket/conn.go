package websocket

import (
	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Handler is told what happens on one connection, on its event loop. It is what
// a Conn is embedded in, most likely. It must not block.
type Handler interface {
	// OnMessage brings a message, OpText or OpBinary. payload is valid during the
	// call, and may be written to. A text is valid UTF-8.
	OnMessage(op Opcode, payload []byte)
	// OnClose tells, once, that the connection is at its end: nothing is received
	// or sent any more. It may be called by the Handler's own call of Close or
	// Send, before that returns.
	OnClose(End)
}

// By says who ended a connection.
type By uint8

// The ends of a connection come from one of these.
const (
	ByPeer    By = iota // it sent a close frame
	ByGateway           // Close was called, or the peer broke a rule or a limit
	ByBackend           // the other end of a pass-through ended it
	ByLoss              // the transport ended without a close frame, or the peer fell silent
)

var byNames = [...]string{"peer", "gateway", "backend", "loss"}

func (b By) String() string { return byNames[b] }

// End says how a connection ended.
type End struct {
	Code   Code   // NoStatus if the peer gave none, Abnormal if it was lost
	Reason []byte // valid during the call
	By     By
}

type phase uint8

const (
	phaseNone     phase = iota
	phaseReserved       // it has an id and no stream
	phaseOpen
	phaseHalf      // in pass-through: the peer's close frame went on to the other end, whose answer is awaited
	phaseClosing   // our close frame is sent or queued; the peer's is awaited
	phaseLingering // nothing is left to be received; what is queued is sent, and the peer closes
	phaseGone
)

// Conn is one WebSocket connection. It is embedded in what uses it, begins with
// Hub.Reserve, and its methods must be called on its event loop.
//
//	reserved -> open -> closing or half -> lingering -> gone
//	    |         |----------------------------^         ^
//	    v         '--------------------------------------'
//	(abandoned)
type Conn struct {
	stream  *loop.Stream
	shard   *shard
	handler Handler
	limits  *Limits
	peer    *Conn   // the other end of a pass-through
	out     *outbox // what has not been sent, nil if nothing
	held    []byte  // what came of a message, or of a frame in pass-through, that is not whole
	times   times
	reader  Reader
	ref     Ref

	in, sent uint32 // messages

	code    Code // of the peer's close frame, while phaseHalf
	phase   phase
	backend bool  // it is the end towards a backend: it has no slot, and masks
	dirty   bool  // flush will be called
	ended   bool  // the sending end is closed
	deaf    bool  // writing has failed; the end is about to be noticed
	control uint8 // bytes of a control frame that is not whole, at the end of held
	waste   int32 // bytes read and thrown away while lingering
}

// kernelUnsent bounds the bytes that the kernel takes ahead of what the network
// does, so that a peer that does not read costs the host little and is found out
// soon. The kernel's own bound goes into megabytes.
const kernelUnsent = 64 << 10

// maxWaste bounds what is read from a peer that does not stop sending although
// the connection is over, in bytes.
const maxWaste = 1 << 20

// Accept begins the connection on a stream whose request has been agreed to.
// answer, from Upgrade.AppendAnswer, is sent first; early is what the client
// sent after its request, and is written to. The stream belongs to the
// connection from now on, and whatever it had unsent must have been sent. What is
// in early reaches the handler before Accept returns.
func (c *Conn) Accept(s *loop.Stream, early, answer []byte, handler Handler, limits *Limits) {
	c.open(s, handler, limits)
	c.begin(early, answer)
}

// Abandon gives a reserved id back.
func (c *Conn) Abandon() {
	if c.phase == phaseReserved {
		c.phase = phaseGone
		c.shard.release(c.ref.slot)
	}
}

// open makes the connection ready.
func (c *Conn) open(s *loop.Stream, handler Handler, limits *Limits) {
	c.stream, c.handler, c.limits = s, handler, limits
	c.reader.Masked = !c.backend
	c.phase = phaseOpen
	c.times.open(s.Loop().Now())
	s.SetEvents(c)
	s.SetDeadline(0)
	_ = unix.SetsockoptInt(s.FD(), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, kernelUnsent) // not on Unix sockets
	if !c.backend {
		c.shard.stats.Open++
		c.shard.stats.Connects++
	}
}

// begin sends and takes the first bytes, and has the events come.
func (c *Conn) begin(early, answer []byte) {
	sh := c.shard
	sh.enter()
	if len(answer) > 0 && !c.queue(answer, nil, 0) {
		c.lost() // without an answer there is no connection
	}
	if sh.hub.draining.Load() && !c.backend {
		c.Close(GoingAway, "")
	}
	if len(early) > 0 && c.phase != phaseGone {
		c.take(early)
	}
	sh.leave()
	if c.phase == phaseGone {
		return
	}
	if c.phase == phaseOpen {
		c.hurry(c.times.next(c.limits, c.ref.slot, c.blockedSince(), c.backend))
	}
	c.stream.Resume()
	if c.stream.IsTLS() || c.stream.HungUp() {
		c.readOn()
	}
}

// ID appends the connection's id.
func (c *Conn) ID(dst []byte) []byte { return c.shard.hub.ids.append(dst, c.ref) }

// Handler returns what Accept was given.
func (c *Conn) Handler() Handler { return c.handler }

// IsOpen reports whether messages can be sent.
func (c *Conn) IsOpen() bool { return c.phase == phaseOpen && !c.deaf }

// Opened returns when the connection began, in nanoseconds of loop.Now.
func (c *Conn) Opened() int64 { return c.times.opened }

// Active returns when data was last received or sent, in nanoseconds of
// loop.Now, to a quarter of a second.
func (c *Conn) Active() int64 { return c.times.active }

// Messages returns how many messages were received and sent.
func (c *Conn) Messages() (in, out uint32) { return c.in, c.sent }

// Queued returns the bytes that the peer has not taken.
func (c *Conn) Queued() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.buf) + c.stream.Unsent()
}

// Pause stops reading until Resume, which slows the peer down. Messages that
// were read already still come.
func (c *Conn) Pause() {
	if c.phase == phaseOpen || c.phase == phaseClosing && c.peer != nil {
		c.stream.Pause()
	}
}

// Resume undoes Pause.
func (c *Conn) Resume() {
	if c.phase == phaseGone || c.phase == phaseReserved || !c.stream.Paused() {
		return
	}
	c.stream.Resume()
	if c.stream.IsTLS() || c.stream.HungUp() {
		c.readOn()
	}
}

// readOn reads without an event: neither a hang-up nor bytes that TLS has
// decrypted make another one.
func (c *Conn) readOn() {
	c.shard.loop.Post(func() {
		switch {
		case c.phase == phaseGone || c.stream.Paused():
		case c.stream.HungUp():
			c.OnHangup()
		default:
			c.OnReadable()
		}
	})
}
