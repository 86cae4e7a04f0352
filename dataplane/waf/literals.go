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
}

// none is the candidate of a statement that has to look in any case.
const none = -1

// search finds the candidates in a text.
func (l *literals) search(text []byte, candidates []uint64) {
	state, shift, next := uint(0), l.shift, l.next
	for _, c := range text {
		state = uint(next[state<<shift|uint(l.class[c])])
		if state >= uint(l.first) {
			for _, n := range l.found[state-uint(l.first)] {
				candidates[n/64] |= 1 << (n % 64)
			}
		}
	}
}

// candidate says whether a statement on a view that was looked at has to look.
func (in *Input) candidate(n int) bool {
	return n == none || in.work.candidates[n/64]>>(n%64)&1 == 1
}
