package gate

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
)

// filters are filter4 and filter6 of maps.h: which networks the tries have
// anything on. Bits are set before a prefix is added and cleared after one is
// gone, so that at no time a rule is missed.
type filters struct {
	four, six filter
}

type filter struct {
	bits   []uint64
	shared *ebpf.Memory
}

const (
	filter4Bits   = 24
	filter6Bits   = 22         // FILTER6_BITS
	filter6Factor = 0x9e3779b1 // FILTER6_FACTOR
	// A shorter IPv6 prefix sets all bits; enumerating its /32s would take long.
	filter6Shortest = 20
)

func (f *filters) open(four, six *ebpf.Map) (err error) {
	if f.four, err = openFilter(four); err != nil {
		return err
	}
	f.six, err = openFilter(six)
	return err
}

func openFilter(m *ebpf.Map) (filter, error) {
	shared, err := m.Memory()
	if err != nil {
		return filter{}, fmt.Errorf("map %s into memory: %w", m, err)
	}
	raw := make([]byte, m.MaxEntries()*8)
	if _, err := shared.ReadAt(raw, 0); err != nil {
		return filter{}, fmt.Errorf("read %s: %w", m, err)
	}
	f := filter{bits: make([]uint64, m.MaxEntries()), shared: shared}
	for i := range f.bits {
		f.bits[i] = binary.NativeEndian.Uint64(raw[8*i:])
	}
	return f, nil
}

// add sets the bits of prefixes.
func (f *filters) add(prefixes ...netip.Prefix) error {
	for _, p := range prefixes {
		target := f.of(p)
		var err error
		bitsOf(p, func(bit uint32) {
			word := target.bits[bit/64] | 1<<(bit%64)
			if err == nil && word != target.bits[bit/64] {
				err = target.write(int(bit/64), word)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rebuild clears the bits that no prefix needs any more.
func (f *filters) rebuild(every func(func(netip.Prefix))) error {
	next := filters{
		four: filter{bits: make([]uint64, len(f.four.bits))},
		six:  filter{bits: make([]uint64, len(f.six.bits))},
	}
	every(func(p netip.Prefix) {
		target := next.of(p)
		bitsOf(p, func(bit uint32) { target.bits[bit/64] |= 1 << (bit % 64) })
	})
	for _, pair := range [][2]*filter{{&f.four, &next.four}, {&f.six, &next.six}} {
		for i, word := range pair[1].bits {
			if word != pair[0].bits[i] {
				if err := pair[0].write(i, word); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (f *filters) of(p netip.Prefix) *filter {
	if p.Addr().Is4() {
		return &f.four
	}
	return &f.six
}

func (f *filter) write(index int, word uint64) error {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], word)
	if _, err := f.shared.WriteAt(b[:], int64(index)*8); err != nil {
		return fmt.Errorf("write the gate's filter: %w", err)
	}
	f.bits[index] = word
	return nil
}

// bitsOf calls set with every bit of a prefix.
func bitsOf(p netip.Prefix, set func(bit uint32)) {
	bits := p.Bits()
	if p.Addr().Is4() {
		b := p.Addr().As4()
		first := binary.BigEndian.Uint32(b[:]) >> (32 - filter4Bits)
		for i := range uint32(1) << max(filter4Bits-bits, 0) {
			set(first + i)
		}
		return
	}
	if bits < filter6Shortest {
		for i := range uint32(1) << filter6Bits {
			set(i)
		}
		return
	}
	b := p.Addr().As16()
	first := binary.BigEndian.Uint32(b[:])
	for i := range uint32(1) << max(32-bits, 0) {
		set((first + i) * filter6Factor >> (32 - filter6Bits))
	}
}
