package scenarios

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// synFrame is the Ethernet frame of a SYN, with VLAN tags. Nobody looks at its
// checksums.
func synFrame(client, server netip.AddrPort, tags int) []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for i := range tags {
		kind := uint16(0x8100) // IEEE 802.1Q, within 802.1ad if there are more
		if i < tags-1 {
			kind = 0x88a8
		}
		b = binary.BigEndian.AppendUint16(b, kind)
		b = append(b, 0, 7)
	}
	// Of the usual size: maximum segment size, SACK, timestamps, window scale.
	tcp := make([]byte, 40)
	binary.BigEndian.PutUint16(tcp, client.Port())
	binary.BigEndian.PutUint16(tcp[2:], server.Port())
	tcp[12], tcp[13] = byte(len(tcp)/4)<<4, 2
	copy(tcp[20:], []byte{2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7})

	if client.Addr().Is4() {
		ip := make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(tcp)))
		copy(ip[12:], client.Addr().AsSlice())
		copy(ip[16:], server.Addr().AsSlice())
		return append(append(binary.BigEndian.AppendUint16(b, 0x0800), ip...), tcp...)
	}
	ip := make([]byte, 40)
	ip[0], ip[6], ip[7] = 0x60, 6, 64
	binary.BigEndian.PutUint16(ip[4:], uint16(len(tcp)))
	copy(ip[8:], client.Addr().AsSlice())
	copy(ip[24:], server.Addr().AsSlice())
	return append(append(binary.BigEndian.AppendUint16(b, 0x86dd), ip...), tcp...)
}

// addresses makes up what the gate knows, and whom it does not: each kind is from
// networks that no other is from. The same seed makes the same.
type addresses struct{ *rand.Rand }

func newAddresses(seed uint64) addresses { return addresses{rand.New(rand.NewPCG(seed, 0))} }

// prefixes are n different ones of 128.0.0.0/1 and 2000::/4: three in four are
// IPv4, from /20 to /32, the others IPv6, from /32 to /64.
func (a addresses) prefixes(n int) []netip.Prefix {
	seen := make(map[netip.Prefix]bool, n)
	all := make([]netip.Prefix, 0, n)
	for len(all) < n {
		var p netip.Prefix
		if len(all)%4 == 0 {
			p = netip.PrefixFrom(a.six(0x20), 32+a.IntN(33)).Masked()
		} else {
			p = netip.PrefixFrom(a.four(1<<31, 1), 20+a.IntN(13)).Masked()
		}
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all
}

// sources are n different addresses of 64.0.0.0/2 and 3000::/4, by turns IPv4 and
// IPv6.
func (a addresses) sources(n int) []netip.Addr {
	seen := make(map[netip.Addr]bool, n)
	all := make([]netip.Addr, 0, n)
	for len(all) < n {
		s := a.four(1<<30, 2)
		if len(all)%2 == 1 {
			s = a.six(0x30)
		}
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all
}

// clean4 and clean6 are of 0.0.0.0/2 and 8000::/4.
func (a addresses) clean4() netip.Addr { return a.four(1<<24, 2) }
func (a addresses) clean6() netip.Addr { return a.six(0x80) }

// four is an address whose first bits are those of base.
func (a addresses) four(base uint32, bits int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], base|a.Uint32()>>bits)
	return netip.AddrFrom4(b)
}

// six is an address of a random /64, whose first four bits are those of base.
func (a addresses) six(base byte) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.Uint64()>>4)
	b[0] |= base
	b[15] = 1
	return netip.AddrFrom16(b)
}
