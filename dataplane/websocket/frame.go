package websocket

import "encoding/binary"

// Opcode says what a frame is (RFC 6455 section 5.2).
type Opcode uint8

// Opcodes. Every other one is reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether the frame is about the connection rather than part
// of a message.
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// Bits of a frame's first two bytes.
const (
	bitFin   = 0x80
	bitsRSV  = 0x70
	bitsOp   = 0x0F
	bitMask  = 0x80
	bitsSize = 0x7F
)

const (
	maxHeader  = 14  // bytes
	maskSize   = 4   // bytes of the key, at the end of a masked frame's header
	maxControl = 125 // bytes of a control frame's payload
	size16     = 126 // in the length's place: it follows in two bytes
	size64     = 127 // in eight
)

// AppendHeader appends the header of an unmasked frame, as servers send.
func AppendHeader(dst []byte, fin bool, op Opcode, size int) []byte {
	return appendHeader(dst, fin, op, 0, size)
}

// AppendFrame appends an unmasked frame.
func AppendFrame(dst []byte, fin bool, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, fin, op, len(payload)), payload...)
}

// AppendMasked appends a frame as clients send: payload masked with key.
func AppendMasked(dst []byte, fin bool, op Opcode, payload []byte, key uint32) []byte {
	dst = appendHeader(dst, fin, op, bitMask, len(payload))
	dst = binary.LittleEndian.AppendUint32(dst, key)
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], key)
	return dst
}

func appendHeader(dst []byte, fin bool, op Opcode, masked byte, size int) []byte {
	first := byte(op)
	if fin {
		first |= bitFin
	}
	switch {
	case size < size16:
		return append(dst, first, masked|byte(size))
	case size <= 0xFFFF:
		return append(dst, first, masked|size16, byte(size>>8), byte(size))
	}
	return binary.BigEndian.AppendUint64(append(dst, first, masked|size64), uint64(size))
}
