package gate

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// packet describes a frame to make.
type packet struct {
	tags             []uint16 // EtherTypes of the VLAN tags
	client, server   netip.AddrPort
	ipOptions        int    // IPv4: words
	fragment         uint16 // flags and offset, as in the header
	extensions       []byte // IPv6: kinds
	protocol         byte
	seq, ack         uint32
	flags            byte
	options, payload []byte
}

// frame returns the Ethernet frame. Checksums are left out: the gate ignores them.
func (p *packet) frame() []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tag := range p.tags {
		b = binary.BigEndian.AppendUint16(b, tag)
		b = append(b, 0, 7)
	}
	tcp := p.tcp()
	if p.client.Addr().Is4() {
		b = binary.BigEndian.AppendUint16(b, 0x0800)
		size := 20 + 4*p.ipOptions
		ip := make([]byte, size)
		ip[0], ip[8], ip[9] = 0x40|byte(size/4), 64, p.protocol
		binary.BigEndian.PutUint16(ip[2:], uint16(size+len(tcp)))
		binary.BigEndian.PutUint16(ip[6:], p.fragment)
		copy(ip[12:], p.client.Addr().AsSlice())
		copy(ip[16:], p.server.Addr().AsSlice())
		return append(append(b, ip...), tcp...)
	}
	b = binary.BigEndian.AppendUint16(b, 0x86dd)
	ip := make([]byte, 40)
	ip[0], ip[6], ip[7] = 0x60, p.protocol, 64
	copy(ip[8:], p.client.Addr().AsSlice())
	copy(ip[24:], p.server.Addr().AsSlice())
	var chain []byte
	for i := len(p.extensions) - 1; i >= 0; i-- {
		header := make([]byte, 8+8*(i%2)) // some longer than the least
		header[0], header[1] = ip[6], byte(i%2)
		switch ip[6] = p.extensions[i]; ip[6] {
		case 44:
			header = header[:8]
			header[1] = 0
			binary.BigEndian.PutUint16(header[2:], p.fragment<<3)
		case 51:
			header[1] = byte(len(header)/4 - 2)
		}
		chain = append(header, chain...)
	}
	binary.BigEndian.PutUint16(ip[4:], uint16(len(chain)+len(tcp)))
	return append(append(append(b, ip...), chain...), tcp...)
}

func (p *packet) tcp() []byte {
	options := append([]byte{}, p.options...)
	for len(options)%4 != 0 {
		options = append(options, 0)
	}
	b := make([]byte, 20, 20+len(options)+len(p.payload))
	binary.BigEndian.PutUint16(b, p.client.Port())
	binary.BigEndian.PutUint16(b[2:], p.server.Port())
	binary.BigEndian.PutUint32(b[4:], p.seq)
	binary.BigEndian.PutUint32(b[8:], p.ack)
	b[12], b[13] = byte(5+len(options)/4)<<4, p.flags
	b[14] = 0xff
	return append(append(b, options...), p.payload...)
}

// generator makes packets of which most are almost right.
type generator struct {
	*rand.Rand
	sources4, sources6, servers4, servers6 []netip.Addr
	ports                                  []uint16
	open                                   []tuple
	proofs                                 []handshake // of cookies, to come back to
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func (g *generator) packet() *packet {
	p := &packet{protocol: 6, seq: g.Uint32(), ack: g.Uint32()}
	clientPort, port := uint16(1024+g.IntN(60000)), pick(g, g.ports)
	if g.oneIn(2) {
		p.client = netip.AddrPortFrom(pick(g, g.sources4), clientPort)
		p.server = netip.AddrPortFrom(pick(g, g.servers4), port)
	} else {
		p.client = netip.AddrPortFrom(pick(g, g.sources6), clientPort)
		p.server = netip.AddrPortFrom(pick(g, g.servers6), port)
	}
	p.flags = pick(g, []byte{syn, syn, syn, ack, ack | psh, ack | fin, syn | ack, rst, rst | ack, syn | fin, 0, 0xff})
	if g.oneIn(3) {
		p.payload = make([]byte, g.IntN(1400))
	}
	switch g.IntN(6) {
	case 0:
		t := pick(g, g.open)
		p.client, p.server = t.client, t.server
	case 1, 2:
		if len(g.proofs) > 0 {
			h := pick(g, g.proofs)
			p.client, p.server, p.seq, p.ack, p.flags = h.client, h.server, h.seq, h.ack, pick(g, []byte{ack, ack | psh, ack | fin})
		}
	}
	g.decorate(p)
	return p
}

// decorate adds what may stand between the headers.
func (g *generator) decorate(p *packet) {
	for range g.IntN(4) {
		if g.oneIn(2) {
			p.tags = append(p.tags, pick(g, []uint16{0x8100, 0x88a8}))
		}
	}
	if g.oneIn(4) {
		p.ipOptions = g.IntN(11)
	}
	if g.oneIn(4) {
		for range g.IntN(9) {
			p.extensions = append(p.extensions, pick(g, []byte{0, 43, 44, 51, 60, 135}))
		}
	}
	if g.oneIn(8) {
		p.fragment = pick(g, []uint16{0x2000, 0x2001, 1, 185, 0x4000})
	}
	if g.oneIn(16) {
		p.protocol = byte(g.IntN(256))
	}
	mss, sack, window := []byte{2, 4, 5, 180}, []byte{4, 2}, []byte{3, 3, 7}
	time := append([]byte{8, 10}, make([]byte, 8)...)
	binary.BigEndian.PutUint32(time[2:], g.Uint32())
	nop := []byte{1}
	for range g.IntN(9) {
		if next := pick(g, [][]byte{mss, sack, window, time, nop, nop, {0}, {8, 9, 1}, {30, 0}, {30, 255}}); len(p.options)+len(next) <= 40 {
			p.options = append(p.options, next...)
		}
	}
}

// damage cuts a frame, adds padding, or turns a byte of its headers.
func (g *generator) damage(frame []byte) []byte {
	switch g.IntN(12) {
	case 0, 1:
		return frame[:14+g.IntN(len(frame)-13)]
	case 2:
		return append(frame, make([]byte, g.IntN(40))...)
	case 3, 4:
		frame[12+g.IntN(min(len(frame)-12, 90))] = byte(g.IntN(256))
	}
	return frame
}
