package control

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Limits of rules.
const (
	maxDenyRules  = 10_000 // more belong into a file of the host file's deny_files
	maxDenyReason = 64     // bytes, what the kernel keeps
	maxDenyTime   = 10 * 365 * 24 * time.Hour
)

func (s *Server) gateStatus(*request) (int, any, error) {
	return 200, s.gateway.Gate().Status(), nil
}

func (s *Server) gateEntries(*request) (int, any, error) {
	entries, err := s.gateway.Gate().Entries()
	if err != nil {
		return 0, nil, err
	}
	if entries == nil {
		entries = []GateEntry{}
	}
	return 200, List[GateEntry]{Items: entries}, nil
}

func (s *Server) gateStats(*request) (int, any, error) {
	stats, err := s.gateway.Gate().Stats()
	return 200, stats, err
}

// gateDeny makes a rule, in place of one on the same network. It is kept with
// the account, so it outlives the daemon.
func (s *Server) gateDeny(r *request) (int, any, error) {
	var in DenyInput
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	rule, network, err := s.denyRule(&in)
	if err != nil {
		return 0, nil, err
	}
	never := s.gateway.Gate().Never()
	if p, within := prefixlist.Within(never, network); within {
		return 0, nil, badRequest("%s is within %s, which is never shut out: loopback, trusted_proxies and kernel_gate.never of the host file", in.CIDR, p)
	}
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		next := c.Account
		next.Deny = slices.DeleteFunc(slices.Clone(c.Account.Deny), func(d definition.DenyRule) bool { return d.CIDR == rule.CIDR || s.ended(d) })
		if len(next.Deny) >= maxDenyRules {
			return definition.Change{}, limitExceeded("There are %d denied networks already: put lists into files that kernel_gate.deny_files of the host file names", maxDenyRules)
		}
		next.Deny = append(next.Deny, rule)
		return definition.Change{PutAccount: &next}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.network = rule.CIDR
	out := DenyResult{GateEntry: wireDeny(rule)}
	for _, p := range never {
		if network.Contains(p.Addr()) && network.Bits() <= p.Bits() {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s stays allowed: it is never shut out", p))
		}
	}
	return 201, out, nil
}

func (s *Server) denyRule(in *DenyInput) (rule definition.DenyRule, network netip.Prefix, err error) {
	network, err = prefixlist.Parse(strings.TrimSpace(in.CIDR))
	switch {
	case err != nil:
		return rule, network, badRequest("Invalid cidr: %v", err)
	case in.Seconds < 0 || in.Seconds > int64(maxDenyTime/time.Second):
		return rule, network, badRequest("Invalid seconds: %d. It must be from 1 to %d, or 0 for no end", in.Seconds, int64(maxDenyTime/time.Second))
	case in.Status != 0 && in.Status != 403 && in.Status != 429:
		return rule, network, badRequest("Invalid status: %d. It must be 403 or 429", in.Status)
	case len(in.Reason) > maxDenyReason || strings.ContainsFunc(in.Reason, unicode.IsControl):
		return rule, network, badRequest("Invalid reason: it has at most %d bytes and no control characters", maxDenyReason)
	}
	rule = definition.DenyRule{CIDR: network.String(), Reason: in.Reason, Status: in.Status}
	if rule.Status == 0 {
		rule.Status = 403
	}
	if in.Seconds > 0 {
		until := s.now().UTC().Add(time.Duration(in.Seconds) * time.Second).Truncate(time.Millisecond)
		rule.Until = &until
	}
	return rule, network, nil
}

func (s *Server) ended(d definition.DenyRule) bool {
	return d.Until != nil && !d.Until.After(s.now())
}

// wireDeny is a rule as it is shown.
func wireDeny(d definition.DenyRule) GateEntry {
	return GateEntry{Kind: GateDeny, Network: shortNetwork(d.CIDR), Reason: d.Reason, Status: d.Status, Until: d.Until}
}

// Denies returns the rules of operators that are in force at a time.
func Denies(c *definition.Catalog, now time.Time) (entries []GateEntry) {
	for _, d := range c.Account.Deny {
		if d.Until == nil || d.Until.After(now) {
			entries = append(entries, wireDeny(d))
		}
	}
	return entries
}

// shortNetwork writes the network of one address as that address.
func shortNetwork(cidr string) string {
	if p, err := netip.ParsePrefix(cidr); err == nil && p.IsSingleIP() {
		return p.Addr().String()
	}
	return cidr
}

// gateAllow takes back what was denied within a network, and ends sentences.
func (s *Server) gateAllow(r *request) (int, any, error) {
	var in struct {
		CIDR string `json:"cidr"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	network, err := prefixlist.Parse(strings.TrimSpace(in.CIDR))
	if err != nil {
		return 0, nil, badRequest("Invalid cidr: %v", err)
	}
	r.network = network.String()
	out := AllowResult{Removed: []string{}, Released: []string{}}
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		next := c.Account
		next.Deny = nil
		for _, d := range c.Account.Deny {
			switch p, err := netip.ParsePrefix(d.CIDR); {
			case s.ended(d):
			case err == nil && network.Bits() <= p.Bits() && network.Contains(p.Addr()):
				out.Removed = append(out.Removed, shortNetwork(d.CIDR))
			default:
				if err == nil && p.Contains(network.Addr()) {
					out.Warnings = append(out.Warnings, fmt.Sprintf("%s still denies it: allow all of that, or add %s to kernel_gate.never of the host file", p, in.CIDR))
				}
				next.Deny = append(next.Deny, d)
			}
		}
		if len(out.Removed) == 0 {
			return definition.Change{}, nil
		}
		return definition.Change{PutAccount: &next}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	gate := s.gateway.Gate()
	released, err := gate.Release(network)
	if err != nil {
		return 0, nil, err
	}
	for _, p := range released {
		out.Released = append(out.Released, shortNetwork(p.String()))
	}
	if len(out.Warnings) == 0 && gate.KeptOut(network.Addr()) {
		out.Warnings = append(out.Warnings, "a deny list of the host file still denies it: take it off the list and reload")
	}
	return 200, out, nil
}
