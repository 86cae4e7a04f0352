package pipeline

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

const hexDigits = "0123456789abcdef"

// appendHex appends the low digits of v, at most 16 of them.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&15])
	}
	return dst
}

// appendUUID appends a random UUID (RFC 9562 section 5.4).
func (w *Worker) appendUUID(dst []byte) []byte {
	a, b := w.random.Uint64(), w.random.Uint64()
	dst = append(appendHex(dst, a>>32, 8), '-')
	dst = append(appendHex(dst, a>>16, 4), '-')
	dst = append(appendHex(dst, a&0xfff|0x4000, 4), '-')
	dst = append(appendHex(dst, b>>48&0x3fff|0x8000, 4), '-')
	return appendHex(dst, b, 12)
}

// isUUID reports whether v has the form of a UUID.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// identify gives the request its ids. A client may choose the request id, if it
// is a UUID; anything else is replaced, and the access log says so.
func (t *transaction) identify() {
	w := t.worker
	t.replacedID = false
	if v := t.x.Request.Get(http1.XAmznRequestID); v != nil && isUUID(v) {
		t.requestID = append(t.requestID[:0], v...)
	} else {
		t.requestID = w.appendUUID(t.requestID[:0])
		t.replacedID = v != nil
	}
	t.extendedID = telemetry.AppendExtendedID(t.extendedID[:0], w.random)
	t.sourceIP = t.sourceIP[:0]
	if remote := t.x.Remote(); remote.IsValid() {
		t.sourceIP = remote.Addr().AppendTo(t.sourceIP)
	}
}

const replacedMarker = "_REPLACED_INVALID_REQUEST_ID"

// trace writes the X-Amzn-Trace-Id for the backend: the client's, completed, or
// a new one.
func (t *transaction) trace(now int64) []byte {
	w := t.worker
	t.traceID = t.traceID[:0]
	if v := t.x.Request.Get(http1.XAmznTraceID); bytes.HasPrefix(v, []byte("Root=")) && len(v) <= 256 {
		t.traceID = append(t.traceID, v...)
		if !bytes.Contains(v, []byte("Parent=")) {
			t.traceID = append(t.traceID, ";Parent="...)
			t.traceID = appendHex(t.traceID, w.random.Uint64(), 16)
			t.traceID = append(t.traceID, ";Sampled=0"...)
		}
		return t.traceID
	}
	t.traceID = telemetry.AppendTraceID(t.traceID, w.loop.Wall(now), w.random)
	return t.traceID
}
