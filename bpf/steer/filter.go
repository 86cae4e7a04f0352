package steer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// The second line: a classic socket filter on every private listening socket
// takes only what arrives by the interfaces bound to it. Connections inherit it
// with their socket. It looks at the device that delivered the packet
// (skb->dev), where SO_BINDTODEVICE and sk_lookup go by inet_iif, which for
// packets of this host to its own addresses is the interface that has them.

const (
	skfAdOff     = -0x1000 // linux/filter.h
	skfAdIfindex = 8

	takeAll  = 1<<32 - 1 // bytes of the packet to keep
	takeNone = 0
)

// only returns a filter for packets of these interfaces. An established
// connection keeps the filter it was accepted with: interfaces that come later
// are not for it, and it ends with the interface it came by.
func only(indexes []int) []unix.SockFilter {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 1<<32 + skfAdOff + skfAdIfindex}}
	for _, index := range indexes {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(index)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: takeAll})
	}
	return append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: takeNone})
}

// attach replaces the filter of a socket at once.
func attach(fd int, filter []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return fmt.Errorf("set the filter of interfaces: %w", err)
	}
	return nil
}
