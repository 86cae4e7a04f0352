package gate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/cilium/ebpf"
)

// set is a named list of prefixes under one rule, such as an IP set of the WAF.
type set struct {
	rule     programRule
	prefixes []netip.Prefix // sorted by order
	partial  bool           // the kernel failed midway, so all has to be written again
}

// order is that of netip.Prefix.Compare for masked prefixes, which this does not
// mask again.
func order(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return cmp.Compare(a.Bits(), b.Bits())
}

func (s *set) has(p netip.Prefix) bool {
	_, ok := slices.BinarySearchFunc(s.prefixes, p, order)
	return ok
}

// Set is a named list in short.
type Set struct {
	Name     string
	Prefixes int
	Rule
}

// Sets returns the named lists, by name.
func (g *Gate) Sets() ([]Set, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, err := now()
	if err != nil {
		return nil, err
	}
	var all []Set
	for _, name := range slices.Sorted(maps.Keys(g.sets)) {
		s := g.sets[name]
		all = append(all, Set{Name: name, Prefixes: len(s.prefixes), Rule: g.decode(s.rule, at)})
	}
	return all, nil
}

// ReplaceSet makes a named list of prefixes to deny, or replaces it: what both
// hold stays in force throughout. No prefixes remove the list. Where several
// speak of the very same prefix, Deny and Allow come first, then the list whose
// name sorts first. With [ErrFull] nothing was changed.
func (g *Gate) ReplaceSet(name string, prefixes []netip.Prefix, r Rule) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name == "" {
		return errors.New("a set of the kernel gate needs a name")
	}
	next := &set{prefixes: make([]netip.Prefix, len(prefixes))}
	for i, p := range prefixes {
		var err error
		if next.prefixes[i], err = canonical(p); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	if !slices.IsSortedFunc(next.prefixes, order) { // files often are
		slices.SortFunc(next.prefixes, order)
	}
	next.prefixes = slices.Compact(next.prefixes)
	var err error
	if next.rule, err = g.encode(r); err != nil {
		return err
	}
	if next.rule.Set, err = g.note(name); err != nil {
		return err
	}
	old := g.sets[name]
	if old == nil {
		old = &set{}
	}
	added, removed := difference(old.prefixes, next.prefixes)
	if err := g.room(added); err != nil {
		return fmt.Errorf("set %s of %d prefixes: %w", name, len(next.prefixes), err)
	}
	if err := g.lengths.add(added...); err != nil {
		return err
	}

	g.sets[name] = next
	if len(next.prefixes) == 0 {
		delete(g.sets, name)
	}
	if next.rule != old.rule || old.partial {
		added = next.prefixes
	}
	var write, remove changes
	for _, p := range added {
		if !g.ahead(name, p) {
			write.add(p, next.rule)
		}
	}
	for _, p := range removed {
		if k, ok := g.owner(p); ok {
			write.add(p, k)
		} else {
			remove.add(p, k)
		}
	}
	err = write.put(g)
	if err == nil {
		err = remove.delete(g)
	}
	if err != nil {
		both := slices.SortedFunc(slices.Values(append(removed, next.prefixes...)), order)
		g.sets[name] = &set{rule: next.rule, prefixes: both, partial: true}
		return errors.Join(fmt.Errorf("set %s: %w", name, err), g.rebuildPrefixMarks())
	}
	if len(removed) > 0 {
		if err := g.lengths.rebuild(g.everyPrefix); err != nil {
			return err
		}
	}
	return g.rebuildPrefixMarks()
}

// rebuildPrefixMarks has every prefix marked that there is room for.
func (g *Gate) rebuildPrefixMarks() error {
	size := 0
	g.everyPrefix(func(netip.Prefix) { size++ })
	all := make([]wanted, 0, size)
	want := func(p netip.Prefix, word uint64) {
		if m, ok := prefixMark(p); ok {
			all = append(all, wanted{m, word})
		}
	}
	for p, k := range g.rules {
		want(p, wordOf(k))
	}
	for name, s := range g.sets {
		word := wordOf(s.rule)
		if s.partial {
			word = markDoubt
		}
		for _, p := range s.prefixes {
			if !g.ahead(name, p) {
				want(p, word)
			}
		}
	}
	return g.marks.prefixes.rebuild(all)
}

// ahead tells whether something else than the set stands for exactly this prefix.
func (g *Gate) ahead(set string, p netip.Prefix) bool {
	if len(g.rules) == 0 && len(g.sets) == 1 {
		return false
	}
	if _, ok := g.rules[p]; ok {
		return true
	}
	for name, s := range g.sets {
		if name < set && s.has(p) {
			return true
		}
	}
	return false
}

// owner returns the rule that stands for exactly this prefix.
func (g *Gate) owner(p netip.Prefix) (programRule, bool) {
	if k, ok := g.rules[p]; ok {
		return k, true
	}
	first := ""
	for name, s := range g.sets {
		if (first == "" || name < first) && s.has(p) {
			first = name
		}
	}
	if first == "" {
		return programRule{}, false
	}
	return g.sets[first].rule, true
}

// difference returns what only the one or only the other of two lists has.
func difference(old, next []netip.Prefix) (added, removed []netip.Prefix) {
	for len(old) > 0 && len(next) > 0 {
		switch c := order(old[0], next[0]); {
		case c < 0:
			removed, old = append(removed, old[0]), old[1:]
		case c > 0:
			added, next = append(added, next[0]), next[1:]
		default:
			old, next = old[1:], next[1:]
		}
	}
	return append(added, next...), append(removed, old...)
}

// room returns ErrFull if the maps could not hold what is added beside all that
// is there, since the new entries come before the old ones go.
func (g *Gate) room(added []netip.Prefix) error {
	four, six := 0, 0
	g.everyPrefix(func(p netip.Prefix) { count(p, &four, &six) })
	for _, p := range added {
		count(p, &four, &six)
	}
	if four > g.maxIPs || six > g.maxIPs {
		return ErrFull
	}
	return nil
}

func count(p netip.Prefix, four, six *int) {
	if p.Addr().Is4() {
		*four++
	} else {
		*six++
	}
}

// everyPrefix calls f with all prefixes, one that several own as often.
func (g *Gate) everyPrefix(f func(netip.Prefix)) {
	for p := range g.rules {
		f(p)
	}
	for _, s := range g.sets {
		for _, p := range s.prefixes {
			f(p)
		}
	}
}

// changes are entries for both versions' maps, laid out for batches.
type changes struct {
	keys4            []programPrefix4
	keys6            []programPrefix6
	values4, values6 []programRule
}

func (c *changes) add(p netip.Prefix, k programRule) {
	if p.Addr().Is4() {
		c.keys4, c.values4 = append(c.keys4, key4(p)), append(c.values4, k)
	} else {
		c.keys6, c.values6 = append(c.keys6, key6(p)), append(c.values6, k)
	}
}

func (c *changes) put(g *Gate) error {
	return errors.Join(
		inBatches(len(c.keys4), func(i, j int) (int, error) {
			return g.objects.Prefixes4.BatchUpdate(c.keys4[i:j], c.values4[i:j], nil)
		}),
		inBatches(len(c.keys6), func(i, j int) (int, error) {
			return g.objects.Prefixes6.BatchUpdate(c.keys6[i:j], c.values6[i:j], nil)
		}))
}

func (c *changes) delete(g *Gate) error {
	return errors.Join(
		inBatches(len(c.keys4), func(i, j int) (int, error) { return g.objects.Prefixes4.BatchDelete(c.keys4[i:j], nil) }),
		inBatches(len(c.keys6), func(i, j int) (int, error) { return g.objects.Prefixes6.BatchDelete(c.keys6[i:j], nil) }))
}

func inBatches(n int, do func(from, to int) (int, error)) error {
	for at := 0; at < n; {
		done, err := do(at, min(at+batch, n))
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist):
			done++ // it has expired and was swept: go on behind it
		case err != nil:
			return full(err)
		}
		at += done
	}
	return nil
}
