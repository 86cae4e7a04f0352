package waf

import "math/bits"

// due says which rules of an ACL have to be looked at. Most rules wait for an
// address, a string or a field that most requests do not have: those are found by
// what is there, and the others cost nothing, not even a look at the rule.
type due struct {
	always bitset // rules that are looked at in any case

	firstBySet int      // first rule that waits for a set to hold the source
	bySet      []bitset // rules, by set

	firstByView int // first rule that waits for something in a view
	views       []dueView
	byCandidate []int16 // rule, by candidate; -1 for none
}

// dueView is a view that rules wait for.
type dueView struct {
	view  int
	any   bitset // rules that wait for a value
	whole bitset // these, and those that wait for a string in one
}

// waits is what a statement cannot match without: a set, a string in a view, or
// anything in a view.
type waits struct {
	set       int // in ACL.sets, -1 for none
	view      int // -1 for none
	candidate int
}

var forNothing = waits{-1, -1, none}

// waitsFor returns what a statement waits for. Of an AndStatement it is what its
// first one does, since the others are not looked at without that one.
func (a *ACL) waitsFor(m matcher) waits {
	switch m := m.(type) {
	case *setMatch:
		return waits{m.set, -1, none}
	case *byteMatch:
		return a.waitsInView(m.view, m.candidate)
	case *regexMatch:
		return a.waitsInView(m.view, m.candidate)
	case *sizeMatch:
		return a.waitsInView(m.view, none)
	case allOf:
		return a.waitsFor(m[0])
	}
	return forNothing
}

// waitsInView is for statements that look at the values of a view: there are always
// some of the path and of the method.
func (a *ACL) waitsInView(view, candidate int) waits {
	if of := a.views[view].component; candidate == none && (of == ofPath || of == ofMethod) {
		return forNothing
	}
	return waits{-1, view, candidate}
}

// findDue finds what each rule waits for, once literals are numbered and labels are
// resolved. Rules that look at bodies do not wait: theirs may not be there yet.
func (c *compiler) findDue() {
	a := c.acl
	d := &a.due
	d.firstBySet, d.firstByView = len(a.rules), len(a.rules)
	d.bySet, d.byCandidate = make([]bitset, len(a.sets)), make([]int16, 64*a.candidateWords)
	for i := range d.byCandidate {
		d.byCandidate[i] = -1
	}
	byView := map[int]*dueView{}
	for n := range a.rules {
		r := &a.rules[n]
		if label, ok := r.statement.(*labelMatch); ok && label.matching == (bitset{}) && !label.places {
			continue // no label that can be there matches
		}
		w := forNothing
		if !r.needsBody {
			w = a.waitsFor(r.statement)
		}
		switch {
		case w.set >= 0:
			d.bySet[w.set].add(n)
			d.firstBySet = min(d.firstBySet, n)
		case w.view >= 0:
			v := byView[w.view]
			if v == nil {
				v = &dueView{view: w.view}
				byView[w.view] = v
			}
			if v.whole.add(n); w.candidate == none {
				v.any.add(n)
			} else {
				d.byCandidate[w.candidate] = int16(n)
			}
			d.firstByView = min(d.firstByView, n)
		default:
			d.always.add(n)
		}
	}
	for view := range a.views {
		if v := byView[view]; v != nil {
			d.views = append(d.views, *v)
		}
	}
}

// dueBySet adds the rules whose sets hold the source.
func (in *Input) dueBySet(a *ACL, rules *bitset) {
	in.inSets(a).each(func(set int) { rules.union(&a.due.bySet[set]) })
}

// dueByView adds the rules that find what they wait for.
func (in *Input) dueByView(a *ACL, rules *bitset) {
	d := &a.due
	for i := range d.views {
		v := &d.views[i]
		s := in.look(a, v.view)
		switch {
		case s.outcome != inspect:
			rules.union(&v.whole)
			continue
		case s.from == s.to:
			continue
		}
		rules.union(&v.any)
		l := a.views[v.view].literals
		if l == nil {
			continue
		}
		for n, word := range in.work.candidates[l.word : l.word+l.words] {
			for ; word != 0; word &= word - 1 {
				if rule := d.byCandidate[(l.word+n)*64+bits.TrailingZeros64(word)]; rule >= 0 {
					rules.add(int(rule))
				}
			}
		}
	}
}
