package policy

import (
	"errors"
	"strings"
)

// Wildcards of a text that expand has read. Neither byte occurs in UTF-8, so
// that a variable's value never becomes a wildcard.
const (
	anyRun = 0xFF // *
	anyOne = 0xFE // ?
)

// pattern is a text with wildcards. Matching looks at each byte of a text once:
// a piece that was found first is never looked for again.
type pattern []piece // what stands between the asterisks

type piece struct {
	text   string
	hasOne bool // text has anyOne
}

// maxFound bounds a piece that has question marks and stands between two
// asterisks: it is looked for with one bit per byte.
const maxFound = 64

func compilePattern(text string) (pattern, error) {
	var p pattern
	for part := range strings.SplitSeq(text, string([]byte{anyRun})) {
		p = append(p, piece{part, strings.IndexByte(part, anyOne) >= 0})
	}
	for i := 1; i < len(p)-1; i++ {
		if p[i].hasOne && len(p[i].text) > maxFound {
			return nil, errors.New("more than 64 characters between two asterisks, with a question mark among them")
		}
	}
	return p, nil
}

// anything matches every text.
var anything = pattern{{}, {}}

func (p pattern) match(s string) bool {
	first, last := p[0], p[len(p)-1]
	if len(p) == 1 {
		return len(s) == len(first.text) && first.begins(s)
	}
	if len(s) < len(first.text)+len(last.text) || !first.begins(s) || !last.begins(s[len(s)-len(last.text):]) {
		return false
	}
	s = s[len(first.text) : len(s)-len(last.text)]
	for _, piece := range p[1 : len(p)-1] {
		i := piece.find(s)
		if i < 0 {
			return false
		}
		s = s[i+len(piece.text):]
	}
	return true
}

// begins reports whether s, which is not shorter, begins with the piece.
func (p piece) begins(s string) bool {
	if !p.hasOne {
		return s[:len(p.text)] == p.text
	}
	for i := range len(p.text) {
		if p.text[i] != anyOne && p.text[i] != s[i] {
			return false
		}
	}
	return true
}

// find returns where the piece is in s first, or -1. Question marks make it the
// bit-parallel search of Baeza-Yates and Gonnet ("shift-and").
func (p piece) find(s string) int {
	if !p.hasOne {
		return strings.Index(s, p.text)
	}
	var places [256]uint64 // of each byte in the piece
	var free uint64        // places of question marks
	for i := range len(p.text) {
		if p.text[i] == anyOne {
			free |= 1 << i
		} else {
			places[p.text[i]] |= 1 << i
		}
	}
	found, state := uint64(1)<<(len(p.text)-1), uint64(0)
	for i := range len(s) {
		state = (state<<1 | 1) & (places[s[i]] | free)
		if state&found != 0 {
			return i + 1 - len(p.text)
		}
	}
	return -1
}
