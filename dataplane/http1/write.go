package http1

import (
	"net/http"
	"strconv"
)

// statusLines has "HTTP/1.1 200 OK\r\n" for every status that has a reason.
var statusLines [600]string

func init() {
	for status := range statusLines {
		if reason := http.StatusText(status); reason != "" {
			statusLines[status] = "HTTP/1.1 " + strconv.Itoa(status) + " " + reason + "\r\n"
		}
	}
}

// AppendStatus appends a status line.
func AppendStatus(dst []byte, status int) []byte {
	if status >= 0 && status < len(statusLines) && statusLines[status] != "" {
		return append(dst, statusLines[status]...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	return append(dst, " \r\n"...)
}

// AppendField appends a field line. The caller vouches for its bytes.
func AppendField(dst []byte, name string, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendContentLength appends a Content-Length field.
func AppendContentLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

// AppendChunkSize appends the line that starts a chunk of n bytes; the chunk's
// data must be followed by CRLF.
func AppendChunkSize(dst []byte, n int) []byte {
	dst = strconv.AppendInt(dst, int64(n), 16)
	return append(dst, "\r\n"...)
}

// LastChunk ends a chunked body.
const LastChunk = "0\r\n\r\n"

// ValidValue reports whether v may be written as a field value.
func ValidValue(v []byte) bool {
	for _, c := range v {
		if !isFieldValue[c] {
			return false
		}
	}
	return true
}

// ValidHost reports whether v may be written as the value of a Host field. It
// may lower-case v in place.
func ValidHost(v []byte) bool {
	_, ok := parseHost(v)
	return ok
}
