package control

import (
	"net"
	"sync"
	"time"
)

// listener hands out connections that know their peer, and keeps any user
// from taking them all: root and the gateway's own user have all slots, every
// other user a few, and all others together leave a quarter to those two.
type listener struct {
	socket *socket
	access access

	mu     sync.Mutex
	open   int
	others int            // of open, those of users without privilege
	users  map[uint32]int // of others, by user
}

// conn is a connection whose peer is known.
type conn struct {
	net.Conn
	peer  Peer
	leave func()
}

// Close closes the connection and gives its slot back, once.
func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// Accept returns the next connection that there is room for. Any other is told
// so and closed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.socket.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c)
		if err != nil { // it is gone already
			_ = c.Close()
			continue
		}
		if !l.enter(peer) {
			_ = c.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = c.Write(tooManyConnections)
			_ = c.Close()
			continue
		}
		return &conn{Conn: c, peer: peer, leave: sync.OnceFunc(func() { l.leave(peer) })}, nil
	}
}

// Close removes the socket and stops accepting. Closing twice is fine.
func (l *listener) Close() error {
	_ = l.socket.Close()
	return nil
}

// Addr returns the address of the socket.
func (l *listener) Addr() net.Addr { return l.socket.Addr() }

func (l *listener) enter(p Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= maxConnections {
		return false
	}
	if !l.access.privileged(p) {
		if l.users[p.UID] >= maxConnectionsUser || l.others >= maxConnections*3/4 {
			return false
		}
		l.users[p.UID]++
		l.others++
	}
	l.open++
	return true
}

func (l *listener) leave(p Peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if !l.access.privileged(p) {
		l.others--
		if l.users[p.UID]--; l.users[p.UID] == 0 {
			delete(l.users, p.UID)
		}
	}
}

var tooManyConnections = []byte("HTTP/1.1 429 Too Many Requests\r\n" +
	"Connection: close\r\nRetry-After: 1\r\nContent-Type: application/json\r\n" +
	"x-amzn-ErrorType: " + CodeTooManyCalls + "\r\nContent-Length: 53\r\n\r\n" +
	`{"message":"Too many connections to the control API"}`)
