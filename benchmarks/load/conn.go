package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"time"
)

// conn is a kept-alive connection of the generator. At most one request is on it.
type conn struct {
	fd   int
	busy bool
	due  time.Time // of the request on it
	buf  []byte    // what has been read of the answer
}

// connect opens a connection and puts it among the idle ones. It blocks, which
// on loopback takes no longer than a write.
func (g *generator) connect() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := syscall.Connect(fd, g.target); err != nil {
		syscall.Close(fd)
		return fmt.Errorf("connect: %w", err)
	}
	err = errors.Join(syscall.SetNonblock(fd, true),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		g.watch(fd, syscall.EPOLLIN))
	if err != nil {
		syscall.Close(fd)
		return err
	}
	c := &conn{fd: fd, buf: make([]byte, 0, 16<<10)}
	g.conns[fd] = c
	g.idle = append(g.idle, c)
	return nil
}

// readable reads what has come; nil is a connection that was closed earlier in
// the same batch of events.
func (g *generator) readable(c *conn) {
	if c == nil {
		return
	}
	n, err := rawRead(c.fd, c.buf[len(c.buf):cap(c.buf)])
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return
	case err != nil:
		g.broken(c, fmt.Errorf("read: %w", err))
		return
	case n == 0:
		g.broken(c, io.ErrUnexpectedEOF)
		return
	case !c.busy:
		g.fail(1, errors.New("bytes that answer no request"))
		g.broken(c, nil)
		return
	}
	c.buf = c.buf[:len(c.buf)+n]
	a, err := parseAnswer(c.buf)
	switch {
	case err == errIncomplete && len(c.buf) < cap(c.buf):
	case err == errIncomplete:
		g.broken(c, fmt.Errorf("an answer of more than %d bytes", cap(c.buf)))
	case err != nil:
		g.broken(c, err)
	default:
		c.buf = c.buf[:0]
		g.answered(c, a.status, a.last)
	}
}

type answer struct {
	status int
	last   bool // Connection: close
}

var errIncomplete = errors.New("load: the answer is not complete")

// parseAnswer reads one answer with a Content-Length, which every rival sends
// for the bodies used here; another framing is an error.
func parseAnswer(b []byte) (answer, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return answer{}, errIncomplete
	}
	head, length := b[:end], -1
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return answer{}, fmt.Errorf("status line %q", line)
	}
	var a answer
	var err error
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, fmt.Errorf("status line %q", line)
	}
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, fmt.Errorf("Content-Length %q", value)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			a.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	switch got := len(b) - end - 4; {
	case length < 0:
		return a, errors.New("an answer without Content-Length")
	case got < length:
		return a, errIncomplete
	case got > length:
		return a, errors.New("bytes after the answer")
	}
	return a, nil
}
