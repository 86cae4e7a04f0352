package cache

import "encoding/binary"

// Meta of an entry in mode aws: the status and the field lines of the answer
// that are the same for every request, with their line ends.

const metaHead = 2

// AppendMeta appends the meta of an answer.
func AppendMeta(dst []byte, status int, fields []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(status)), fields...)
}

// ReadMeta is the reverse. It is false for what is none.
func ReadMeta(meta []byte) (status int, fields []byte, ok bool) {
	if len(meta) < metaHead {
		return 0, nil, false
	}
	status = int(binary.BigEndian.Uint16(meta))
	return status, meta[metaHead:], status >= 200 && status < 600
}
