package jsonpath

import "bytes"

// scanner reads a JSON text (RFC 8259) once, from its start to its end.
type scanner struct {
	text  []byte
	at    int
	steps []step
	found []byte
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) next(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// off is the level of a value that the path does not lead through.
const off = -1

// value reads a value. level is how many steps of the path led to it.
func (s *scanner) value(level, depth int) bool {
	if s.at == len(s.text) || depth > MaxDepth {
		return false
	}
	here := level == len(s.steps)
	start, inner := s.at, level
	if here {
		inner = off
	}
	ok := false
	switch c := s.text[s.at]; {
	case c == '{':
		ok = s.object(inner, depth)
	case c == '[':
		ok = s.array(inner, depth)
	case c == '"':
		ok = s.str()
	case c == '-' || c >= '0' && c <= '9':
		ok = s.number()
	default:
		ok = s.word()
	}
	if ok && here {
		s.found = s.text[start:s.at]
	}
	return ok
}

func (s *scanner) object(level, depth int) bool {
	s.at++
	if s.space(); s.next('}') {
		return true
	}
	for {
		start := s.at
		if s.at == len(s.text) || s.text[s.at] != '"' || !s.str() {
			return false
		}
		name := s.text[start+1 : s.at-1]
		if s.space(); !s.next(':') {
			return false
		}
		s.space()
		inner := off
		if level != off && s.steps[level].index < 0 && isName(name, s.steps[level].name) {
			inner = level + 1
			s.found = nil // of an earlier member with the name
		}
		if !s.value(inner, depth+1) {
			return false
		}
		if s.space(); s.next('}') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}

func (s *scanner) array(level, depth int) bool {
	s.at++
	if s.space(); s.next(']') {
		return true
	}
	for i := 0; ; i++ {
		inner := off
		if level != off && s.steps[level].index == i {
			inner = level + 1
		}
		if !s.value(inner, depth+1) {
			return false
		}
		if s.space(); s.next(']') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}

func (s *scanner) str() bool {
	s.at++
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return true
		case c < ' ':
			return false
		case c == '\\':
			if !s.escape() {
				return false
			}
		}
	}
	return false
}

func (s *scanner) escape() bool {
	if s.at == len(s.text) {
		return false
	}
	c := s.text[s.at]
	s.at++
	if c != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0
	}
	if len(s.text)-s.at < 4 {
		return false
	}
	for _, h := range s.text[s.at : s.at+4] {
		if hexValue(h) < 0 {
			return false
		}
	}
	s.at += 4
	return true
}

func (s *scanner) number() bool {
	s.next('-')
	if !s.next('0') && !s.digits() {
		return false
	}
	if s.next('.') && !s.digits() {
		return false
	}
	if s.next('e') || s.next('E') {
		if !s.next('+') {
			s.next('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

func (s *scanner) word() bool {
	for _, word := range [...]string{"true", "false", "null"} {
		if rest := s.text[s.at:]; len(rest) >= len(word) && string(rest[:len(word)]) == word {
			s.at += len(word)
			return true
		}
	}
	return false
}
