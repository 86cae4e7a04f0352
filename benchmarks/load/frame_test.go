package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestFramesAreThoseOfOthers(t *testing.T) {
	for _, size := range []int{0, 1, 7, 125, 126, 128, 0xFFFF, 0x10000} {
		payload := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		h, got, rest, err := readFrame(appendFrame(nil, opText, payload, 0xA1B2C3D4))
		if err != nil || !h.Fin || !h.Masked || h.OpCode != ws.OpText || len(rest) > 0 {
			t.Fatalf("%d bytes: %+v, %v", size, h, err)
		}
		if ws.Cipher(got, h.Mask, 0); !bytes.Equal(got, payload) {
			t.Errorf("%d bytes came as others", size)
		}
		if size > maxFrame {
			continue
		}
		sent := ws.MustCompileFrame(ws.NewTextFrame(payload))
		f, err := parseFrame(append(sent, "next"...))
		if err != nil || f.op != opText || f.size != len(sent) || !bytes.Equal(f.payload, payload) {
			t.Errorf("%d bytes: %+v, %v", size, f, err)
		}
		for i := range sent {
			if _, err := parseFrame(sent[:i]); err != errPartial {
				t.Fatalf("%d of %d bytes: %v", i, len(sent), err)
			}
		}
	}
}

func TestFramesThatWereNotAgreedOn(t *testing.T) {
	for name, c := range map[string]struct{ frame, says string }{
		"masked":     {"\x81\x84abcdabcd", "masked"},
		"compressed": {"\xc1\x01x", "kind"},
		"a part":     {"\x01\x01x", "kind"},
		"too large":  {"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "65536 bytes"},
		"absurd":     {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "bytes"},
	} {
		if _, err := parseFrame([]byte(c.frame)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseFrame(f *testing.F) {
	for _, size := range []int{0, 3, 126, 0x10000} {
		f.Add(ws.MustCompileFrame(ws.NewTextFrame(make([]byte, size))))
	}
	f.Add(binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseFrame(b)
		h, want, rest, theirs := readFrame(b)
		switch {
		case err == nil && (theirs != nil || !bytes.Equal(got.payload, want) || got.op != byte(h.OpCode) || got.size != len(b)-len(rest)):
			t.Errorf("%+v, want %+v, %v", got, h, theirs)
		case errors.Is(err, errPartial) && theirs == nil:
			t.Errorf("%x is whole for others", b)
		}
	})
}

// readFrame reads a frame as gobwas/ws does.
func readFrame(b []byte) (h ws.Header, payload, rest []byte, err error) {
	r := bytes.NewReader(b)
	if h, err = ws.ReadHeader(r); err != nil {
		return h, nil, nil, err
	}
	rest = b[len(b)-r.Len():]
	if int64(len(rest)) < h.Length {
		return h, nil, nil, io.ErrUnexpectedEOF
	}
	return h, rest[:h.Length], rest[h.Length:], nil
}

func TestParseUpgrade(t *testing.T) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: " + handshakeAccept + "\r\n\r\n"
	if n, err := parseUpgrade([]byte(good + "\x81\x00")); n != len(good) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parseUpgrade([]byte(good[:len(good)-1])); err != errPartial {
		t.Error(err)
	}
	for answer, says := range map[string]string{
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n":                     "403 Forbidden",
		"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: other\r\n\r\n": "our key",
	} {
		if _, err := parseUpgrade([]byte(answer)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
