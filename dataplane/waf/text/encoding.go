package text

import (
	"bytes"
	"unicode/utf8"
)

// urlDecode undoes percent-encoding, and also %uHHHH when uni is true.
func urlDecode(b []byte, uni bool) int {
	n := bytes.IndexByte(b, '%')
	if n < 0 {
		n = len(b)
	}
	if plus := bytes.IndexByte(b[:n], '+'); plus >= 0 {
		n = plus
	}
	for i := n; i < len(b); n++ {
		c := b[i]
		i++
		switch {
		case c == '+':
			c = ' '
		case c == '%' && uni && i < len(b) && b[i]|0x20 == 'u' && unit(b, i+1) >= 0:
			c = byte(unit(b, i+1))
			i += 5
		case c == '%' && hexByte(b, i) >= 0:
			c = byte(hexByte(b, i))
			i += 2
		}
		b[n] = c
	}
	return n
}

// entities are the named ones, without the semicolon, which may be missing.
var entities = []struct {
	name string
	char byte
}{{"quot", '"'}, {"nbsp", 160}, {"amp", '&'}, {"lt", '<'}, {"gt", '>'}}

func htmlEntityDecode(b []byte) int {
	n := bytes.IndexByte(b, '&')
	if n < 0 {
		return len(b)
	}
	for i := n; i < len(b); {
		if b[i] == '&' {
			if size, char := entity(b[i:]); size > 0 {
				if char <= 0xff {
					b[n] = byte(char)
					n++
				} else {
					n += utf8.EncodeRune(b[n:n+utf8.UTFMax], char) // the entity is longer
				}
				i += size
				continue
			}
		}
		b[n] = b[i]
		n++
		i++
	}
	return n
}

// entity returns the size of the entity that b begins with, 0 for none.
func entity(b []byte) (size int, char rune) {
	if len(b) > 2 && b[1] == '#' {
		size, char = numericEntity(b)
	} else {
		for _, e := range entities {
			if end := 1 + len(e.name); len(b) >= end && equalFold(b[1:end], e.name) {
				size, char = end, rune(e.char)
				break
			}
		}
	}
	if size > 0 && size < len(b) && b[size] == ';' {
		size++
	}
	return size, char
}

func numericEntity(b []byte) (size int, char rune) {
	i, base := 2, 10
	if b[2]|0x20 == 'x' {
		i, base = 3, 16
	}
	start := i
	for ; i < len(b); i++ {
		d := unhex(b[i])
		if d < 0 || d >= base {
			break
		}
		if char = char*rune(base) + rune(d); char > utf8.MaxRune {
			return 0, 0
		}
	}
	if i == start {
		return 0, 0
	}
	return i, char
}

func equalFold(b []byte, lower string) bool {
	for i := range b {
		if b[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// base64Decode ends at what is no digit, or leaves that out when forgiving.
func base64Decode(b []byte, forgiving bool) int {
	n, bits, have := 0, uint32(0), 0
	for _, c := range b {
		d := base64Digit(c)
		if d < 0 {
			if forgiving {
				continue
			}
			break
		}
		bits = bits<<6 | uint32(d)
		if have += 6; have >= 8 {
			have -= 8
			b[n] = byte(bits >> have)
			n++
		}
	}
	return n
}

func base64Digit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// hexDecode decodes a text of nothing but hexadecimal digits.
func hexDecode(b []byte) int {
	for _, c := range b {
		if unhex(c) < 0 {
			return len(b)
		}
	}
	n := 0
	for ; 2*n+1 < len(b); n++ {
		b[n] = byte(hexByte(b, 2*n))
	}
	return n
}

// sqlHexDecode decodes the literals of SQL, such as 0x414243, wherever they are.
func sqlHexDecode(b []byte) int {
	n := 0
	for i := 0; i < len(b); n++ {
		if b[i] == '0' && i+1 < len(b) && b[i+1]|0x20 == 'x' && hexByte(b, i+2) >= 0 {
			for i += 2; hexByte(b, i) >= 0; i += 2 {
				b[n] = byte(hexByte(b, i))
				n++
			}
			n--
			continue
		}
		b[n] = b[i]
		i++
	}
	return n
}
