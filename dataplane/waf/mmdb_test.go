package waf

import (
	"encoding/binary"
	"net/netip"
)

// mmdb writes a database of MaxMind's format (version 2.0) with 32-bit records,
// of prefixes and what is known of them: {"country":{"iso_code":…}} and so on.
func mmdb(places map[string]obj) []byte {
	type node [2]uint32 // 0: nothing, else a node or, from leaf on, data
	const leaf = 1 << 30
	nodes := []node{{}}
	var data []byte
	for text, place := range places {
		prefix := netip.MustParsePrefix(text)
		bits, addr := prefix.Bits(), prefix.Addr().As16()
		if prefix.Addr().Is4() {
			addr = netip.AddrFrom16([16]byte(append(make([]byte, 12), prefix.Addr().AsSlice()...))).As16() // ::/96
			bits += 96
		}
		at := uint32(0)
		for i := range bits {
			bit := addr[i/8] >> (7 - i%8) & 1
			if i == bits-1 {
				nodes[at][bit] = uint32(leaf + len(data))
				break
			}
			if nodes[at][bit] == 0 {
				nodes = append(nodes, node{})
				nodes[at][bit] = uint32(len(nodes) - 1)
			}
			at = nodes[at][bit]
		}
		data = appendMMDB(data, place)
	}
	var file []byte
	for _, n := range nodes {
		for _, record := range n {
			switch {
			case record == 0:
				record = uint32(len(nodes))
			case record >= leaf:
				record = record - leaf + uint32(len(nodes)) + 16
			}
			file = binary.BigEndian.AppendUint32(file, record)
		}
	}
	file = append(append(file, make([]byte, 16)...), data...)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	return appendMMDB(file, obj{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1), "database_type": "Test",
		"ip_version": uint16(6), "node_count": uint32(len(nodes)), "record_size": uint16(32), "languages": arr{"en"}, "description": obj{"en": "test"},
	})
}

// appendMMDB writes a value of the data section.
func appendMMDB(dst []byte, v any) []byte {
	head := func(kind, size int) []byte {
		if kind > 7 {
			return append(dst, byte(size), byte(kind-7))
		}
		return append(dst, byte(kind<<5|size))
	}
	switch v := v.(type) {
	case string:
		return append(head(2, len(v)), v...)
	case uint16:
		return binary.BigEndian.AppendUint16(head(5, 2), v)
	case uint32:
		return binary.BigEndian.AppendUint32(head(6, 4), v)
	case uint64:
		return binary.BigEndian.AppendUint64(head(9, 8), v)
	case obj:
		dst = head(7, len(v))
		for key, member := range v {
			dst = appendMMDB(appendMMDB(dst, key), member)
		}
		return dst
	case arr:
		dst = head(11, len(v))
		for _, item := range v {
			dst = appendMMDB(dst, item)
		}
		return dst
	}
	panic("no such value")
}
