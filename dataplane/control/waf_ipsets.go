package control

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
)

func (s *Server) wireIPSet(c *definition.Catalog, set *definition.IPSet) IPSet {
	return IPSet{
		Name: set.Name, ID: set.ID, ARN: s.wafARN(definition.KindIPSet, set.Name, set.ID), Description: set.Description, Tags: orEmpty(set.Tags),
		IPAddressVersion: set.IPAddressVersion, AddressCount: set.Addresses.Len(), KernelGate: set.KernelGate, WebACLs: s.usersOfIPSet(c, set.ID),
	}
}

func (s *Server) listIPSets(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	some, err := page(slices.Collect(maps.Values(c.IPSets)), ipSetName, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[IPSet]{Items: make([]IPSet, len(some.Items)), Position: some.Position}
	for i, set := range some.Items {
		list.Items[i] = s.wireIPSet(c, set)
	}
	return 200, list, nil
}

func (s *Server) getIPSet(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	set, err := ipSetNamed(c, r.params["ipset"])
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireIPSet(c, set), nil
}

// putIPSet makes an IP set, or changes what it is given of one: of the addresses
// all.
func (s *Server) putIPSet(r *request) (int, any, error) {
	in, err := decodeIPSet(r)
	if err != nil {
		return 0, nil, err
	}
	name := r.params["ipset"]
	if err := checkWAFInput("putIPSetInput", name, in.description, in.tags); err != nil {
		return 0, nil, err
	}
	var addresses definition.Prefixes
	if in.given {
		if addresses, err = definition.NewPrefixes(in.addresses); err != nil {
			return 0, nil, badRequest("Invalid addresses: %v", err)
		}
	}
	return s.editIPSet(r, func(c *definition.Catalog, set *definition.IPSet) error {
		if set.ID == "" {
			if len(c.IPSets) >= maxIPSets {
				return limitExceeded("Cannot exceed quota for IPSetsPerAccount: %d", maxIPSets)
			}
			set.ID, set.Name = newRequestID(), name
		}
		if err := in.version(set); err != nil {
			return err
		}
		if in.given {
			set.Addresses = addresses
		}
		if in.kernelGate != nil {
			set.KernelGate = *in.kernelGate
		}
		describe(&set.Description, &set.Tags, in.description, in.tags)
		return nil
	})
}

// editIPSet changes a copy of the IP set that the path names, or a new one, and
// answers it.
func (s *Server) editIPSet(r *request, edit func(*definition.Catalog, *definition.IPSet) error) (int, any, error) {
	var next definition.IPSet
	var before definition.Prefixes
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		next = definition.IPSet{}
		if set := named(c.IPSets, r.params["ipset"], ipSetName); set != nil {
			next = *set
		}
		before = next.Addresses
		return definition.Change{PutIPSets: []*definition.IPSet{&next}}, edit(c, &next)
	})
	if err != nil {
		return 0, nil, err
	}
	answer := s.wireIPSet(s.gateway.Catalog(), &next)
	answer.Added, answer.Removed = compareAddresses(before, next.Addresses)
	answer.Warnings = s.spared(&next)
	return 200, answer, nil
}

// compareAddresses counts what only one of two lists has.
func compareAddresses(before, after definition.Prefixes) (added, removed int) {
	next, stop := iter.Pull(before.All())
	defer stop()
	old, more := next()
	for p := range after.All() { // both are in order
		for more && old.Compare(p) < 0 {
			removed++
			old, more = next()
		}
		if more && old == p {
			old, more = next()
		} else {
			added++
		}
	}
	for ; more; _, more = next() {
		removed++
	}
	return added, removed
}

// spared warns of addresses that are not kept out of the host after all.
func (s *Server) spared(set *definition.IPSet) (warnings []string) {
	if !set.KernelGate {
		return nil
	}
	for _, never := range s.gateway.Gate().Never() {
		for p := range set.Addresses.All() {
			if p.Overlaps(never) {
				warnings = append(warnings, never.String()+" is not kept out of the host: it is never shut out, by trusted_proxies or kernel_gate.never of the host file, or as loopback")
				break
			}
		}
	}
	return warnings
}

// updateIPSetAddresses adds addresses to a set and removes others.
func (s *Server) updateIPSetAddresses(r *request) (int, any, error) {
	var in struct {
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	add, err := parseAddresses("add", in.Add)
	if err != nil {
		return 0, nil, err
	}
	remove, err := parseAddresses("remove", in.Remove)
	if err != nil {
		return 0, nil, err
	}
	gone := map[netip.Prefix]bool{}
	for _, p := range remove {
		gone[p] = true
	}
	return s.editIPSet(r, func(_ *definition.Catalog, set *definition.IPSet) error {
		if set.ID == "" {
			return notFound("The IP set with name %s cannot be found.", r.params["ipset"])
		}
		if err := checkVersion("add", add, set.IPAddressVersion); err != nil {
			return err
		}
		next := add
		for p := range set.Addresses.All() {
			if !gone[p] {
				next = append(next, p)
			}
		}
		var err error
		if set.Addresses, err = definition.NewPrefixes(next); err != nil {
			return badRequest("Invalid addresses: %v", err)
		}
		return nil
	})
}

func parseAddresses(member string, texts []string) ([]netip.Prefix, error) {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = prefixlist.Parse(strings.TrimSpace(text)); err != nil {
			return nil, badRequest("Invalid addresses: %s[%d]: %v", member, i, err)
		}
	}
	return list, nil
}

func (s *Server) deleteIPSet(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		set, err := ipSetNamed(c, r.params["ipset"])
		if err != nil {
			return definition.Change{}, err
		}
		if users := s.usersOfIPSet(c, set.ID); len(users) > 0 {
			return definition.Change{}, conflict("Cannot delete IP set %s because web ACLs name it: %s. Change their rules first", set.Name, strings.Join(users, ", "))
		}
		return definition.Change{DeleteIPSets: []string{set.ID}}, nil
	})
	return 202, nil, err
}
