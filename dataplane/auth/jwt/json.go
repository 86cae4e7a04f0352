package jwt

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of what is read as JSON: how deep values are nested, the outermost
// included, and how many members an object has.
const (
	maxDepth   = 16
	maxMembers = 256
)

// kind is what a JSON value is.
type kind uint8

const (
	isNull kind = iota + 1
	isBool
	isNumber
	isString
	isArray
	isObject
)

// value is a JSON value. Its text is as written, but of a string what the string
// stands for.
type value struct {
	kind kind
	text string
}

type member struct {
	name string
	value
}

// reader reads JSON (RFC 8259) as strictly as a signed text deserves: repeated
// names, which readers understand differently, invalid UTF-8 and lone surrogates
// are errors, in nested objects too. encoding/json lets all of these pass, and
// costs more than the signature leaves room for.
//
// What it returns are parts of the text.
type reader struct {
	text  string
	at    int
	depth int
	names []string // of the members of all objects that are open
}

// readObject reads a text that is one object and appends its members to dst.
// names is scratch.
func readObject(text string, dst []member, names []string) ([]member, []string, bool) {
	if !utf8.ValidString(text) {
		return dst, names, false
	}
	r := reader{text: text, names: names[:0]}
	r.space()
	dst, ok := r.object(dst, true)
	r.space()
	return dst, r.names, ok && r.at == len(text)
}

// readItems appends the items of an array to dst. The text has been read before.
func readItems(text string, dst []value) []value {
	r := reader{text: text, at: 1}
	for r.space(); r.next() != ']'; r.space() {
		if r.next() == ',' {
			r.at++
			continue
		}
		v, ok := r.value()
		if !ok {
			break
		}
		dst = append(dst, v)
	}
	return dst
}

// next returns the byte that follows, 0 at the end.
func (r *reader) next() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// object reads an object, and appends its members to dst if they are kept.
func (r *reader) object(dst []member, keep bool) ([]member, bool) {
	if r.next() != '{' || r.depth == maxDepth {
		return dst, false
	}
	r.at++
	r.depth++
	open := len(r.names)
	r.space()
	for r.next() != '}' {
		if len(r.names) > open {
			if r.next() != ',' {
				return dst, false
			}
			r.at++
			r.space()
		}
		name, ok := r.string()
		if !ok || len(r.names)-open == maxMembers {
			return dst, false
		}
		for _, other := range r.names[open:] {
			if other == name {
				return dst, false
			}
		}
		r.names = append(r.names, name)
		r.space()
		if r.next() != ':' {
			return dst, false
		}
		r.at++
		r.space()
		v, ok := r.value()
		if !ok {
			return dst, false
		}
		if keep {
			dst = append(dst, member{name, v})
		}
		r.space()
	}
	r.at++
	r.depth--
	r.names = r.names[:open]
	return dst, true
}

func (r *reader) array() bool {
	if r.depth == maxDepth {
		return false
	}
	r.at++
	r.depth++
	r.space()
	for first := true; r.next() != ']'; first = false {
		if !first {
			if r.next() != ',' {
				return false
			}
			r.at++
			r.space()
		}
		if _, ok := r.value(); !ok {
			return false
		}
		r.space()
	}
	r.at++
	r.depth--
	return true
}

func (r *reader) value() (value, bool) {
	from := r.at
	switch b := r.next(); b {
	case '"':
		text, ok := r.string()
		return value{isString, text}, ok
	case '{':
		_, ok := r.object(nil, false)
		return value{isObject, r.text[from:r.at]}, ok
	case '[':
		ok := r.array()
		return value{isArray, r.text[from:r.at]}, ok
	case 't':
		return r.word("true", isBool)
	case 'f':
		return r.word("false", isBool)
	case 'n':
		return r.word("null", isNull)
	}
	ok := r.number()
	return value{isNumber, r.text[from:r.at]}, ok
}

func (r *reader) word(word string, k kind) (value, bool) {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return value{}, false
	}
	r.at += len(word)
	return value{k, word}, true
}

func (r *reader) number() bool {
	if r.next() == '-' {
		r.at++
	}
	if r.next() == '0' {
		r.at++
	} else if !r.digits() {
		return false
	}
	if r.next() == '.' {
		r.at++
		if !r.digits() {
			return false
		}
	}
	if b := r.next(); b == 'e' || b == 'E' {
		r.at++
		if b := r.next(); b == '+' || b == '-' {
			r.at++
		}
		return r.digits()
	}
	return true
}

// digits is false when there are none.
func (r *reader) digits() bool {
	from := r.at
	for b := r.next(); b >= '0' && b <= '9'; b = r.next() {
		r.at++
	}
	return r.at > from
}

// string reads a string and returns what it stands for.
func (r *reader) string() (string, bool) {
	if r.next() != '"' {
		return "", false
	}
	text := r.text[r.at+1:]
	i := 0
	for i < len(text) && ordinary[text[i]] {
		i++
	}
	switch {
	case i == len(text):
		return "", false
	case text[i] == '"':
		r.at += i + 2
		return text[:i], true
	case text[i] == '\\':
		r.at += i + 1
		return r.escaped(text[:i])
	}
	return "", false
}

// ordinary has the bytes that stand for themselves in a string.
var ordinary = func() (is [256]bool) {
	for b := range is {
		is[b] = b >= ' ' && b != '"' && b != '\\'
	}
	return is
}()

// escaped reads the rest of a string, from its first backslash.
func (r *reader) escaped(start string) (string, bool) {
	text := append(make([]byte, 0, len(start)+32), start...)
	for r.at < len(r.text) {
		b := r.text[r.at]
		r.at++
		switch {
		case b == '"':
			return string(text), true
		case b < ' ':
			return "", false
		case b != '\\':
			text = append(text, b)
			continue
		}
		if r.at == len(r.text) {
			return "", false
		}
		b = r.text[r.at]
		r.at++
		if b == 'u' {
			c, ok := r.unicode()
			if !ok {
				return "", false
			}
			text = utf8.AppendRune(text, c)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, b)
		if i < 0 {
			return "", false
		}
		text = append(text, "\"\\/\b\f\n\r\t"[i])
	}
	return "", false
}

// unicode reads what follows \u, and the second half of a surrogate pair.
func (r *reader) unicode() (rune, bool) {
	c, ok := r.hex()
	if !ok || !utf16.IsSurrogate(c) {
		return c, ok
	}
	if !strings.HasPrefix(r.text[r.at:], `\u`) {
		return 0, false
	}
	r.at += 2
	low, ok := r.hex()
	c = utf16.DecodeRune(c, low)
	return c, ok && c != utf8.RuneError
}

func (r *reader) hex() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.at += 4
	return rune(n), err == nil
}
