package gate

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
)

// lengths are lengths4 and lengths6 of maps.h: which lengths of prefixes there are
// on a network. One is noted before a prefix is added and forgotten after one is
// gone, so that at no time a rule is missed.
type lengths struct {
	four, six slots
}

type slots struct {
	of     []slot
	shared *ebpf.Memory
}

const (
	slotBits   = 19         // SLOT_BITS
	slotFactor = 0x9e3779b1 // SLOT_FACTOR
	// The networks of a shorter prefix are as many as there are slots, or more.
	network4, shortest4 = 24, 24 - slotBits
	network6, shortest6 = 32, 32 - slotBits
)

func (l *lengths) open(four, six *ebpf.Map) (err error) {
	if l.four, err = openSlots(four); err != nil {
		return err
	}
	l.six, err = openSlots(six)
	return err
}

func openSlots(m *ebpf.Map) (slots, error) {
	shared, err := m.Memory()
	if err != nil {
		return slots{}, fmt.Errorf("map %s into memory: %w", m, err)
	}
	raw := make([]byte, m.MaxEntries()*8)
	if _, err := shared.ReadAt(raw, 0); err != nil {
		return slots{}, fmt.Errorf("read %s: %w", m, err)
	}
	s := slots{of: make([]slot, m.MaxEntries()), shared: shared}
	for i := range s.of {
		s.of[i] = slot(binary.NativeEndian.Uint64(raw[8*i:]))
	}
	return s, nil
}

// add notes the lengths of prefixes.
func (l *lengths) add(prefixes ...netip.Prefix) error {
	for _, p := range prefixes {
		s := l.on(p)
		var err error
		slotsOf(p, func(i uint32) {
			if next := s.of[i].with(p.Bits()); err == nil && next != s.of[i] {
				err = s.write(i, next)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rebuild forgets the lengths that no prefix has any more.
func (l *lengths) rebuild(every func(func(netip.Prefix))) error {
	next := lengths{
		four: slots{of: make([]slot, len(l.four.of))},
		six:  slots{of: make([]slot, len(l.six.of))},
	}
	every(func(p netip.Prefix) {
		s := next.on(p)
		slotsOf(p, func(i uint32) { s.of[i] = s.of[i].with(p.Bits()) })
	})
	for _, pair := range [][2]*slots{{&l.four, &next.four}, {&l.six, &next.six}} {
		for i, s := range pair[1].of {
			if s != pair[0].of[i] {
				if err := pair[0].write(uint32(i), s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *lengths) on(p netip.Prefix) *slots {
	if p.Addr().Is4() {
		return &l.four
	}
	return &l.six
}

func (s *slots) write(i uint32, next slot) error {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], uint64(next))
	if _, err := s.shared.WriteAt(b[:], int64(i)*8); err != nil {
		return fmt.Errorf("write the gate's lengths: %w", err)
	}
	s.of[i] = next
	return nil
}

// slotsOf calls f with the slot of every network of a prefix.
func slotsOf(p netip.Prefix, f func(i uint32)) {
	var first uint32 // the network as a number
	network, shortest := network6, shortest6
	if p.Addr().Is4() {
		b := p.Addr().As4()
		network, shortest = network4, shortest4
		first = binary.BigEndian.Uint32(b[:]) >> (32 - network4)
	} else {
		b := p.Addr().As16()
		first = binary.BigEndian.Uint32(b[:])
	}
	if p.Bits() <= shortest {
		for i := range uint32(1) << slotBits {
			f(i)
		}
		return
	}
	for i := range uint32(1) << max(network-p.Bits(), 0) {
		f((first + i) * slotFactor >> (32 - slotBits))
	}
}

// slot is a list of lengths as the program reads it: a byte for each, 1 added, the
// longest first, that is lowest. 0 ends it. Of more than eight, the last is shorter.
type slot uint64

// shorter is SHORTER of maps.h: each length that is shorter than the one before.
const shorter = 255

// with returns the slot with another length.
func (s slot) with(bits int) slot {
	length := slot(bits) + 1
	for at := 0; at < 64; at += 8 {
		switch here := s >> at & 0xff; {
		case here == length, here == shorter:
			return s
		case here < length: // also 0, the end
			below := slot(1)<<at - 1
			grown := s&below | length<<at | s&^below<<8
			if s>>56 != 0 { // what fell out, and the last, are among the shorter
				grown = grown&(1<<56-1) | shorter<<56
			}
			return grown
		}
	}
	return s&(1<<56-1) | shorter<<56
}
