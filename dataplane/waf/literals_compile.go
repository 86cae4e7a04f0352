package waf

import (
	"bytes"
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Bounds of automatons. Strings are looked for by their beginnings, and those
// that there is no room for are not: their statements look in any case.
const (
	literalBytes   = 16
	literalChoices = 64 // of one statement
	literalStates  = 1 << 14
	literalsWorth  = 3 // strings from which on one pass is cheaper than each its own
)

// need is what the statements on a view look for.
type need struct {
	view      int
	strings   [][]byte // any of them has to be there for the statement to match
	candidate *int     // of the statement
	search    bool     // to look is costly, as it is for a regular expression
}

// byteNeed notes what a ByteMatchStatement looks for. One that looks at the ends of
// a text alone is quick; a single byte is not worth it that the automaton has to
// see all of every text.
func (c *compiler) byteNeed(m *byteMatch) {
	m.candidate = none
	if anywhere := m.where == contains || m.where == containsWord; anywhere && len(m.needle) > 0 || len(m.needle) > 1 {
		c.need = append(c.need, need{m.view, [][]byte{literal(m.needle)}, &m.candidate, false})
	}
}

// regexNeed notes what regular expressions look for, if every match of theirs has
// one of some strings in it.
func (c *compiler) regexNeed(m *regexMatch) {
	m.candidate, c.needsTime = none, true
	var all [][]byte
	for _, p := range m.patterns {
		if p == nil {
			return
		}
		tree, err := syntax.Parse(p.String(), syntax.Perl)
		if err != nil {
			return
		}
		some := required(tree.Simplify())
		if some == nil || len(all)+len(some) > literalChoices {
			return
		}
		all = append(all, some...)
	}
	if len(all) > 0 {
		c.need = append(c.need, need{m.view, all, &m.candidate, true})
	}
}

// literal is the beginning of a string in lower case.
func literal(s []byte) []byte {
	s = bytes.Clone(s[:min(len(s), literalBytes)])
	for i, c := range s {
		if c >= 'A' && c <= 'Z' {
			s[i] = c | 0x20
		}
	}
	return s
}

// required returns strings, in lower case, of which any text that the expression
// matches contains one; nil if there are none of use.
func required(re *syntax.Regexp) (some [][]byte) {
	switch re.Op {
	case syntax.OpLiteral:
		if s := longestPlain(re.Rune, re.Flags&syntax.FoldCase != 0); len(s) > 1 {
			return [][]byte{s}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if one := required(sub); shortest(one) > shortest(some) {
				some = one
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			one := required(sub)
			if one == nil || len(some)+len(one) > literalChoices {
				return nil
			}
			some = append(some, one...)
		}
	}
	return some
}

// shortest is the length of the shortest, 0 of none.
func shortest(some [][]byte) int {
	n := 0
	for i, s := range some {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// longestPlain returns the longest part of a literal that can only be matched by
// its own bytes, but for ASCII case. U+FFFD is matched by any broken character;
// where case does not matter, characters may stand for others, such as the Kelvin
// sign for a K.
func longestPlain(runes []rune, fold bool) (longest []byte) {
	var part []byte
	for _, r := range append(slices.Clone(runes), utf8.RuneError) {
		if r == utf8.RuneError || fold && (r >= 0x80 || !foldsWithinASCII(r)) {
			if len(part) > len(longest) {
				longest = part
			}
			part = nil
			continue
		}
		part = utf8.AppendRune(part, r)
	}
	return literal(longest)
}

func foldsWithinASCII(r rune) bool {
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if f >= 0x80 {
			return false
		}
	}
	return true
}

// buildLiterals makes the automatons of all views that are worth one.
func (c *compiler) buildLiterals() {
	byView := map[int][]need{}
	for _, n := range c.need {
		byView[n.view] = append(byView[n.view], n)
	}
	for number := range c.acl.views {
		needs, worth := byView[number], 0
		for _, n := range needs {
			if worth++; n.search {
				worth += literalsWorth
			}
		}
		if worth < literalsWorth {
			continue
		}
		l := newLiterals(needs, c.acl.candidateWords)
		c.acl.candidateWords += l.words
		c.acl.views[number].literals = l
	}
}

// newLiterals makes an automaton, and numbers the candidates from a word on.
func newLiterals(needs []need, word int) *literals {
	l := &literals{word: word}
	t := newTrie(needs)
	n := 0
	for _, one := range needs {
		if !t.room(one.strings) {
			continue
		}
		*one.candidate = word*64 + n
		for _, s := range one.strings {
			t.add(s, n)
			l.all = l.all || len(s) == 1 || t.classes > maxPairs
			if !l.all {
				l.pairs[t.class[s[0]]] |= 1 << t.class[s[1]]
			}
		}
		n++
	}
	l.words = (n + 63) / 64
	t.link()
	t.flatten(l)
	return l
}

// trie is an automaton that is being built.
type trie struct {
	class   [256]uint8
	classes int
	nodes   []trieNode
}

type trieNode struct {
	next  []int // by class; 0 for none, until it is linked
	fail  int
	found []int
}

// newTrie puts each byte of the strings into a class of its own, and all others
// into one.
func newTrie(needs []need) *trie {
	t := &trie{classes: 1}
	for _, n := range needs {
		for _, s := range n.strings {
			for _, b := range s {
				if t.class[b] == 0 {
					t.class[b] = uint8(t.classes)
					t.classes++
				}
			}
		}
	}
	for b := byte('A'); b <= 'Z'; b++ {
		t.class[b] = t.class[b|0x20]
	}
	t.node()
	return t
}

func (t *trie) node() int {
	t.nodes = append(t.nodes, trieNode{next: make([]int, t.classes)})
	return len(t.nodes) - 1
}

func (t *trie) room(some [][]byte) bool {
	n := len(t.nodes)
	for _, s := range some {
		n += len(s)
	}
	return n <= literalStates
}

func (t *trie) add(s []byte, candidate int) {
	at := 0
	for _, b := range s {
		class := t.class[b]
		if t.nodes[at].next[class] == 0 {
			to := t.node()
			t.nodes[at].next[class] = to
		}
		at = t.nodes[at].next[class]
	}
	t.nodes[at].found = append(t.nodes[at].found, candidate)
}

// link completes the transitions, breadth first.
func (t *trie) link() {
	queue := []int{0}
	for i := 0; i < len(queue); i++ {
		n := &t.nodes[queue[i]]
		for class, to := range n.next {
			behind := 0
			if queue[i] != 0 {
				behind = t.nodes[n.fail].next[class]
			}
			if to == 0 {
				n.next[class] = behind
				continue
			}
			t.nodes[to].fail = behind
			t.nodes[to].found = append(t.nodes[to].found, t.nodes[behind].found...)
			queue = append(queue, to)
		}
	}
}

// flatten numbers the states such that those that find something come last.
func (t *trie) flatten(l *literals) {
	l.class, l.shift = t.class, uint8(bits.Len(uint(t.classes-1)))
	var order []int
	for _, finds := range []bool{false, true} {
		for n := range t.nodes {
			if len(t.nodes[n].found) > 0 == finds {
				order = append(order, n)
			}
		}
		if !finds {
			l.first = uint16(len(order))
		}
	}
	number := make([]uint16, len(t.nodes))
	for state, n := range order {
		number[n] = uint16(state)
	}
	l.next = make([]uint16, len(order)<<l.shift)
	for state, n := range order {
		for class, to := range t.nodes[n].next {
			l.next[state<<l.shift|class] = number[to]
		}
		if state >= int(l.first) {
			found := slices.Clone(t.nodes[n].found)
			for i := range found {
				found[i] += l.word * 64
			}
			slices.Sort(found)
			l.found = append(l.found, slices.Compact(found))
		}
	}
}
