package waf

// literals looks for all strings that the statements on a view need, in one pass:
// an automaton of Aho and Corasick, in which upper case is lower. What it finds
// makes a statement a candidate, no more: the statement then looks itself. So the
// automaton may find too much, and must not find too little.
type literals struct {
	class [256]uint8 // of bytes that no string tells apart
	shift uint8      // next[state<<shift|class]
	next  []uint16
	first uint16  // state from which on something is found
	found [][]int // candidates, by state-first
	word  int     // in working.candidates of the first candidate
	words int

	// pairs are the classes that can follow one as the second byte of a string. Most
	// of most texts is passed by looking for such beginnings, which, unlike the
	// automaton, does not wait for one byte to be done with before the next.
	pairs [maxPairs]uint64
	all   bool // there are more classes, or a string of one byte: the automaton sees all
}

// maxPairs is how many classes there is room for in pairs.
const maxPairs = 64

// none is the candidate of a statement that has to look in any case.
const none = -1

// search finds the candidates in a text.
func (l *literals) search(text []byte, candidates []uint64) {
	if l.all {
		l.run(text, candidates)
		return
	}
	for len(text) > 1 {
		before, i := l.class[text[0]], 1
		for ; i < len(text); i++ {
			class := l.class[text[i]]
			if l.pairs[before%maxPairs]>>(class%maxPairs)&1 == 1 {
				break
			}
			before = class
		}
		if i == len(text) {
			return
		}
		text = text[i-1:]
		text = text[l.run(text, candidates):]
	}
}

// run has the automaton look at a text until no string can have begun in what it
// saw, and returns how much that was.
func (l *literals) run(text []byte, candidates []uint64) int {
	state, shift, next := uint(0), l.shift, l.next
	for i, c := range text {
		state = uint(next[state<<shift|uint(l.class[c])])
		if state >= uint(l.first) {
			for _, n := range l.found[state-uint(l.first)] {
				candidates[n/64] |= 1 << (n % 64)
			}
		} else if state == 0 && !l.all {
			return i + 1
		}
	}
	return len(text)
}

// candidate says whether a statement on a view that was looked at has to look.
func (in *Input) candidate(n int) bool {
	return n == none || in.work.candidates[n/64]>>(n%64)&1 == 1
}
