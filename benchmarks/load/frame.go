package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of the frames that are met here (RFC 6455 section 5.2).
const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xA
)

// Bits of a frame's first two bytes, and what stands for a length of more bytes.
const (
	bitFin  = 0x80
	bitMask = 0x80
	size16  = 126
	size64  = 127
)

// appendFrame appends a frame as clients send: masked with key.
func appendFrame(dst []byte, op byte, payload []byte, key uint32) []byte {
	dst = append(dst, bitFin|op)
	switch n := len(payload); {
	case n < size16:
		dst = append(dst, bitMask|byte(n))
	case n <= 0xFFFF:
		dst = append(dst, bitMask|size16, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, bitMask|size64), uint64(n))
	}
	dst = binary.LittleEndian.AppendUint32(dst, key)
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], key)
	return dst
}

func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}

// frame is a frame as servers send it: all of a message, and not masked.
type frame struct {
	op      byte
	payload []byte // in the bytes that were parsed
	size    int    // bytes of the frame, with its header
}

// maxFrame bounds the payload of a frame, in bytes.
const maxFrame = 32 << 10

var errPartial = errors.New("load: the frame is not whole")

// parseFrame reads the frame that b begins with.
func parseFrame(b []byte) (frame, error) {
	if len(b) < 2 {
		return frame{}, errPartial
	}
	f, head, length := frame{op: b[0] &^ bitFin}, 2, uint64(b[1])
	switch {
	case b[0]&bitFin == 0 || f.op&0x70 != 0:
		return frame{}, fmt.Errorf("a frame of a kind that was not agreed on: %#x", b[0])
	case b[1]&bitMask != 0:
		return frame{}, errors.New("a masked frame")
	case length == size16 && len(b) >= 4:
		head, length = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case length == size64 && len(b) >= 10:
		head, length = 10, binary.BigEndian.Uint64(b[2:])
	case length >= size16:
		return frame{}, errPartial
	}
	if length > maxFrame {
		return frame{}, fmt.Errorf("a frame of %d bytes", length)
	}
	f.size = head + int(length)
	if len(b) < f.size {
		return frame{}, errPartial
	}
	f.payload = b[head:f.size]
	return f, nil
}
