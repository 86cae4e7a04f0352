package websocket

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// Dial says how to ask a backend for a WebSocket.
type Dial struct {
	Addrs     []netip.AddrPort // tried in their order
	TLS       *tls.Config      // nil for cleartext
	Head      []byte           // request line and field lines with their line ends, none of them of the handshake
	Protocols []byte           // the subprotocols to offer, as a list; nil for none
	Connect   time.Duration    // for one address, with TLS
	Deadline  int64            // of loop.Now, for the whole
	Caller    Caller
}

// Caller is told what becomes of a Dial, once, on its event loop, and after Dial
// has returned.
type Caller interface {
	// Upgraded says that the backend agreed. Conn.Pass or Backend.Cancel follows.
	Upgraded(*Backend)
	// Answered brings any other answer. Both are valid during the call. Unless
	// whole, the body was over MaxAnswer or broke off, and is nil.
	Answered(answer *http1.Response, body []byte, whole bool)
	// Failed says that there is no answer.
	Failed(Failure)
}

// MaxAnswer bounds the body, in bytes, of a backend's answer that does not agree.
const MaxAnswer = 64 << 10

// Failure says why a backend gave no answer.
type Failure uint8

// Failures.
const (
	Unreachable Failure = iota + 1 // no address, no connection, no TLS
	TimedOut                       // no answer in time
	NoAnswer                       // the connection ended without one
	BadAnswer                      // it is not HTTP, or agrees to something else than was asked
)

var failures = [...]struct {
	status int
	text   string
}{
	Unreachable: {http.StatusGatewayTimeout, "backend cannot be reached"},
	TimedOut:    {http.StatusGatewayTimeout, "backend did not answer the upgrade in time"},
	NoAnswer:    {http.StatusBadGateway, "backend closed the connection without an answer"},
	BadAnswer:   {http.StatusBadGateway, "backend answered the upgrade with an invalid message"},
}

// Status returns the HTTP status for the client: 504 for a backend that cannot
// be reached, 502 for one that was and did not answer.
func (f Failure) Status() int { return failures[f].status }

func (f Failure) String() string { return failures[f].text }

// Backend is a connection to a backend.
type Backend struct {
	stream loop.Stream
	conn   Conn
	dial   *dialing // until Pass
}

// Dial begins to ask a backend, on loop l, which must be the one it is called on.
func (h *Hub) Dial(l *loop.Loop, d Dial) *Backend {
	b := &Backend{}
	b.dial = &dialing{Dial: d, backend: b, shard: h.shards[l.ID]}
	b.dial.next()
	return b
}

// Cancel closes the connection and forgets the dial, without a word to the
// Caller. After Pass it does nothing.
func (b *Backend) Cancel() {
	if b.dial != nil {
		b.dial.close()
		b.dial.step = dialOver
	}
}

// Answer returns the answer that agreed, until Pass.
func (b *Backend) Answer() *http1.Response { return &b.dial.answer }

// Protocol returns the subprotocol that the backend chose, or nil. It is valid
// until Pass.
func (b *Backend) Protocol() []byte { return b.dial.protocol }

// dialing is what a connection to a backend needs until it is a WebSocket.
type dialing struct {
	Dial
	backend *Backend
	shard   *shard
	step    dialStep
	tried   int // addresses

	key      [keySize]byte
	out      []byte // of the request, not sent yet
	in       []byte // a head, and what follows one that agrees
	head     int    // bytes of the final head in in
	interim  int
	answer   http1.Response
	protocol []byte
	body     answerBody
}

type dialStep uint8

const (
	dialConnecting dialStep = iota // TCP, then TLS
	dialAsked
	dialBody   // of an answer that does not agree
	dialAgreed // the caller has been told
	dialOver
)

// next tries the next address.
func (d *dialing) next() {
	l := d.shard.loop
	for d.tried < len(d.Addrs) {
		addr := d.Addrs[d.tried]
		d.tried++
		fd, err := connect(addr)
		if err != nil {
			continue
		}
		d.backend.stream = loop.Stream{}
		if d.backend.stream.Open(l, fd, d, true) != nil {
			continue
		}
		d.shard.addBackend(d.backend)
		d.step = dialConnecting
		d.backend.stream.SetDeadline(min(d.Deadline, l.Now()+int64(d.Connect)))
		return
	}
	l.Post(func() { d.fail(Unreachable) })
}

func connect(addr netip.AddrPort) (fd int, err error) {
	family := unix.AF_INET6
	var sa unix.Sockaddr = &unix.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())}
	if addr.Addr().Is4() {
		family = unix.AF_INET
		sa = &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	}
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err = unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// OnWritable implements loop.Events.
func (d *dialing) OnWritable() {
	s := &d.backend.stream
	switch {
	case d.step != dialConnecting:
		d.flush()
	case s.IsTLS(): // the handshake writes by itself
	case s.Connected() != nil:
		d.unreachable()
	case d.TLS == nil:
		d.ask()
	default:
		attempt := d.tried
		s.StartTLS(func(under net.Conn) *tls.Conn { return tls.Client(under, d.TLS) }, func(err error) {
			switch {
			case !s.IsOpen() || d.step != dialConnecting || d.tried != attempt:
			case err != nil:
				d.unreachable()
			default:
				d.ask()
			}
		})
	}
}

// unreachable goes on to the next address, if there is time.
func (d *dialing) unreachable() {
	d.close()
	if d.shard.loop.Now() >= d.Deadline {
		d.fail(TimedOut)
		return
	}
	d.next()
}

// OnReadable implements loop.Events.
func (d *dialing) OnReadable() {
	s := &d.backend.stream
	if s.Handshaking() {
		s.FeedHandshake()
		return
	}
	s.BeginRead()
	for d.read() && s.IsTLS() {
	}
}

// OnHangup implements loop.Events.
func (d *dialing) OnHangup() {
	s := &d.backend.stream
	switch {
	case s.Handshaking():
		s.FeedHandshake()
		return
	case d.step == dialConnecting && s.Connected() != nil:
		d.unreachable()
		return
	case d.step == dialAgreed: // Pass will see
		return
	}
	s.BeginRead()
	for d.read() {
	}
	d.ended()
}

// OnDeadline implements loop.Events.
func (d *dialing) OnDeadline(now int64) {
	switch {
	case d.step == dialAgreed: // the caller took too long
		d.close()
	case d.step == dialConnecting && now < d.Deadline:
		d.unreachable()
	case d.step == dialBody:
		d.answered(false)
	default:
		d.fail(TimedOut)
	}
}

// close closes the connection, if there is one.
func (d *dialing) close() {
	if d.backend.stream.IsOpen() {
		d.backend.stream.Close()
		d.shard.dropBackend(d.backend.conn.ref.slot)
	}
}

func (d *dialing) fail(f Failure) {
	if d.step == dialOver {
		return
	}
	d.close()
	d.step = dialOver
	d.Caller.Failed(f)
}
