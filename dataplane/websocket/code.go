package websocket

import (
	"strconv"
	"unicode/utf8"
)

// Code is the status code of a close (RFC 6455 section 7.4 and IANA's registry);
// 0 is none.
type Code uint16

// Codes.
const (
	Normal             Code = 1000
	GoingAway          Code = 1001
	ProtocolError      Code = 1002
	UnsupportedData    Code = 1003
	NoStatus           Code = 1005 // a close frame without a code; never sent
	Abnormal           Code = 1006 // no close frame at all; never sent
	InvalidPayload     Code = 1007
	PolicyViolation    Code = 1008
	TooBig             Code = 1009
	MandatoryExtension Code = 1010
	InternalError      Code = 1011
	ServiceRestart     Code = 1012
	TryAgainLater      Code = 1013
	BadGateway         Code = 1014
)

func (c Code) String() string { return strconv.Itoa(int(c)) }

// Sendable reports whether a close frame may carry the code.
func (c Code) Sendable() bool {
	return c >= Normal && c <= UnsupportedData || c >= InvalidPayload && c <= BadGateway || c >= 3000 && c <= 4999
}

// MaxReason is the most bytes of a reason that fit into a close frame.
const MaxReason = maxControl - 2

// AppendClose appends the payload of a close frame: nothing for NoStatus and for
// codes that may not be sent. A reason that is too long is cut between
// characters.
func AppendClose(dst []byte, code Code, reason string) []byte {
	if !code.Sendable() {
		return dst
	}
	if len(reason) > MaxReason {
		n := MaxReason
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	return append(append(dst, byte(code>>8), byte(code)), reason...)
}

// ParseClose reads the payload of a close frame. fault is the code to close with
// if it breaks the protocol, else 0.
func ParseClose(payload []byte) (code Code, reason []byte, fault Code) {
	switch len(payload) {
	case 0:
		return NoStatus, nil, 0
	case 1:
		return 0, nil, ProtocolError
	}
	code, reason = Code(payload[0])<<8|Code(payload[1]), payload[2:]
	if !code.Sendable() {
		return 0, nil, ProtocolError
	}
	if !utf8.Valid(reason) {
		return 0, nil, InvalidPayload
	}
	return code, reason, 0
}
