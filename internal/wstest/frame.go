// Package wstest has what RFC 6455 asks of a server as cases of bytes to say and
// frames to expect, for tests of the engine and of the binary. It shares no code
// with what it tests.
package wstest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Opcodes.
const (
	Continuation = 0x0
	Text         = 0x1
	Binary       = 0x2
	Close        = 0x8
	Ping         = 0x9
	Pong         = 0xA
)

// Frame is one frame, right or wrong.
type Frame struct {
	Op      byte
	More    bool // the FIN bit is not set
	RSV     byte // 0 to 7
	Payload []byte
}

func (f Frame) String() string {
	fin, payload := "", f.Payload
	if f.More {
		fin = "+"
	}
	if len(payload) > 40 {
		payload = payload[:40]
	}
	return fmt.Sprintf("{op %x%s rsv %d, %d bytes %q}", f.Op, fin, f.RSV, len(f.Payload), payload)
}

// T returns a whole text message.
func T(s string) Frame { return Frame{Op: Text, Payload: []byte(s)} }

// CloseFrame returns a close frame; code 0 makes it empty.
func CloseFrame(code int, reason string) Frame {
	if code == 0 {
		return Frame{Op: Close}
	}
	return Frame{Op: Close, Payload: append([]byte{byte(code >> 8), byte(code)}, reason...)}
}

// Key masks what Bytes writes.
var Key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Bytes returns frames as a client sends them.
func Bytes(frames ...Frame) (b []byte) {
	for _, f := range frames {
		b = append(b, Header(f, len(f.Payload), 0, true)...)
		for i, c := range f.Payload {
			b = append(b, c^Key[i%4])
		}
	}
	return b
}

// Header returns a frame's header that announces size bytes, with the length in
// at least width bytes (0, 2 or 8) and masked or not.
func Header(f Frame, size, width int, masked bool) (h []byte) {
	first, mask := f.Op|f.RSV<<4, byte(0)
	if !f.More {
		first |= 0x80
	}
	if masked {
		mask = 0x80
	}
	switch {
	case size > 0xFFFF || width == 8:
		h = binary.BigEndian.AppendUint64([]byte{first, mask | 127}, uint64(size))
	case size > 125 || width == 2:
		h = binary.BigEndian.AppendUint16([]byte{first, mask | 126}, uint16(size))
	default:
		h = []byte{first, mask | byte(size)}
	}
	if masked {
		h = append(h, Key[:]...)
	}
	return h
}

// Read reads a frame of a server.
func Read(r *bufio.Reader) (f Frame, err error) {
	var h [8]byte
	if _, err = io.ReadFull(r, h[:2]); err != nil {
		return f, err
	}
	f = Frame{Op: h[0] & 15, RSV: h[0] >> 4 & 7, More: h[0]&0x80 == 0}
	size := uint64(h[1])
	switch size {
	case 126:
		_, err = io.ReadFull(r, h[:2])
		size = uint64(binary.BigEndian.Uint16(h[:2]))
	case 127:
		_, err = io.ReadFull(r, h[:8])
		size = binary.BigEndian.Uint64(h[:8])
	}
	if err != nil {
		return f, err
	}
	if size > 1<<26 {
		return f, fmt.Errorf("frame of %d bytes, or masked", size)
	}
	f.Payload = make([]byte, size)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
