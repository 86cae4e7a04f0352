package waf

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth is how deeply the values of a body may be nested; what is deeper
// is taken for no JSON.
const maxJSONDepth = 128

// jsonBody adds the keys and values of a JSON body. Like AWS it does not care for
// commas and colons. Unlike AWS it reads on behind a key that is given twice,
// since a backend may take either.
func (in *Input) jsonBody(v *view) outcome {
	from := len(in.work.values)
	if in.scanJSON(v) {
		return inspect
	}
	if v.asText {
		in.work.values = in.work.values[:from]
		in.emit(v, in.Body)
	}
	return v.invalid
}

// jsonFrame is an object or list that is open.
type jsonFrame struct {
	object bool
	key    bool // of an object: a key was read, and its value is next
	index  int  // of a list: of the next item
	here   jsonPlace
	child  jsonPlace // of the next value
}

// jsonPlace is how far the pointers of a view lead to a value.
type jsonPlace struct {
	included bool      // to it or to what it is in
	alive    [2]uint64 // to it or into it, a bit for each pointer
}

// scanJSON is false at what is no JSON; what came before it has been added.
func (in *Input) scanJSON(v *view) bool {
	b, frames := in.Body, &in.work.frames
	depth, started := 0, false
	frames[0] = jsonFrame{child: jsonPlace{v.pointers == nil, [2]uint64{^uint64(0), ^uint64(0)}}}
	for i := 0; i < len(b); {
		c := b[i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			i++
			continue
		}
		if depth == 0 && (started || c != '{' && c != '[') {
			return false
		}
		started = true
		f := &frames[depth]
		switch c {
		case ',':
			f.key = false
			i++
		case ':':
			i++
		case '{', '[':
			if !in.jsonValue(v, depth) || depth == maxJSONDepth {
				return false
			}
			depth++
			frames[depth] = jsonFrame{object: c == '{', here: f.child}
			i++
		case '}', ']':
			if f.object != (c == '}') {
				return false
			}
			depth--
			i++
		case '"':
			size, whole := jsonString(b[i+1:])
			raw := b[i+1 : i+1+size]
			if f.object && !f.key {
				in.jsonKey(v, depth, raw)
			} else if in.jsonValue(v, depth); f.child.included && v.scope&inValues != 0 {
				in.emitJSON(v, raw)
			}
			if !whole {
				return false
			}
			i += size + 2
		default:
			size := jsonLiteral(b[i:])
			if size == 0 || !in.jsonValue(v, depth) {
				return false
			}
			if f.child.included && v.scope&inValues != 0 {
				in.emit(v, b[i:i+size])
			}
			i += size
		}
	}
	return started && depth == 0
}

// jsonValue makes ready for the next value of the innermost frame. It is false
// where an object has no key for it.
func (in *Input) jsonValue(v *view, depth int) bool {
	f := &in.work.frames[depth]
	switch {
	case depth == 0:
	case f.object:
		if !f.key {
			return false
		}
		f.key = false
	default:
		if f.child = f.here; !f.here.included {
			var digits [20]byte
			f.child = v.step(f.here, depth, strconv.AppendInt(digits[:0], int64(f.index), 10))
		}
		f.index++
	}
	return true
}

// jsonKey reads the key of an object's next value.
func (in *Input) jsonKey(v *view, depth int, raw []byte) {
	f := &in.work.frames[depth]
	f.key = true
	if f.child = f.here; f.here.included {
		if v.scope&inKeys != 0 {
			in.emitJSON(v, raw)
		}
		return
	}
	w := &in.work
	at := len(w.buf)
	w.buf = appendJSONString(w.buf, raw)
	f.child = v.step(f.here, depth, w.buf[at:])
	w.buf = w.buf[:at]
}

// step follows the pointers to a child of a value; depth is that of the value,
// 1 for the root.
func (v *view) step(from jsonPlace, depth int, token []byte) (to jsonPlace) {
	for i, p := range v.pointers {
		if from.alive[i/64]>>(i%64)&1 == 1 && len(p) >= depth && p[depth-1] == string(token) {
			to.alive[i/64] |= 1 << (i % 64)
			to.included = to.included || len(p) == depth
		}
	}
	return to
}

// emitJSON adds the text of a string, given without its quotes.
func (in *Input) emitJSON(v *view, raw []byte) {
	if bytes.IndexByte(raw, '\\') < 0 {
		in.emit(v, raw)
		return
	}
	w := &in.work
	at := len(w.buf)
	w.buf = appendJSONString(w.buf, raw)
	w.values = append(w.values, in.transform(v, at))
}

// jsonString returns the size of what is before the quote that ends a string.
func jsonString(b []byte) (size int, whole bool) {
	for ; size < len(b); size++ {
		switch b[size] {
		case '"':
			return size, true
		case '\\':
			size++
		}
	}
	return len(b), false
}

// appendJSONString undoes the escape sequences of a string. Those that there are
// not stay as they are.
func appendJSONString(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = raw[i]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			unit, ok := jsonUnit(raw[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(unit) {
				if low, ok := lowSurrogate(raw[i+1:]); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
					unit = utf16.DecodeRune(unit, low)
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, unit)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

func lowSurrogate(b []byte) (unit rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	return jsonUnit(b[2:])
}

// jsonUnit reads four hexadecimal digits.
func jsonUnit(b []byte) (unit rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

// jsonLiteral returns the size of the number or word that b begins with, 0 for
// none.
func jsonLiteral(b []byte) (size int) {
	for size < len(b) && (b[size]|0x20 >= 'a' && b[size]|0x20 <= 'z' || b[size] >= '0' && b[size] <= '9' || b[size] == '-' || b[size] == '+' || b[size] == '.') {
		size++
	}
	switch word := b[:size]; {
	case size == 0, string(word) == "true", string(word) == "false", string(word) == "null":
		return size
	case word[0] != '-' && (word[0] < '0' || word[0] > '9'):
		return 0
	}
	for _, c := range b[1:size] {
		if c|0x20 >= 'a' && c|0x20 <= 'z' && c|0x20 != 'e' {
			return 0
		}
	}
	return size
}
