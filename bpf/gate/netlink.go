package gate

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// modesByIndex asks rtnetlink how each interface runs its XDP program.
// Source: linux/if_link.h, IFLA_XDP.
func modesByIndex() (map[int]Mode, error) {
	table, err := syscall.NetlinkRIB(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	modes := map[int]Mode{}
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		index := int((*unix.IfInfomsg)(unsafe.Pointer(&m.Data[0])).Index)
		for _, a := range attributes {
			if a.Attr.Type&^unix.NLA_F_NESTED == unix.IFLA_XDP {
				modes[index] = attachedMode(a.Value)
			}
		}
	}
	return modes, nil
}

// attachedMode reads IFLA_XDP_ATTACHED out of the nested attributes.
func attachedMode(nested []byte) Mode {
	const attribute, drv, skb = 2, 1, 2
	for len(nested) >= unix.SizeofRtAttr {
		header := (*unix.RtAttr)(unsafe.Pointer(&nested[0]))
		size := int(header.Len)
		if size < unix.SizeofRtAttr || size > len(nested) {
			return Auto
		}
		if header.Type == attribute && size > unix.SizeofRtAttr {
			switch nested[unix.SizeofRtAttr] {
			case drv:
				return Native
			case skb:
				return Generic
			}
		}
		nested = nested[min((size+3)&^3, len(nested)):]
	}
	return Auto
}
