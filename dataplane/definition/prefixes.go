package definition

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
)

// MaxPrefixes is how many Prefixes there can be in a list.
const MaxPrefixes = 1_000_000

// Prefixes is an immutable list of address ranges, sorted and without
// repetition. It takes 5 bytes for one of IPv4 and 17 for one of IPv6, without
// pointers. The zero value is empty.
type Prefixes struct {
	packed string
	count  int
}

// A packed prefix is its length in bits, with longBits added for IPv6, and the
// bytes of its address.
const longBits = 64

// NewPrefixes packs a list of prefixes, in any order. Host bits are cleared, and
// IPv4 ranges written as IPv6 become IPv4 ones. Like AWS it refuses /0.
func NewPrefixes(list []netip.Prefix) (Prefixes, error) {
	sorted := make([]netip.Prefix, len(list))
	for i, p := range list {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		switch {
		case !p.IsValid():
			return Prefixes{}, errors.New("an address range is not valid; write it like 192.0.2.0/24")
		case p.Bits() == 0:
			return Prefixes{}, fmt.Errorf("%s stands for every address; write it as two halves if that is meant, such as 0.0.0.0/1 and 128.0.0.0/1", p)
		}
		sorted[i] = p.Masked()
	}
	slices.SortFunc(sorted, netip.Prefix.Compare)
	sorted = slices.Compact(sorted)
	if len(sorted) > MaxPrefixes {
		return Prefixes{}, fmt.Errorf("%d address ranges are more than the %d that a list can have", len(sorted), MaxPrefixes)
	}
	var packed []byte
	for _, p := range sorted {
		packed = appendPrefix(packed, p)
	}
	return Prefixes{string(packed), len(sorted)}, nil
}

// UnpackPrefixes reads what Packed returned.
func UnpackPrefixes(packed []byte) (Prefixes, error) {
	p := Prefixes{packed: string(packed)}
	var before netip.Prefix
	for rest := p.packed; len(rest) > 0; p.count++ {
		next, size := firstPrefix(rest)
		if size == 0 || next != next.Masked() || before.IsValid() && before.Compare(next) >= 0 {
			return Prefixes{}, fmt.Errorf("address range %d is not as it was packed", p.count)
		}
		before, rest = next, rest[size:]
	}
	return p, nil
}

// Packed returns the list as bytes that UnpackPrefixes reads.
func (p Prefixes) Packed() string { return p.packed }

// Len returns the number of address ranges.
func (p Prefixes) Len() int { return p.count }

// All goes through the address ranges in order, those of IPv4 first.
func (p Prefixes) All() iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for rest := p.packed; len(rest) > 0; {
			prefix, size := firstPrefix(rest)
			if !yield(prefix) {
				return
			}
			rest = rest[size:]
		}
	}
}

func appendPrefix(dst []byte, p netip.Prefix) []byte {
	if p.Addr().Is4() {
		a := p.Addr().As4()
		return append(append(dst, byte(p.Bits())), a[:]...)
	}
	a := p.Addr().As16()
	return append(append(dst, byte(p.Bits()+longBits)), a[:]...)
}

// firstPrefix returns a size of 0 for what is no packed prefix.
func firstPrefix(packed string) (p netip.Prefix, size int) {
	bits := int(packed[0])
	switch {
	case bits <= 32 && len(packed) >= 5:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte([]byte(packed[1:5]))), bits), 5
	case bits > longBits && bits <= longBits+128 && len(packed) >= 17:
		return netip.PrefixFrom(netip.AddrFrom16([16]byte([]byte(packed[1:17]))), bits-longBits), 17
	}
	return netip.Prefix{}, 0
}
