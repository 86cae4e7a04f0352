package crs

import (
	"bytes"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	isJSON = regexp.MustCompile(jsonType)
	isXML  = regexp.MustCompile(xmlType)
)

// whole returns the body as one that can be read to its end. The engine inspects
// nothing of a JSON text that ends within a string, so that an attack only had to
// be followed by enough padding.
func whole(r *Request) []byte {
	if !r.Cut {
		return r.Body
	}
	switch {
	case r.hasType(isJSON):
		return completeJSON(r.Body)
	case r.hasType(isXML):
		return withoutPartOfRune(r.Body)
	}
	return r.Body
}

// hasType looks at every Content-Type field, as the engine does.
func (r *Request) hasType(mediaType *regexp.Regexp) bool {
	for i := range r.Headers {
		if strings.EqualFold(r.Headers[i].Name, "content-type") && mediaType.MatchString(strings.ToLower(r.Headers[i].Value)) {
			return true
		}
	}
	return false
}

// withoutPartOfRune cuts off the beginning of a character at the end.
func withoutPartOfRune(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}

// closing is how many bytes completeJSON may add at most: more than there are
// levels that the engine reads.
const closing = 256

// completeJSON ends a JSON text that was cut, and stays within its length. Of a
// text that is no JSON it makes another that is none.
func completeJSON(cut []byte) []byte {
	cut = cut[:max(0, len(cut)-closing)]
	var open []byte // what has to be closed, innermost last
	key := false    // the next string, or the one that is cut, is a key
	last := byte(0) // token before the end: a bracket, comma, colon, '"' of a value, 'k' of a key
	end := 0        // of the last whole token
	for i := 0; i < len(cut); {
		switch c := cut[i]; c {
		case '{', '[':
			open = append(open, c)
			key = c == '{'
			last = c
		case '}', ']':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			key = false
			last = c
		case ',':
			key = len(open) > 0 && open[len(open)-1] == '{'
			last = c
		case ':':
			key = false
			last = c
		case '"':
			size, whole := jsonString(cut[i:])
			if !whole {
				return closeJSON(append(bytes.Clone(cut[:i+size]), '"'), open, key)
			}
			i += size - 1
			last = '"'
			if key {
				last = 'k'
			}
		case ' ', '\t', '\r', '\n':
			i++
			continue
		default: // of a literal or a number, whose end may be missing
			for i < len(cut) && !bytes.ContainsRune([]byte(" \t\r\n,:]}\""), rune(cut[i])) {
				i++
			}
			if i == len(cut) {
				continue
			}
			i--
			last = '"'
		}
		i++
		end = i
	}
	text := bytes.Clone(cut[:end])
	if last == ',' {
		text = text[:len(text)-1]
	}
	if last == ':' {
		text = append(text, "null"...)
	}
	return closeJSON(text, open, last == 'k')
}

// jsonString returns the size of the string that b begins with; of one that is
// cut, without a part of an escape sequence.
func jsonString(b []byte) (size int, whole bool) {
	escape := 0 // where the last escape sequence begins
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1, true
		case '\\':
			escape = i
			i++
		}
	}
	if escape > 0 && len(b)-escape < 2 || len(b)-escape < 6 && escape > 0 && b[escape+1] == 'u' {
		return escape, false
	}
	return len(withoutPartOfRune(b)), false
}

func closeJSON(text, open []byte, key bool) []byte {
	if key {
		text = append(text, ":null"...)
	}
	for i := len(open) - 1; i >= 0; i-- {
		if open[i] == '{' {
			text = append(text, '}')
		} else {
			text = append(text, ']')
		}
	}
	return text
}

// parts returns how many parts a multipart body has, about.
func parts(r *Request) int {
	if len(r.Body) == 0 {
		return 0
	}
	n := 0
	for i := range r.Headers {
		if !strings.EqualFold(r.Headers[i].Name, "content-type") {
			continue
		}
		mediaType, params, err := mime.ParseMediaType(r.Headers[i].Value)
		if err == nil && strings.HasPrefix(mediaType, "multipart/") {
			n += bytes.Count(r.Body, []byte("--"+params["boundary"]))
		}
	}
	return n
}
