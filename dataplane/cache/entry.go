package cache

import (
	"bytes"
	"encoding/binary"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Meta of an entry in mode aws: the status and the field lines of the answer
// that are the same for every request, with their line ends.

const metaHead = 2

// ofOneAnswer are fields, renamed as AWS does, that were about the backend's one
// answer and connection.
var ofOneAnswer = []string{"x-amzn-remapped-connection", "x-amzn-remapped-content-length", "x-amzn-remapped-date"}

// AppendMeta appends the meta of an answer.
func AppendMeta(dst []byte, status int, fields []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(status))
	for len(fields) > 0 {
		end := bytes.IndexByte(fields, '\n') + 1
		if end == 0 {
			end = len(fields)
		}
		if !isOfOneAnswer(fields[:end]) {
			dst = append(dst, fields[:end]...)
		}
		fields = fields[end:]
	}
	return dst
}

func isOfOneAnswer(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte{':'})
	for _, other := range ofOneAnswer {
		if http1.EqualFold(name, other) {
			return true
		}
	}
	return false
}

// ReadMeta is the reverse. It is false for what is none.
func ReadMeta(meta []byte) (status int, fields []byte, ok bool) {
	if len(meta) < metaHead {
		return 0, nil, false
	}
	status = int(binary.BigEndian.Uint16(meta))
	return status, meta[metaHead:], status >= 200 && status < 600
}
