package prefixlist

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// Entry is what a Table says of a network.
type Entry struct {
	Prefix netip.Prefix
	Allow  bool
	Until  int64 // Unix nanoseconds; 0 is for ever
}

// Table answers for an address with what the longest network says that holds it
// and is in force. It is immutable, so any number of goroutines may use it, and
// holds no pointers for the garbage collector to follow.
type Table struct {
	rows []row // by first address, the longer ones of several last
}

// row is an Entry. IPv4 is written as IPv4-mapped IPv6, and told apart all the
// same: ::/2 holds no IPv4 address.
type row struct {
	high, low uint64
	until     int64
	around    int32 // index of the next longer network that holds this one, or -1
	bits      uint8
	four      bool
	allow     bool
}

// Compile makes a Table. Of several entries on one network one that allows
// counts before one that does not, and then the one that lasts longest. Prefixes
// must be valid and masked.
func Compile(entries []Entry) *Table {
	t := &Table{rows: make([]row, 0, len(entries))}
	for _, e := range entries {
		high, low, bits := key(e.Prefix.Addr(), e.Prefix.Bits())
		t.rows = append(t.rows, row{high: high, low: low, bits: bits, four: e.Prefix.Addr().Is4(), until: e.Until, allow: e.Allow})
	}
	slices.SortFunc(t.rows, func(a, b row) int {
		c := cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.bits, b.bits))
		if c != 0 || a.allow != b.allow {
			return cmp.Or(c, cmp.Compare(rank(b), rank(a)))
		}
		return cmp.Compare(uint64(b.until-1), uint64(a.until-1)) // 0 is the longest
	})
	t.rows = slices.CompactFunc(t.rows, func(a, b row) bool { return a.high == b.high && a.low == b.low && a.bits == b.bits })
	around := int32(-1)
	for i := range t.rows {
		r := &t.rows[i]
		for around >= 0 && !t.rows[around].holds(r.high, r.low) {
			around = t.rows[around].around
		}
		r.around, around = around, int32(i)
	}
	return t
}

func rank(r row) int {
	if r.allow {
		return 1
	}
	return 0
}

// Len returns how many networks the table has.
func (t *Table) Len() int { return len(t.rows) }

// Match returns the length of the longest network that holds an address and is in
// force at a time, Unix nanoseconds, and whether it denies: -1 and false if there
// is none. It allocates nothing.
func (t *Table) Match(addr netip.Addr, now int64) (bits int, denied bool) {
	if len(t.rows) == 0 || !addr.IsValid() {
		return -1, false
	}
	addr = addr.Unmap()
	high, low, _ := key(addr, 0)
	first, end := 0, len(t.rows) // the rows before first are not behind the address
	for first < end {
		middle := int(uint(first+end) >> 1)
		if r := &t.rows[middle]; r.high < high || r.high == high && r.low <= low {
			first = middle + 1
		} else {
			end = middle
		}
	}
	// Whatever holds the address is this row or around it.
	for i := int32(first) - 1; i >= 0; i = t.rows[i].around {
		r := &t.rows[i]
		if r.four == addr.Is4() && r.holds(high, low) && (r.until == 0 || r.until > now) {
			if bits = int(r.bits); r.four {
				bits -= 96
			}
			return bits, !r.allow
		}
	}
	return -1, false
}

func (r *row) holds(high, low uint64) bool {
	switch {
	case r.bits == 0:
		return true
	case r.bits <= 64:
		return (r.high^high)>>(64-r.bits) == 0
	}
	return r.high == high && (r.low^low)>>(128-r.bits) == 0
}

func key(addr netip.Addr, bits int) (high, low uint64, b uint8) {
	if addr.Is4() {
		bits += 96
	}
	bytes := addr.As16()
	return binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:]), uint8(bits)
}
