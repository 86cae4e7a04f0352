package rfc9111

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// line is a stored field line.
type line struct {
	id    http1.ID
	name  []byte
	value []byte
	whole []byte // with its CRLF
}

// nextLine cuts the first line off stored fields.
func nextLine(b []byte) (l line, rest []byte) {
	end := bytes.IndexByte(b, '\n') + 1
	if end == 0 {
		end = len(b)
	}
	l.whole = b[:end]
	if colon := bytes.IndexByte(l.whole, ':'); colon > 0 {
		l.name = l.whole[:colon]
		l.value = trim(bytes.TrimSuffix(l.whole[colon+1:], []byte("\r\n")))
		l.id = http1.FindID(l.name)
	}
	return l, b[end:]
}
