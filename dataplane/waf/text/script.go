package text

import "bytes"

// jsDecode undoes the escape sequences of JavaScript: \uHHHH, \xHH, octal ones
// and those of one letter. Of any other escaped character the backslash goes.
func jsDecode(b []byte) int {
	n := bytes.IndexByte(b, '\\')
	if n < 0 {
		return len(b)
	}
	for i := n; i < len(b); n++ {
		c := b[i]
		i++
		if c == '\\' && i < len(b) {
			switch {
			case b[i] == 'u' && unit(b, i+1) >= 0:
				c = byte(unit(b, i+1))
				i += 5
			case b[i] == 'x' && hexByte(b, i+1) >= 0:
				c = byte(hexByte(b, i+1))
				i += 3
			default:
				if size, value := octal(b[i:]); size > 0 {
					c = value
					i += size
					break
				}
				c = b[i]
				if letter := escaped(c); letter != 0 {
					c = letter
				}
				i++
			}
		}
		b[n] = c
	}
	return n
}

// escapeSeqDecode undoes the escape sequences of ANSI C.
func escapeSeqDecode(b []byte) int {
	n := bytes.IndexByte(b, '\\')
	if n < 0 {
		return len(b)
	}
	for i := n; i < len(b); n++ {
		c := b[i]
		i++
		if c == '\\' && i < len(b) {
			size, value := octal(b[i:])
			switch letter := escaped(b[i]); {
			case letter != 0:
				size, value = 1, letter
			case b[i] == '\\' || b[i] == '?' || b[i] == '\'' || b[i] == '"':
				size, value = 1, b[i]
			case b[i] == 'x' && hexByte(b, i+1) >= 0:
				size, value = 3, byte(hexByte(b, i+1))
			}
			if size > 0 {
				c = value
				i += size
			}
		}
		b[n] = c
	}
	return n
}

// escaped returns the control character that a letter after a backslash stands
// for, 0 for none.
func escaped(letter byte) byte {
	switch letter {
	case 'a':
		return '\a'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	return 0
}

// octal reads up to three octal digits, as many as fit into a byte.
func octal(b []byte) (size int, value byte) {
	for size < len(b) && size < 3 && b[size] >= '0' && b[size] <= '7' {
		if value > 0o37 {
			break
		}
		value = value<<3 | (b[size] - '0')
		size++
	}
	return size, value
}

// cssDecode undoes the escapes of CSS 2 (section 4.1.3): a backslash with up to
// six hexadecimal digits and one white space, or with any other character, which
// it leaves alone. A backslash before a line end goes with it.
func cssDecode(b []byte) int {
	n := bytes.IndexByte(b, '\\')
	if n < 0 {
		return len(b)
	}
	for i := n; i < len(b); {
		if b[i] != '\\' {
			b[n] = b[i]
			n++
			i++
			continue
		}
		i++
		if i == len(b) {
			break
		}
		digits := 0
		for digits < 6 && i+digits < len(b) && unhex(b[i+digits]) >= 0 {
			digits++
		}
		switch {
		case digits > 0:
			b[n] = cssByte(b[i : i+digits])
			n++
			i += digits
			if i < len(b) && isSpace(b[i]) {
				i++
			}
		case b[i] == '\n':
			i++
		default:
			b[n] = b[i]
			n++
			i++
		}
	}
	return n
}

// cssByte takes a code point for a byte, as unit does.
func cssByte(digits []byte) byte {
	value := 0
	for _, d := range digits {
		value = value<<4 | unhex(d)
	}
	if value >= 0xff01 && value <= 0xff5e {
		value += 0x20
	}
	return byte(value)
}
