package wstest

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Echo is a backend that answers messages with themselves, each in one frame,
// pings with pongs and a close with the same. It checks nothing: that is for
// whoever stands before it.
func Echo(conn net.Conn) {
	br := bufio.NewReader(conn)
	r, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see the import
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	var message Frame
	for {
		f, err := readMasked(br)
		if err != nil {
			return
		}
		switch f.Op {
		case Ping:
			f.Op = Pong
			err = write(conn, f)
		case Pong:
		case Close:
			_ = write(conn, f)
			return
		case Continuation:
			message.Payload = append(message.Payload, f.Payload...)
		default:
			message = f
		}
		if f.Op < Close && !f.More {
			message.More = false
			err = write(conn, message)
		}
		if err != nil {
			return
		}
	}
}

func write(w io.Writer, f Frame) error {
	_, err := w.Write(append(Header(f, len(f.Payload), 0, false), f.Payload...))
	return err
}

// readMasked reads a frame of a client.
func readMasked(r *bufio.Reader) (f Frame, err error) {
	var h [8]byte
	if _, err = io.ReadFull(r, h[:2]); err != nil {
		return f, err
	}
	f = Frame{Op: h[0] & 15, More: h[0]&0x80 == 0}
	size := uint64(h[1] & 127)
	switch size {
	case 126:
		_, err = io.ReadFull(r, h[:2])
		size = uint64(binary.BigEndian.Uint16(h[:2]))
	case 127:
		_, err = io.ReadFull(r, h[:8])
		size = binary.BigEndian.Uint64(h[:8])
	}
	if err != nil || size > 1<<20 {
		return f, io.ErrUnexpectedEOF
	}
	if _, err = io.ReadFull(r, h[:4]); err != nil {
		return f, err
	}
	f.Payload = make([]byte, size)
	if _, err = io.ReadFull(r, f.Payload); err != nil {
		return f, err
	}
	for i := range f.Payload {
		f.Payload[i] ^= h[i%4]
	}
	return f, nil
}
