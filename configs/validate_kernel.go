package configs

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/tidegate/tidegate/configs/prefixlist"
)

var (
	// Of VPC endpoints on AWS it is 8 or 17 hexadecimal digits; names are easier
	// to read in a policy.
	endpointPattern = regexp.MustCompile(`^vpce-[a-z0-9-]{1,59}$`)
	// dev_valid_name of the kernel, without what no tool makes.
	interfacePattern = regexp.MustCompile(`^[^/:\s]{1,15}$`)
)

// maxInterfaces of a listener and of the gate.
const maxInterfaces = 64

func validateInterfaces(r *report, at string, names []string) {
	if len(names) > maxInterfaces {
		r.failAt(at, fmt.Sprintf("%d interfaces, more than %d", len(names), maxInterfaces), "list fewer")
	}
	seen := map[string]string{}
	for i, name := range names {
		entry := fmt.Sprintf("%s[%d]", at, i)
		if !interfacePattern.MatchString(name) || name == "." || name == ".." {
			r.failAt(entry, fmt.Sprintf("%q is not the name of an interface", name), "write one that ip link shows, for example eth0")
		}
		unique(r, seen, name, entry)
	}
}

// validatePrivate checks what makes a listener private.
func validatePrivate(r *report, at string, l *Listener) {
	validateInterfaces(r, at+".interfaces", l.Interfaces)
	if !l.Private() {
		if l.Endpoint != "" {
			r.failAt(at+".endpoint", "only a private listener stands for an endpoint", "list the interfaces that lead to it, or leave the key out")
		}
		return
	}
	if !endpointPattern.MatchString(l.Endpoint) {
		r.failAt(at+".endpoint", fmt.Sprintf("%q is not the id of an endpoint", l.Endpoint), "write vpce- and lower-case letters or digits, for example vpce-inside")
	}
	if _, ok := l.addrPort(); !ok {
		r.failAt(at+".address", fmt.Sprintf("%q is no address for a private listener", l.Address), "write an IP address and a port, for example 10.0.0.1:443, or :443 for every address")
	}
}

// addrPort returns the address of a listener that names it without a name, a
// zone or port 0. No address is every one of both families.
func (l *Listener) addrPort() (netip.AddrPort, bool) {
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil {
		return netip.AddrPort{}, false
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(cmp.Or(host, "::"), port))
	return at, err == nil && at.Port() != 0 && at.Addr().Zone() == ""
}

// AddrPort returns the address of a private listener.
func (l *Listener) AddrPort() netip.AddrPort {
	at, _ := l.addrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// validateRefusals holds that each address has one way to refuse: the gate does
// not know by which listener a connection would be taken.
func validateRefusals(r *report, listeners []Listener) {
	type first struct{ at, style string }
	seen := map[netip.AddrPort]first{}
	for i := range listeners {
		at, l := fmt.Sprintf("listeners[%d].refusal", i), &listeners[i]
		if strings.HasPrefix(l.Address, "unix:") {
			if l.Refusal != "" {
				r.failAt(at, "nothing of a Unix socket passes the kernel gate", "leave the key out")
			}
			continue
		}
		switch l.Refusal {
		case RefusalDrop, RefusalReset, RefusalRespond:
		default:
			r.failAt(at, fmt.Sprintf("%q is unknown", l.Refusal), "write drop, reset or respond")
			continue
		}
		where, ok := l.addrPort()
		if !ok {
			continue
		}
		if where.Addr().IsUnspecified() { // the gate makes no difference of families there
			where = netip.AddrPortFrom(netip.IPv6Unspecified(), where.Port())
		}
		style := l.RefusalInForce()
		if f, ok := seen[where]; ok && f.style != style {
			r.failAt(at, fmt.Sprintf("%s at an address where %s says %s", style, f.at, f.style), "give both the same refusal")
		}
		seen[where] = first{at, style}
	}
}

// validateShares holds that one interface leads to one private listener of an
// address.
func validateShares(r *report, listeners []Listener) {
	type entrance struct {
		address netip.AddrPort
		by      string
	}
	taken := map[entrance]string{}
	for i := range listeners {
		at, l := fmt.Sprintf("listeners[%d]", i), &listeners[i]
		where, ok := l.addrPort()
		if !ok {
			continue
		}
		for j, name := range l.Interfaces {
			e := entrance{where, name}
			if other, ok := taken[e]; ok && other != at {
				r.failAt(fmt.Sprintf("%s.interfaces[%d]", at, j), fmt.Sprintf("%q leads to %s at %s already", name, other, l.Address), "choose another interface, address or port")
			}
			taken[e] = at
		}
	}
}

func validateKernelGate(r *report, h *Host) {
	g := &h.KernelGate
	validateInterfaces(r, "kernel_gate.interfaces", g.Interfaces)
	switch base := filepath.Base(g.PinDir); {
	case g.PinDir == "":
		r.failAt("kernel_gate.pin_dir", "empty", "name a folder in a BPF file system, for example /sys/fs/bpf/tidegate")
	case strings.Contains(base, "."):
		r.failAt("kernel_gate.pin_dir", fmt.Sprintf("%q has a dot, which a BPF file system takes in no name", base), "choose another name")
	}
	if g.AtStop != AtStopLeave && g.AtStop != AtStopClose {
		r.failAt("kernel_gate.at_stop", fmt.Sprintf("%q is unknown", g.AtStop), "write leave or close")
	}
	never := h.NeverShutOut()
	for i, p := range g.Deny {
		if q, ok := prefixlist.Within(never, p); ok {
			r.failAt(fmt.Sprintf("kernel_gate.deny[%d]", i), fmt.Sprintf("%s is within %s, which is never shut out", p, q), "take one of them away: loopback, trusted_proxies and kernel_gate.never are never shut out")
		}
	}
	for i, name := range g.DenyFiles {
		if name == "" {
			r.failAt(fmt.Sprintf("kernel_gate.deny_files[%d]", i), "empty", "name a file with one network a line")
		}
	}
	between(r, "kernel_gate.max_prefixes", g.MaxPrefixes, 1, 1<<24)
	between(r, "kernel_gate.max_sentences", g.MaxSentences, 1, 1<<22)
	s := &g.Sentences
	between(r, "kernel_gate.sentences.denials", s.Denials, 2, 1<<20)
	for _, d := range []struct {
		field       string
		value       time.Duration
		least, most time.Duration
	}{
		{"window", s.Window, 100 * time.Millisecond, time.Hour},
		{"first", s.First, time.Second, s.Longest},
		{"longest", s.Longest, time.Second, 24 * time.Hour},
	} {
		if d.value < d.least || d.value > d.most {
			r.failAt("kernel_gate.sentences."+d.field, fmt.Sprintf("%s is out of range", d.value), fmt.Sprintf("write a duration from %s to %s", d.least, d.most))
		}
	}
}
