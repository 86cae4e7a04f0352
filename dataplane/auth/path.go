package auth

import "bytes"

// A policy names paths, and a path can be written in many ways that the router or
// a backend takes for the same. So a path that is not plain is judged twice: as
// it is, and as they would read it.

// isPlain reports whether a path, with its first slash, has one reading.
func isPlain(path []byte) bool {
	return bytes.IndexByte(path, '%') < 0 && !bytes.Contains(path, []byte("//")) && (len(path) < 2 || path[len(path)-1] != '/')
}

// appendPlain appends a path, without its first slash, with percent-encoding
// undone, repeated slashes joined, and none at its ends.
func appendPlain(dst, path []byte) []byte {
	start := len(dst)
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if high, low := unhex(path[i+1]), unhex(path[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		if c == '/' && (len(dst) == start || dst[len(dst)-1] == '/') {
			continue
		}
		dst = append(dst, c)
	}
	if len(dst) > start && dst[len(dst)-1] == '/' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
