package text

import (
	"bytes"
	"encoding/binary"
)

// lowercase looks at eight bytes at a time: the high bit of a sum says whether a
// byte, without its own, is at least an A, or more than a Z.
func lowercase(b []byte) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		low := x &^ high
		upper := (low + (0x80-'A')*ones) ^ (low + (0x7f-'Z')*ones)
		binary.LittleEndian.PutUint64(b, x|(upper&^x&high)>>2)
	}
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c | 0x20
		}
	}
}

func uppercase(b []byte) {
	for i, c := range b {
		if c-'a' < 26 {
			b[i] = c &^ 0x20
		}
	}
}

func replace(b []byte, old, next byte) {
	for i, c := range b {
		if c == old {
			b[i] = next
		}
	}
}

func removeNulls(b []byte) int {
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return len(b)
	}
	for _, c := range b[n:] {
		if c != 0 {
			b[n] = c
			n++
		}
	}
	return n
}

// cmdLine makes command lines comparable: quotes and escapes go, separators
// become one space, and none before a slash or a parenthesis.
func cmdLine(b []byte) int {
	n := 0
	for _, c := range b {
		switch c {
		case '\\', '"', '\'', '^':
			continue
		case ' ', ',', ';', '\t', '\r', '\n':
			if n > 0 && b[n-1] == ' ' {
				continue
			}
			c = ' '
		case '/', '(':
			if n > 0 && b[n-1] == ' ' {
				n--
			}
		default:
			if c-'A' < 26 {
				c |= 0x20
			}
		}
		b[n] = c
		n++
	}
	return n
}

// isSpace reports whether c is white space, or a no-break space of Latin-1.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 160 }

// nextSpace returns how many bytes of white space b begins with, of one
// character: a no-break space has two in UTF-8.
func nextSpace(b []byte) int {
	switch {
	case len(b) > 1 && b[0] == 0xc2 && b[1] == 0xa0:
		return 2
	case isSpace(b[0]):
		return 1
	}
	return 0
}

func compressWhiteSpace(b []byte) int {
	n, space := 0, false
	for i := 0; i < len(b); {
		size := nextSpace(b[i:])
		switch {
		case size == 0:
			b[n] = b[i]
			n++
			i++
		case !space:
			b[n] = ' '
			n++
		}
		i += size
		space = size > 0
	}
	return n
}

func removeWhitespace(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		if size := nextSpace(b[i:]); size > 0 {
			i += size
			continue
		}
		b[n] = b[i]
		n++
		i++
	}
	return n
}

// trim cuts white space off the ends of the text buf[at:].
func trim(buf []byte, at int, left, right bool) ([]byte, int) {
	for left && at < len(buf) && nextSpace(buf[at:]) > 0 {
		at += nextSpace(buf[at:])
	}
	for right && at < len(buf) && isSpace(buf[len(buf)-1]) {
		end := len(buf) - 1
		if end > at && nextSpace(buf[end-1:]) == 2 {
			end--
		}
		buf = buf[:end]
	}
	return buf, at
}

// replaceComments makes one space of every C comment, also of one without end.
func replaceComments(b []byte) int {
	n := 0
	for i := 0; i < len(b); n++ {
		if b[i] != '/' || i+1 == len(b) || b[i+1] != '*' {
			b[n] = b[i]
			i++
			continue
		}
		b[n] = ' '
		end := bytes.Index(b[i+2:], []byte("*/"))
		if end < 0 {
			return n + 1
		}
		i += 2 + end + 2
	}
	return n
}

// removeCommentsChar takes out what begins and ends comments: /* */ -- #.
func removeCommentsChar(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		next := byte(0)
		if i+1 < len(b) {
			next = b[i+1]
		}
		switch c := b[i]; {
		case c == '/' && next == '*', c == '*' && next == '/', c == '-' && next == '-':
			i++
		case c != '#':
			b[n] = c
			n++
		}
		i++
	}
	return n
}
