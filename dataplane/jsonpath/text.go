package jsonpath

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendText appends a value that Find returned as a text: a string without its
// quotes and escapes, anything else as it stands. Half a surrogate pair becomes
// U+FFFD.
func AppendText(dst, value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return append(dst, value...)
	}
	return appendUnescaped(dst, value[1:len(value)-1])
}

// IsNull reports whether a value is null.
func IsNull(value []byte) bool { return string(value) == "null" }

// IsScalar reports whether a value is neither an object nor an array.
func IsScalar(value []byte) bool {
	return len(value) > 0 && value[0] != '{' && value[0] != '['
}

// appendUnescaped appends the inside of a string, which must be valid.
func appendUnescaped(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		var r rune
		r, s = unescape(s[i:])
		dst = utf8.AppendRune(dst, r)
	}
}

// unescape reads the escape that s begins with.
func unescape(s []byte) (rune, []byte) {
	switch c := s[1]; c {
	case 'b':
		return '\b', s[2:]
	case 'f':
		return '\f', s[2:]
	case 'n':
		return '\n', s[2:]
	case 'r':
		return '\r', s[2:]
	case 't':
		return '\t', s[2:]
	case 'u':
	default:
		return rune(c), s[2:]
	}
	r, s := hexRune(s[2:]), s[6:]
	if utf16.IsSurrogate(r) {
		if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
			if pair := utf16.DecodeRune(r, hexRune(s[2:])); pair != utf8.RuneError {
				return pair, s[6:]
			}
		}
		return utf8.RuneError, s
	}
	return r, s
}

func hexRune(s []byte) (r rune) {
	for _, c := range s[:4] {
		r = r<<4 | rune(hexValue(c))
	}
	return r
}

func hexValue(c byte) int {
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

// isName reports whether the inside of a string is name.
func isName(s []byte, name string) bool {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s) == name
	}
	var buf [utf8.UTFMax]byte
	for len(s) > 0 {
		part := s[:1]
		if s[0] == '\\' {
			var r rune
			r, s = unescape(s)
			part = utf8.AppendRune(buf[:0], r)
		} else {
			s = s[1:]
		}
		if len(name) < len(part) || name[:len(part)] != string(part) {
			return false
		}
		name = name[len(part):]
	}
	return name == ""
}
