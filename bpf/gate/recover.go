package gate

import (
	"errors"
	"net/netip"
	"slices"
)

// recover reads back what the maps hold, so that the handle knows what an
// earlier process put there.
func (g *Gate) recover() error {
	g.rules, g.sets = map[netip.Prefix]programRule{}, map[string]*set{}
	if err := errors.Join(g.lengths.open(g.objects.Lengths4, g.objects.Lengths6),
		g.marks.prefixes.open(g.objects.PrefixMarks), g.marks.sentences.open(g.objects.SentenceMarks)); err != nil {
		return err
	}

	used, sets := map[uint16]bool{}, map[uint16]*set{}
	add := func(p netip.Prefix, k programRule) {
		used[k.Note], used[k.Set] = true, true
		if k.Set == 0 {
			g.rules[p] = k
			return
		}
		s := sets[k.Set]
		if s == nil {
			s = &set{rule: k}
			sets[k.Set] = s
		}
		s.prefixes = append(s.prefixes, p)
	}
	if err := each(g.objects.Prefixes4, func(key programPrefix4, k programRule) {
		add(netip.PrefixFrom(address([4]uint32{key.Address}, true), int(key.Bits)), k)
	}); err != nil {
		return err
	}
	if err := each(g.objects.Prefixes6, func(key programPrefix6, k programRule) {
		add(netip.PrefixFrom(address(key.Address, false), int(key.Bits)), k)
	}); err != nil {
		return err
	}
	var sentences []wanted
	if err := each(g.objects.Sentences, func(key programSource, k programRule) {
		used[k.Note] = true
		sentences = append(sentences, wanted{sentenceMark(key), wordOf(k)})
	}); err != nil {
		return err
	}
	if err := g.readNotes(used); err != nil {
		return err
	}
	for number, s := range sets {
		slices.SortFunc(s.prefixes, order)
		g.sets[g.notes.text(number)] = s
	}
	return errors.Join(g.lengths.rebuild(g.everyPrefix), g.rebuildPrefixMarks(), g.marks.sentences.rebuild(sentences))
}
