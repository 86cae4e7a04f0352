package gate

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/cilium/ebpf"
)

// Rule is what befalls a source.
type Rule struct {
	For    time.Duration // from now on; in lists what is left; 0 for ever
	Answer Answer        // from listeners that respond
	Reason string        // for people, at most 64 bytes
}

// Entry is a rule on a prefix.
type Entry struct {
	Prefix netip.Prefix
	Allow  bool
	Rule
}

// encode returns the rule as the program reads it.
func (g *Gate) encode(r Rule) (programRule, error) {
	if r.For < 0 || r.Answer > LimitExceeded {
		return programRule{}, fmt.Errorf("the kernel gate has no rule for %v with answer %d", r.For, r.Answer)
	}
	note, err := g.note(r.Reason)
	if err != nil {
		return programRule{}, err
	}
	k := programRule{Note: note, Answer: uint8(r.Answer)}
	if r.For > 0 {
		at, err := now()
		if err != nil {
			return programRule{}, err
		}
		k.Until = at + uint64(r.For)
	} else if r.Answer != Forbidden {
		k.Answer += forever
	}
	return k, nil
}

func (g *Gate) decode(k programRule, at uint64) Rule {
	r := Rule{Answer: Answer(k.Answer), Reason: g.notes.text(k.Note)}
	if k.Until > 0 {
		r.For = left(at, k.Until)
	} else if r.Answer > LimitExceeded {
		r.Answer -= forever
	}
	return r
}

// Deny puts a rule on a prefix, in place of an earlier one of Deny or Allow.
func (g *Gate) Deny(prefix netip.Prefix, r Rule) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, err := g.encode(r)
	if err != nil {
		return err
	}
	return g.putRule(prefix, k)
}

// Allow lets a prefix pass, whatever a shorter prefix, a set or a sentence says.
func (g *Gate) Allow(prefix netip.Prefix) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.putRule(prefix, programRule{Allow: 1})
}

// Remove takes back what Deny or Allow put on exactly this prefix, and tells
// whether there was something.
func (g *Gate) Remove(prefix netip.Prefix) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	prefix, err := canonical(prefix)
	if err != nil {
		return false, err
	}
	if _, ok := g.rules[prefix]; !ok {
		return false, nil
	}
	return true, g.removeRule(prefix)
}

// Rules returns what Deny and Allow put, in the order of the prefixes.
func (g *Gate) Rules() ([]Entry, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, err := now()
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, prefix := range slices.SortedFunc(maps.Keys(g.rules), order) {
		if k := g.rules[prefix]; k.Until == 0 || k.Until > at {
			entries = append(entries, Entry{Prefix: prefix, Allow: k.Allow == 1, Rule: g.decode(k, at)})
		}
	}
	return entries, nil
}

func (g *Gate) putRule(prefix netip.Prefix, k programRule) error {
	prefix, err := canonical(prefix)
	if err != nil {
		return err
	}
	if err := g.lengths.add(prefix); err != nil {
		return err
	}
	if err := g.putPrefix(prefix, k); err != nil {
		return err
	}
	g.rules[prefix] = k
	return nil
}

// removeRule leaves what a set says of the prefix. Its length stays
// noted until a set shrinks: it costs a look-up, not a verdict.
func (g *Gate) removeRule(prefix netip.Prefix) error {
	delete(g.rules, prefix)
	if k, ok := g.owner(prefix); ok {
		return g.putPrefix(prefix, k)
	}
	if err := g.clearMark(prefix); err != nil {
		return err
	}
	if err := g.mapFor(prefix).Delete(key(prefix)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("remove %s from the kernel gate: %w", prefix, err)
	}
	return nil
}

func (g *Gate) putPrefix(prefix netip.Prefix, k programRule) error {
	if err := g.mapFor(prefix).Put(key(prefix), k); err != nil {
		return fmt.Errorf("add %s to the kernel gate: %w", prefix, full(err))
	}
	return g.setMark(prefix, k)
}

func (g *Gate) setMark(prefix netip.Prefix, k programRule) error {
	m, ok := prefixMark(prefix)
	if !ok {
		return nil
	}
	return g.marks.prefixes.put(m, wordOf(k))
}

func (g *Gate) clearMark(prefix netip.Prefix) error {
	m, ok := prefixMark(prefix)
	if !ok {
		return nil
	}
	return g.marks.prefixes.clear(m)
}

func (g *Gate) mapFor(prefix netip.Prefix) *ebpf.Map {
	if prefix.Addr().Is4() {
		return g.objects.Prefixes4
	}
	return g.objects.Prefixes6
}

func key(prefix netip.Prefix) any {
	if prefix.Addr().Is4() {
		return key4(prefix)
	}
	return key6(prefix)
}

func key4(p netip.Prefix) programPrefix4 {
	return programPrefix4{Bits: uint32(p.Bits()), Address: words(p.Addr())[0]}
}

func key6(p netip.Prefix) programPrefix6 {
	return programPrefix6{Bits: uint32(p.Bits()), Address: words(p.Addr())}
}

// canonical masks a prefix, and writes an IPv4 one that came as IPv6 as IPv4.
func canonical(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return p, fmt.Errorf("the kernel gate needs a valid prefix, not %v", p)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
