package dataplane

import (
	"net/netip"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/prefixlist"
)

// denials are who is kept out wherever the kernel gate is not: looked up when a
// connection is accepted. The longest network decides, as in the kernel.
type denials struct {
	rules *prefixlist.Table // of operators, and what is never shut out
	lists *prefixlist.Table // of the host file
	any   bool              // somebody is kept out
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

// denyLists makes the lists of the host file the ones in force in userspace.
func (g *Gateway) denyLists(h *configs.Host, list []netip.Prefix) {
	entries := make([]prefixlist.Entry, len(list))
	for i, p := range list {
		entries[i].Prefix = p
	}
	g.denials.Store(newDenials(h, g.catalog.Load().Account.Deny, prefixlist.Compile(entries)))
}

// denyRules makes the rules of operators the ones in force. The kernel has them
// when it returns.
func (g *Gateway) denyRules(rules []definition.DenyRule) {
	g.denials.Store(newDenials(g.host.Load(), rules, g.denials.Load().lists))
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
