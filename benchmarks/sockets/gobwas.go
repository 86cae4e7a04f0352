package sockets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// poller is a server of one event loop: a connection is a descriptor, and what has
// come of a frame that is not whole.
type poller struct {
	epoll, listener int
	peers           []peer // by descriptor
	in              []byte
	frames          bytes.Reader // of in
	head            [ws.MaxHeaderSize]byte
	out             bytes.Buffer
}

type peer struct {
	held  []byte // the beginning of a request, or of a frame
	speak bool   // WebSocket
}

func serveGobwas(o Order) error {
	runtime.LockOSThread()
	p := &poller{in: make([]byte, 256<<10)}
	if err := p.listen(o.Address); err != nil {
		return err
	}
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(p.epoll, events, 0)
		if n == 0 && err == nil { // only to wait takes a goroutine's thread from the scheduler
			n, err = unix.EpollWait(p.epoll, events, -1)
		}
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if fd := int(e.Fd); fd == p.listener {
				p.accept()
			} else if err := p.readable(fd); err != nil {
				p.peers[fd] = peer{}
				unix.Close(fd)
			}
		}
	}
}

func (p *poller) listen(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return fmt.Errorf("%q is not an IPv4 address and port", address)
	}
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if p.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(unix.SetsockoptInt(p.listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.Bind(p.listener, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}),
		unix.Listen(p.listener, 4096))
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return p.watch(p.listener)
}

func (p *poller) watch(fd int) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (p *poller) accept() {
	for {
		fd, _, err := unix.Accept4(p.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return // until the next event
		}
		for fd >= len(p.peers) {
			p.peers = append(p.peers, peer{})
		}
		p.peers[fd] = peer{}
		if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) != nil || p.watch(fd) != nil {
			unix.Close(fd)
		}
	}
}

// readable reads once, and writes once what there is to say. An error is the end
// of the connection.
func (p *poller) readable(fd int) error {
	peer := &p.peers[fd]
	had := copy(p.in, peer.held)
	n, err := unix.Read(fd, p.in[had:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	}
	data := p.in[:had+n]
	p.out.Reset()
	var used int
	if peer.speak {
		used, err = p.echo(data)
	} else {
		used, err = p.answer(peer, data)
	}
	peer.held = nil
	if used < len(data) {
		peer.held = bytes.Clone(data[used:])
	}
	if p.out.Len() > 0 {
		if n, failed := unix.Write(fd, p.out.Bytes()); n < p.out.Len() { // whoever does not read is let go of
			return fmt.Errorf("%d of %d bytes written: %w", n, p.out.Len(), failed)
		}
	}
	return err
}

// answer answers a request that has come whole, and returns how much it was.
func (p *poller) answer(peer *peer, data []byte) (used int, err error) {
	const end = "\r\n\r\n"
	at := bytes.Index(data, []byte(end))
	if at < 0 {
		return 0, nil
	}
	head := data[:at+len(end)]
	if !bytes.Contains(bytes.ToLower(head), []byte("\r\nupgrade:")) {
		p.out.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		return len(head), nil
	}
	_, err = ws.Upgrader{}.Upgrade(struct {
		io.Reader
		io.Writer
	}{bytes.NewReader(head), &p.out})
	peer.speak = err == nil
	return len(head), err
}

// echo answers the frames that have come whole, and returns how much they were.
func (p *poller) echo(data []byte) (used int, err error) {
	for {
		p.frames.Reset(data[used:])
		h, err := ws.ReadHeaderBuffer(&p.frames, p.head[:])
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return used, nil
		case err != nil:
			return used, err
		case h.Length > int64(p.frames.Len()):
			if h.Length > int64(len(p.in)-ws.MaxHeaderSize) {
				return used, fmt.Errorf("a frame of %d bytes", h.Length)
			}
			return used, nil
		}
		at := len(data) - p.frames.Len()
		payload := data[at : at+int(h.Length)]
		used = at + len(payload)
		if h.Masked {
			ws.Cipher(payload, h.Mask, 0)
		}
		if h.OpCode == ws.OpPong {
			continue
		}
		h.Masked = false
		if h.OpCode == ws.OpPing {
			h.OpCode = ws.OpPong
		}
		_ = ws.WriteHeaderBuffer(&p.out, h, p.head[:]) // into memory: does not fail
		p.out.Write(payload)
		if h.OpCode == ws.OpClose {
			return used, io.EOF
		}
	}
}
