package waf

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Denial is the addresses of an IP set that is kept out of the whole host.
type Denial struct {
	Set      *definition.IPSet
	Prefixes []netip.Prefix // sorted
}

// Denied returns the IP sets that have KernelGate, in the order of their ids,
// whether or not a rule names them: it is for the kernel gate. An ACL can name
// them only to block their addresses, so that where there is no kernel gate a
// rule does the same.
func Denied(ipSets map[string]*definition.IPSet) (all []Denial) {
	for _, set := range ipSets {
		if set.KernelGate {
			all = append(all, Denial{set, slices.Collect(set.Addresses.All())})
		}
	}
	slices.SortFunc(all, func(a, b Denial) int { return cmp.Compare(a.Set.ID, b.Set.ID) })
	return all
}
