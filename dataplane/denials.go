package dataplane

import (
	"net/netip"
	"slices"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// denials are who is kept out wherever the kernel gate is not: looked up when a
// connection is accepted. The longest network decides, as in the kernel.
type denials struct {
	rules *prefixlist.Table // of operators, and what is never shut out
	lists *prefixlist.Table // all of named
	named []list
	any   bool // somebody is kept out
}

// list is a named list of networks that are kept out: the host file's, or an IP
// set's with KernelGate.
type list struct {
	name, reason string // of the kernel's set
	networks     []netip.Prefix
}

func newDenials(h *configs.Host, rules []definition.DenyRule, lists *prefixlist.Table) *denials {
	return &denials{rules: ruleTable(h.NeverShutOut(), rules), lists: lists, any: len(rules)+lists.Len() > 0}
}

// denied is front.Config's.
func (g *Gateway) denied(source netip.Addr) bool {
	d := g.denials.Load()
	if !d.any {
		return false
	}
	now := time.Now().UnixNano()
	ruled, denied := d.rules.Match(source, now)
	if listed, listDenies := d.lists.Match(source, now); listed > ruled {
		return listDenies
	}
	return denied
}

// readDenyList reads the lists of the host file, and says what it leaves away.
func (g *Gateway) readDenyList(h *configs.Host) ([]netip.Prefix, error) {
	list, spared, err := h.DenyList()
	if spared > 0 {
		g.log.Warn("networks on deny lists are never shut out, so they are left away", "networks", spared)
	}
	return list, err
}

// denyLists makes the list of the host file and the IP sets that keep out the ones
// in force in userspace, and returns them for the kernel.
func (g *Gateway) denyLists(h *configs.Host) []list {
	named := append([]list{{listName, "deny list", g.denyList}}, g.ipSetLists(h)...)
	var entries []prefixlist.Entry
	for _, l := range named {
		for _, p := range l.networks {
			entries = append(entries, prefixlist.Entry{Prefix: p})
		}
	}
	d := newDenials(h, g.catalog.Load().Account.Deny, prefixlist.Compile(entries))
	d.named = named
	g.denials.Store(d)
	return named
}

// ipSetLists are the IP sets with KernelGate. What is never shut out is left away.
func (g *Gateway) ipSetLists(h *configs.Host) (all []list) {
	never := h.NeverShutOut()
	for _, d := range waf.Denied(g.catalog.Load().IPSets) {
		networks := slices.DeleteFunc(d.Prefixes, func(p netip.Prefix) bool {
			_, protected := prefixlist.Within(never, p)
			return protected
		})
		if spared := d.Set.Addresses.Len() - len(networks); spared > 0 {
			g.log.Warn("networks in an IP set are never shut out, so they are left away", "ip_set", d.Set.Name, "networks", spared)
		}
		reason := "IP set " + d.Set.Name
		all = append(all, list{"ipset " + d.Set.ID, reason[:min(len(reason), maxReason)], networks})
	}
	return all
}

// maxReason is how much of a reason the kernel keeps, in bytes.
const maxReason = 64

// denyIPSets follows a change of the IP sets that keep out. The kernel has it when
// it returns.
func (g *Gateway) denyIPSets(before *definition.Catalog, ch definition.Change) {
	gated := func(set *definition.IPSet) bool { return set != nil && set.KernelGate }
	if !slices.ContainsFunc(ch.PutIPSets, func(set *definition.IPSet) bool { return gated(set) || gated(before.IPSets[set.ID]) }) &&
		!slices.ContainsFunc(ch.DeleteIPSets, func(id string) bool { return gated(before.IPSets[id]) }) {
		return
	}
	g.gate.setLists(g.denyLists(g.host.Load()))
}

// denyRules makes the rules of operators the ones in force. The kernel has them
// when it returns.
func (g *Gateway) denyRules(rules []definition.DenyRule) {
	before := g.denials.Load()
	d := newDenials(g.host.Load(), rules, before.lists)
	d.named = before.named
	g.denials.Store(d)
	g.gate.setDenies(rules)
}

func ruleTable(never []netip.Prefix, rules []definition.DenyRule) *prefixlist.Table {
	now := time.Now()
	var entries []prefixlist.Entry
	for _, p := range never {
		entries = append(entries, prefixlist.Entry{Prefix: p, Allow: true})
	}
	for _, d := range rules {
		p, ok := inForce(d, now)
		if _, protected := prefixlist.Within(never, p); !ok || protected {
			continue
		}
		e := prefixlist.Entry{Prefix: p}
		if d.Until != nil {
			e.Until = d.Until.UnixNano()
		}
		entries = append(entries, e)
	}
	return prefixlist.Compile(entries)
}
