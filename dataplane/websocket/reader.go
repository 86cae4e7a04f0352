package websocket

import "encoding/binary"

// Reader reads the frames of one direction of a connection from bytes that come
// in any pieces. It keeps no payload. The zero Reader reads what servers send;
// Masked makes it read what clients send.
type Reader struct {
	Masked bool

	fin     bool
	inside  bool   // the header is read, and payload bytes are to come
	split   bool   // part of the payload has been handed out
	text    text   // of the message under way
	op      Opcode // of the frame under way
	message Opcode // of the message under way, 0 between messages
	have    uint8  // bytes of head
	frames  uint32 // of the message under way
	left    uint32 // payload bytes of the frame to come
	total   uint32 // payload bytes of the message, those announced included
	key     uint32
	head    [maxHeader]byte // a header that has not come whole
}

// Part is a frame, or a piece of one.
type Part struct {
	Payload []byte // unmasked, in the bytes that were read
	Op      Opcode
	Message Opcode // of the message that the frame is part of
	Fin     bool   // the frame is the last of its message
	Whole   bool   // Payload is all of the frame
	Last    bool   // Payload ends the frame
}

// InMessage reports whether a message has begun and not ended.
func (r *Reader) InMessage() bool { return r.message != 0 }

// InFrame reports whether a frame has begun and not ended.
func (r *Reader) InFrame() bool { return r.inside || r.have > 0 }

// Next reads from data up to the end of a frame or of data, and returns how many
// bytes it used, which is at least one. The payload is unmasked in place. A part
// that is not Last may be empty. fault is the code to close with once the bytes
// break RFC 6455 or a limit; the reader cannot be used after that.
func (r *Reader) Next(data []byte, limits *Limits) (part Part, used int, fault Code) {
	if !r.inside {
		if used, fault = r.header(data, limits); fault != 0 || !r.inside {
			return Part{}, used, fault
		}
	}
	payload := data[used:]
	if uint32(len(payload)) > r.left {
		payload = payload[:r.left]
	}
	used += len(payload)
	r.left -= uint32(len(payload))
	last := r.left == 0
	part = Part{Payload: payload, Op: r.op, Message: r.message, Fin: r.fin, Whole: last && !r.split, Last: last}
	if r.Masked {
		mask(payload, r.key)
		r.key = turn(r.key, len(payload))
	}
	r.split = r.split || len(payload) > 0
	r.inside = !last
	if r.op.IsControl() {
		return part, used, 0
	}
	if r.message == OpText && !r.text.feed(payload) {
		return Part{}, used, InvalidPayload
	}
	if last && r.fin {
		if !r.text.between() { // ends within a character
			return Part{}, used, InvalidPayload
		}
		r.message = 0
	}
	return part, used, 0
}

// header reads a header, or as much of it as there is.
func (r *Reader) header(data []byte, limits *Limits) (used int, fault Code) {
	h := data
	if r.have > 0 {
		n := copy(r.head[r.have:], data)
		h = r.head[:int(r.have)+n]
	}
	size := 2
	if len(h) >= 2 {
		size = headerSize(h[1])
	}
	if len(h) < size {
		r.have = uint8(copy(r.head[:], h))
		if len(h) >= 2 { // what is wrong already need not be waited for
			return len(data), r.check(h[0], h[1], limits)
		}
		return len(data), 0
	}
	if fault = r.check(h[0], h[1], limits); fault != 0 {
		return 0, fault
	}
	length := uint64(h[1] & bitsSize)
	switch length {
	case size16:
		if length = uint64(binary.BigEndian.Uint16(h[2:])); length < size16 {
			return 0, ProtocolError
		}
	case size64:
		if length = binary.BigEndian.Uint64(h[2:]); length <= 0xFFFF || length>>63 != 0 {
			return 0, ProtocolError
		}
	}
	if r.Masked {
		r.key = binary.LittleEndian.Uint32(h[size-4:])
	}
	used = size - int(r.have)
	r.have = 0
	return used, r.begin(h[0], length, limits)
}

// headerSize returns the length of a header by its second byte.
func headerSize(second byte) int {
	size := 2
	switch second & bitsSize {
	case size16:
		size += 2
	case size64:
		size += 8
	}
	if second&bitMask != 0 {
		size += 4
	}
	return size
}

// check looks at what the first two bytes of a frame say.
func (r *Reader) check(first, second byte, limits *Limits) Code {
	op, fin := Opcode(first&bitsOp), first&bitFin != 0
	if first&bitsRSV != 0 || second&bitMask != 0 != r.Masked {
		return ProtocolError
	}
	switch op {
	case OpContinuation:
		if r.message == 0 {
			return ProtocolError
		}
	case OpText, OpBinary:
		if r.message != 0 {
			return ProtocolError
		}
		if op == OpBinary && limits.TextOnly {
			return UnsupportedData
		}
	case OpClose, OpPing, OpPong:
		if !fin || second&bitsSize > maxControl {
			return ProtocolError
		}
	default:
		return ProtocolError
	}
	return 0
}

// begin starts a frame whose header is sound.
func (r *Reader) begin(first byte, length uint64, limits *Limits) Code {
	r.op, r.fin = Opcode(first&bitsOp), first&bitFin != 0
	r.inside, r.split = true, false
	if r.op.IsControl() {
		r.left = uint32(length)
		return 0
	}
	if r.op != OpContinuation {
		r.message, r.text, r.frames, r.total = r.op, text{}, 0, 0
	}
	r.frames++
	if length > uint64(limits.Frame) || uint64(r.total)+length > uint64(limits.Message) {
		return TooBig
	}
	if int(r.frames) > limits.Fragments {
		return PolicyViolation
	}
	r.left = uint32(length)
	r.total += uint32(length)
	return 0
}
