package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// listName is the set of the host file's deny lists.
const listName = "host file"

// fill makes the gate hold what is wanted, in place of what an earlier process
// put there. What does not fit is noted, and denied in userspace alone.
func (w *gateWants) fill(g *gate.Gate) (notes []string, err error) {
	if err := g.SetListeners(w.listeners); err != nil {
		return nil, err
	}
	for what, fill := range map[string]func(*gate.Gate) error{"networks denied by operators": w.fillRules, "deny lists": w.fillLists} {
		err := fill(g)
		if errors.Is(err, gate.ErrFull) {
			notes = append(notes, fmt.Sprintf("the kernel gate does not hold all %s: %v", what, err))
		} else if err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// fillRules puts what is never shut out and what operators deny. New rules come
// before old ones go.
func (w *gateWants) fillRules(g *gate.Gate) error {
	now := time.Now()
	var errs []error
	keep := map[netip.Prefix]bool{}
	for _, p := range w.never {
		keep[p] = true
		errs = append(errs, g.Allow(p))
	}
	for _, d := range w.denies {
		p, ok := inForce(d, now)
		if _, protected := prefixlist.Within(w.never, p); !ok || protected {
			continue
		}
		keep[p] = true
		errs = append(errs, deny(g, p, d, now))
	}
	rules, err := g.Rules()
	errs = append(errs, err)
	for _, r := range rules {
		if !keep[r.Prefix] {
			_, err := g.Remove(r.Prefix)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func deny(g *gate.Gate, p netip.Prefix, d definition.DenyRule, now time.Time) error {
	rule := gate.Rule{Answer: gate.Forbidden, Reason: d.Reason}
	if d.Status == 429 {
		rule.Answer = gate.TooManyRequests
	}
	if d.Until != nil {
		rule.For = d.Until.Sub(now)
	}
	err := g.Deny(p, rule)
	if errors.Is(err, gate.ErrFull) && rule.Reason != "" { // of words, perhaps
		rule.Reason = ""
		err = g.Deny(p, rule)
	}
	return err
}

// inForce returns the network of a rule that has not ended.
func inForce(d definition.DenyRule, now time.Time) (netip.Prefix, bool) {
	p, err := prefixlist.Parse(d.CIDR)
	return p, err == nil && (d.Until == nil || d.Until.After(now))
}

// fillLists replaces the lists of networks, and removes other sets that nobody
// fills any more.
func (w *gateWants) fillLists(g *gate.Gate) error {
	sets, err := g.Sets()
	if err != nil {
		return err
	}
	for _, s := range sets {
		if !slices.ContainsFunc(w.lists, func(l list) bool { return l.name == s.Name }) {
			if err := g.ReplaceSet(s.Name, nil, gate.Rule{}); err != nil {
				return err
			}
		}
	}
	var errs []error
	for _, l := range w.lists {
		rule := gate.Rule{Answer: gate.Forbidden, Reason: l.reason}
		err := g.ReplaceSet(l.name, l.networks, rule)
		if errors.Is(err, gate.ErrFull) { // of words, perhaps
			rule.Reason = ""
			err = g.ReplaceSet(l.name, l.networks, rule)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
