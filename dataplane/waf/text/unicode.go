package text

// utf8ToUnicode spells every character beyond ASCII as %uHHHH, with more digits
// where it needs them. Also characters in a longer form than they need, which
// valid UTF-8 does not have, but backends have been found to decode. The result
// is up to three times as long.
func utf8ToUnicode(buf []byte, at int) ([]byte, int) {
	first := at
	for first < len(buf) && buf[first] < 0x80 {
		first++
	}
	if first == len(buf) {
		return buf, at
	}
	end := len(buf)
	buf = append(buf, buf[at:first]...)
	for i := first; i < end; {
		size, char := decode(buf[i:end])
		if size == 0 {
			buf = append(buf, buf[i])
			i++
			continue
		}
		buf = append(buf, '%', 'u')
		digits := 4
		for char>>(4*digits) > 0 {
			digits++
		}
		for digits--; digits >= 0; digits-- {
			buf = append(buf, "0123456789abcdef"[char>>(4*digits)&15])
		}
		i += size
	}
	return buf, end
}

// decode reads a character of two to four bytes; the size is 0 for anything else.
func decode(b []byte) (size int, char rune) {
	switch c := b[0]; {
	case c&0xe0 == 0xc0:
		size, char = 2, rune(c&0x1f)
	case c&0xf0 == 0xe0:
		size, char = 3, rune(c&0x0f)
	case c&0xf8 == 0xf0:
		size, char = 4, rune(c&0x07)
	default:
		return 0, 0
	}
	if size > len(b) {
		return 0, 0
	}
	for _, c := range b[1:size] {
		if c&0xc0 != 0x80 {
			return 0, 0
		}
		char = char<<6 | rune(c&0x3f)
	}
	return size, char
}
