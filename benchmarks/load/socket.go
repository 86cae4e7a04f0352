package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"
)

// Socket says where WebSockets are to be had.
type Socket struct {
	Address string // host:port, clear text
	Host    string // of the request; Address when empty
	Path    string
	// Hello, when set, is the message that each client begins with, and that is
	// answered by one. If the answer has a connectionId, that is the client's.
	Hello string
}

// The key of all handshakes and what accepts it are the example of RFC 6455
// section 1.3.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func (s Socket) request() []byte {
	host := s.Host
	if host == "" {
		host = s.Address
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		s.Path, host, handshakeKey)
}

// parseUpgrade reads the answer to the request, and returns its length.
func parseUpgrade(b []byte) (int, error) {
	const end = "\r\n\r\n"
	at := bytes.Index(b, []byte(end))
	if at < 0 {
		return 0, errPartial
	}
	head := string(b[:at])
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		line, _, _ := strings.Cut(head, "\r\n")
		return 0, fmt.Errorf("the answer to the wish for a WebSocket is %q", line)
	}
	if !strings.Contains(head, handshakeAccept) {
		return 0, errors.New("the answer to the wish for a WebSocket is not that to our key")
	}
	return at + len(end), nil
}

// client is one WebSocket of a crowd.
type client struct {
	fd    int
	held  []byte // the beginning of an answer or a frame
	due   time.Time
	speak bool   // the handshake is done
	ready bool   // the hello, if there is one, is too
	id    string // that the server gave it
	turn  uint64 // of the message under way
}

// dial connects and asks for a WebSocket. It blocks, which on loopback takes no
// longer than a write. Sixteen loopback source addresses keep one address from
// running out of ports.
func dial(to syscall.Sockaddr, request []byte, n int) (fd int, err error) {
	if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0); err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT: connect chooses the port
	from := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + n%16)}}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.Bind(fd, from))
	if err == nil {
		if err = syscall.Connect(fd, to); err != nil {
			err = fmt.Errorf("connect: %w", err)
		}
	}
	if err == nil {
		_, err = syscall.Write(fd, request)
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// errClosed is told of a client whose server has hung up.
var errClosed = fmt.Errorf("load: a WebSocket was closed: %w", io.ErrUnexpectedEOF)
