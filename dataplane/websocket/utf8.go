package websocket

import "unicode/utf8"

// text checks a text that comes in pieces. It keeps the bytes of a character
// that is not whole.
type text struct {
	part [utf8.UTFMax]byte
	n    uint8
}

// feed goes on with the next piece. It is false at the first byte that no valid
// text has there.
func (t *text) feed(b []byte) bool {
	for t.n > 0 && len(b) > 0 {
		t.part[t.n] = b[0]
		t.n++
		b = b[1:]
		part := t.part[:t.n]
		if !utf8.FullRune(part) { // it may still become one
			continue
		}
		if _, size := utf8.DecodeRune(part); size != len(part) {
			return false
		}
		t.n = 0
	}
	whole := len(b)
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				whole = i
			}
			break
		}
	}
	if !utf8.Valid(b[:whole]) {
		return false
	}
	t.n += uint8(copy(t.part[t.n:], b[whole:]))
	return true
}

// between reports whether no character is under way: the text may end.
func (t *text) between() bool { return t.n == 0 }
