package websocket

import (
	"encoding/base64"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// maxInterim bounds the 1xx answers before the final one.
const maxInterim = 8

// ask sends the request (RFC 6455 section 4.1).
func (d *dialing) ask() {
	nonce := d.shard.nonce()
	base64.StdEncoding.Encode(d.key[:], nonce[:])
	b := append(d.out[:0], d.Head...)
	b = append(b, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
	b = append(append(b, d.key[:]...), "\r\n"...)
	if len(d.Protocols) > 0 {
		b = append(append(append(b, "Sec-WebSocket-Protocol: "...), d.Protocols...), "\r\n"...)
	}
	d.out = append(b, "\r\n"...)
	d.step = dialAsked
	d.backend.stream.SetDeadline(d.Deadline)
	d.flush()
	if d.step == dialAsked && d.backend.stream.IsTLS() { // the answer may have come with the handshake
		d.OnReadable()
	}
}

// flush sends what is left of the request.
func (d *dialing) flush() {
	s := &d.backend.stream
	err := s.Flush()
	if err == nil && len(d.out) > 0 && s.Unsent() == 0 {
		var n int
		if n, err = s.Write(d.out); n > 0 {
			d.out = d.out[n:]
		}
	}
	if err != nil && err != loop.ErrWouldBlock {
		d.out = nil // the answer, or the end of the stream, tells what happened
	}
	s.WantWrite(len(d.out) > 0 || s.Unsent() > 0)
}

// read reads once and reports whether there may be more.
func (d *dialing) read() bool {
	if d.step != dialAsked && d.step != dialBody {
		return false
	}
	s := &d.backend.stream
	buf := s.Loop().ReadBuffer
	n, err := s.Read(buf)
	switch {
	case err == loop.ErrWouldBlock:
		return false
	case err != nil || n == 0:
		d.ended()
		return false
	case d.step == dialAsked:
		d.takeHead(buf[:n])
	default:
		d.takeBody(buf[:n])
	}
	return true
}

// ended is the end of the stream.
func (d *dialing) ended() {
	switch d.step {
	case dialConnecting, dialAsked:
		d.fail(NoAnswer)
	case dialBody:
		d.answered(d.body.untilClose)
	}
}

// takeHead looks for the head of the final answer.
func (d *dialing) takeHead(data []byte) {
	scanned := len(d.in)
	d.in = append(d.in, data...)
	for {
		n := http1.HeadEnd(d.in, scanned)
		if n == 0 {
			if len(d.in) > http1.MaxResponseHead {
				d.fail(BadAnswer)
			}
			return
		}
		if n > http1.MaxResponseHead || d.answer.Parse(d.in[:n:n]) != 0 {
			d.fail(BadAnswer)
			return
		}
		if d.answer.Status >= 200 || d.answer.Status == 101 {
			d.head = n
			break
		}
		if d.interim++; d.interim > maxInterim {
			d.fail(BadAnswer)
			return
		}
		d.in, scanned = d.in[n:], 0
	}
	if d.answer.Status != 101 {
		d.step = dialBody
		d.body.begin(&d.answer)
		d.takeBody(d.in[d.head:])
		return
	}
	if !d.agrees() {
		d.fail(BadAnswer)
		return
	}
	d.step = dialAgreed
	d.backend.stream.Pause() // until Pass
	d.Caller.Upgraded(d.backend)
}

// agrees reports whether the answer agrees to what was asked, and to nothing
// else (RFC 6455 section 4.1).
func (d *dialing) agrees() bool {
	a := &d.answer
	if a.Minor != 1 || !hasToken(&a.Headers, http1.Upgrade, "websocket") || !hasToken(&a.Headers, http1.Connection, "upgrade") ||
		a.Chunked || a.ContentLength > 0 {
		return false
	}
	want := acceptFor(d.key)
	accepts, protocols := 0, 0
	for i := range a.Len() {
		if a.ID(i) != http1.Other {
			continue
		}
		switch name := a.Name(i); {
		case http1.EqualFold(name, fieldAccept):
			if accepts++; string(a.Value(i)) != string(want[:]) {
				return false
			}
		case http1.EqualFold(name, fieldProtocol):
			protocols++
			d.protocol = a.Value(i)
		case http1.EqualFold(name, fieldExtensions): // none was asked for
			return false
		}
	}
	return accepts == 1 && (protocols == 0 || protocols == 1 && d.offered(d.protocol))
}

func (d *dialing) offered(protocol []byte) bool {
	for list := d.Protocols; len(list) > 0; {
		var name []byte
		if name, list = element(list); len(name) > 0 && string(name) == string(protocol) {
			return true
		}
	}
	return false
}

// early returns what the backend said right after its answer.
func (d *dialing) early() []byte { return d.in[d.head:] }

// answerBody is the body of an answer that does not agree.
type answerBody struct {
	bytes      []byte
	left       int64 // to come, with Content-Length
	chunked    http1.Chunked
	framing    http1.Framing
	untilClose bool
	none       bool
}

func (b *answerBody) begin(r *http1.Response) {
	b.framing = r.Framing
	b.left = r.ContentLength
	b.none = http1.NoBody(r.Status, http1.GET)
	b.untilClose = !b.none && !r.Chunked && r.ContentLength < 0
}

// takeBody uses bytes of the body, and tells the caller when they are all there.
func (d *dialing) takeBody(data []byte) {
	b := &d.body
	whole := false
	switch {
	case b.none:
		data, whole = nil, true
	case b.framing.Chunked:
		piece, _, fault := b.chunked.Compact(data)
		if fault != 0 {
			d.answered(false)
			return
		}
		data, whole = piece, b.chunked.Done()
	case b.framing.ContentLength >= 0:
		data = data[:min(int64(len(data)), b.left)]
		b.left -= int64(len(data))
		whole = b.left == 0
	}
	b.bytes = append(b.bytes, data...)
	if whole || len(b.bytes) > MaxAnswer {
		d.answered(len(b.bytes) <= MaxAnswer)
	}
}

func (d *dialing) answered(whole bool) {
	d.close()
	d.step = dialOver
	if !whole {
		d.body.bytes = nil
	}
	d.Caller.Answered(&d.answer, d.body.bytes, whole)
}
