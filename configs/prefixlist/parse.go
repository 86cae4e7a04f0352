package prefixlist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Parse reads one network. Bits beyond the prefix have to be 0, IPv4 is written
// as IPv4, and a network of all addresses is refused: it is a mistake more often
// than an intention. The error says what to write instead.
func Parse(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%q is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address", clip(text))
		}
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q has a zone; write the address without %%%s", clip(text), clip(addr.Zone()))
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address", clip(text))
	case p.Bits() == 0:
		return netip.Prefix{}, fmt.Errorf("%q is every address; name the networks you mean", text)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is IPv4 written as IPv6; write it as IPv4", text)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond the prefix; write %s", text, p.Masked())
	}
	return p, nil
}

// clip keeps a message short, whatever a file holds.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// Within returns the first network of a list that holds all of p.
func Within(list []netip.Prefix, p netip.Prefix) (netip.Prefix, bool) {
	for _, q := range list {
		if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return q, true
		}
	}
	return netip.Prefix{}, false
}

// ErrTooMany is from Read: the list is longer than it may be.
var ErrTooMany = errors.New("more networks than there may be")
