package loop

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"
)

// Stream is a Socket that may carry TLS. Without TLS it adds one word to it.
type Stream struct {
	Socket
	tls *tlsLayer
}

// tlsLayer lets crypto/tls, which wants a blocking connection, work on a
// socket's events. The handshake blocks, so it has a goroutine, which the loop
// feeds; after it every call is made by the loop and a read that finds nothing
// returns ErrWouldBlock, which crypto/tls does not take as final.
type tlsLayer struct {
	conn   *tls.Conn
	stream *Stream
	fd     int // for the handshake, while not eof

	peer    any    // by SetPeer
	drained bool   // nothing more is to be had from the socket in this event
	out     []byte // ciphertext that the socket did not take yet

	mu     sync.Mutex
	cond   sync.Cond
	in     []byte // ciphertext that arrived during the handshake
	full   bool   // in is full, and the socket paused
	eof    bool   // nothing more comes
	closed bool   // the descriptor is not ours any more
	shaken bool
}

// maxHandshake bounds what is read from a peer ahead of its handshake, in bytes.
// A client may well send its request before we know that the handshake is done.
const maxHandshake = 64 << 10

// StartTLS begins a handshake, as server or client by what wrap makes of the
// connection. done is called on the loop with its outcome; the stream may have
// been closed meanwhile. Until then the owner passes OnReadable and OnHangup on
// to FeedHandshake.
func (s *Stream) StartTLS(wrap func(net.Conn) *tls.Conn, done func(error)) {
	t := &tlsLayer{stream: s, fd: int(s.fd)}
	t.cond.L = &t.mu
	t.conn = wrap(t)
	s.tls = t
	l := s.loop
	go func() {
		err := t.conn.Handshake()
		l.Post(func() {
			t.shaken = true
			s.Resume()
			done(err)
		})
	}()
}

// FeedHandshake hands the handshake what has arrived, as far as there is room.
func (s *Stream) FeedHandshake() {
	t := s.tls
	for {
		t.mu.Lock()
		room := maxHandshake - len(t.in)
		t.full = room <= 0
		t.mu.Unlock()
		if room <= 0 {
			s.Pause()
			return
		}
		n, err := s.Socket.Read(s.loop.ReadBuffer[:min(room, ReadBufferSize)])
		if err == ErrWouldBlock {
			return
		}
		t.mu.Lock()
		if n == 0 {
			t.eof = true
		} else {
			t.in = append(t.in, s.loop.ReadBuffer[:n]...)
		}
		t.mu.Unlock()
		t.cond.Signal()
		if n == 0 || !s.HungUp() { // after a hang-up no event tells of more
			return
		}
	}
}

// unblock reads on when the handshake has used what there was.
func (t *tlsLayer) unblock() {
	t.full = false
	s := t.stream
	s.loop.Post(func() {
		if s.IsOpen() && !t.shaken {
			s.Resume()
			s.FeedHandshake()
		}
	})
}

// Handshaking reports whether StartTLS's done has yet to be called.
func (s *Stream) Handshaking() bool { return s.tls != nil && !s.tls.shaken }

// PeerKeeper is what callbacks of crypto/tls find in ClientHelloInfo.Conn during
// the handshakes of streams: they leave with it what they find out about the peer.
type PeerKeeper interface{ SetPeer(peer any) }

// SetPeer implements PeerKeeper, on the handshake's goroutine.
func (t *tlsLayer) SetPeer(peer any) { t.peer = peer }

// Peer returns what a callback left with PeerKeeper during the handshake, or nil.
func (s *Stream) Peer() any {
	if s.tls == nil || !s.tls.shaken {
		return nil
	}
	return s.tls.peer
}

// TLSVersion returns the protocol's name, such as "TLSv1.3", or "" without TLS.
func (s *Stream) TLSVersion() string {
	if s.tls == nil || !s.tls.shaken {
		return ""
	}
	switch s.tls.conn.ConnectionState().Version {
	case tls.VersionTLS13:
		return "TLSv1.3"
	case tls.VersionTLS12:
		return "TLSv1.2"
	}
	return "TLS"
}

// IsTLS reports whether the stream carries TLS.
func (s *Stream) IsTLS() bool { return s.tls != nil }

// BeginRead is called once in each OnReadable, before the first Read.
func (s *Stream) BeginRead() {
	if s.tls != nil {
		s.tls.drained = false
	}
}

// Read reads what has arrived; see Socket.Read. With TLS there may be more
// after a short read: read on until ErrWouldBlock.
func (s *Stream) Read(p []byte) (int, error) {
	if s.tls == nil {
		return s.Socket.Read(p)
	}
	n, err := s.tls.conn.Read(p)
	if err == io.EOF {
		return 0, nil
	}
	return n, err
}

// Write writes what the stream takes at once. With TLS it takes everything;
// Unsent tells how much of it waits.
func (s *Stream) Write(p []byte) (int, error) {
	if s.tls == nil {
		return s.Socket.Write(p)
	}
	return s.tls.conn.Write(p)
}

// tlsRecord is the most plaintext that one TLS record holds, in bytes.
const tlsRecord = 16 << 10

// Write2 writes a and then b.
func (s *Stream) Write2(a, b []byte) (int, error) {
	if s.tls == nil {
		return s.Socket.Write2(a, b)
	}
	if len(a)+len(b) <= tlsRecord && cap(a)-len(a) >= len(b) { // one record
		return s.tls.conn.Write(append(a, b...))
	}
	n, err := s.tls.conn.Write(a)
	if err != nil {
		return n, err
	}
	m, err := s.tls.conn.Write(b)
	return n + m, err
}

// Unsent returns the bytes that Write took and the socket has not.
func (s *Stream) Unsent() int {
	if s.tls == nil {
		return 0
	}
	return len(s.tls.out)
}

// Flush sends what waits, in OnWritable.
func (s *Stream) Flush() error {
	if s.tls == nil || len(s.tls.out) == 0 {
		return nil
	}
	n, err := s.Socket.Write(s.tls.out)
	if err == ErrWouldBlock {
		return nil
	}
	if err != nil {
		return err
	}
	s.tls.out = s.tls.out[:copy(s.tls.out, s.tls.out[n:])]
	return nil
}

// CloseWrite tells the peer that nothing more comes.
func (s *Stream) CloseWrite() {
	if s.tls != nil && s.tls.shaken {
		_ = s.tls.conn.CloseWrite()
	}
	s.shutdownWrite()
}

// Close closes the stream. No callback follows.
func (s *Stream) Close() {
	if t := s.tls; t != nil {
		t.mu.Lock()
		t.eof, t.closed = true, true
		t.mu.Unlock()
		t.cond.Signal()
	}
	s.Socket.Close()
}

// Read implements net.Conn for crypto/tls.
func (t *tlsLayer) Read(p []byte) (int, error) {
	if !t.shaken {
		t.mu.Lock()
		defer t.mu.Unlock()
		for len(t.in) == 0 && !t.eof {
			t.cond.Wait()
		}
		if len(t.in) == 0 {
			return 0, io.EOF
		}
		n := t.take(p)
		if t.full && len(t.in) == 0 {
			t.unblock()
		}
		return n, nil
	}
	if len(t.in) > 0 {
		return t.take(p), nil
	}
	if t.drained {
		return 0, ErrWouldBlock
	}
	n, err := t.stream.Socket.Read(p)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	t.drained = n < len(p) // the next event tells of more
	return n, nil
}

func (t *tlsLayer) take(p []byte) int {
	n := copy(p, t.in)
	if t.in = t.in[n:]; len(t.in) == 0 {
		t.in = nil
	}
	return n
}

// Write implements net.Conn for crypto/tls.
func (t *tlsLayer) Write(p []byte) (int, error) {
	if !t.shaken {
		return t.writeHandshake(p)
	}
	n := 0
	if len(t.out) == 0 {
		var err error
		if n, err = t.stream.Socket.Write(p); err != nil && err != ErrWouldBlock {
			return 0, err
		}
	}
	t.out = append(t.out, p[n:]...)
	return len(p), nil
}

// writeHandshake sends a handshake message, which a socket that nothing was
// sent on before takes at once but for peers that mean harm.
func (t *tlsLayer) writeHandshake(p []byte) (int, error) {
	sent := 0
	for tries := 0; ; tries++ {
		t.mu.Lock() // Close waits for it
		if t.closed || tries > 1000 {
			t.mu.Unlock()
			return sent, io.ErrClosedPipe
		}
		n, err := send(t.fd, p[sent:])
		t.mu.Unlock()
		if err != nil && err != ErrWouldBlock {
			return sent, err
		}
		if sent += n; sent == len(p) {
			return sent, nil
		}
		time.Sleep(time.Millisecond)
	}
}

// The rest of net.Conn.

func (t *tlsLayer) Close() error                     { return nil }
func (t *tlsLayer) LocalAddr() net.Addr              { return tlsAddr{} }
func (t *tlsLayer) RemoteAddr() net.Addr             { return tlsAddr{} }
func (t *tlsLayer) SetDeadline(time.Time) error      { return nil }
func (t *tlsLayer) SetReadDeadline(time.Time) error  { return nil }
func (t *tlsLayer) SetWriteDeadline(time.Time) error { return nil }

type tlsAddr struct{}

func (tlsAddr) Network() string { return "tcp" }
func (tlsAddr) String() string  { return "" }
