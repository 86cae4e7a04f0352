package steer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// Binding says which interfaces lead to a private listener.
type Binding struct {
	Name string // unique; for messages, counters and keeping sockets

	// Interfaces are names, up to [MaxInterfaces]. They need not exist, and may
	// be renamed, deleted and made again: what has the name now leads to the
	// listener. Traffic of a bridge, bond or VRF comes in by the master, so
	// name that. "lo" lets this host's own processes in.
	Interfaces []string

	// Addr is what clients connect to. The wildcard 0.0.0.0 is every IPv4
	// address, and :: every address of both families; a binding of an address
	// itself goes before one of the wildcard.
	Addr netip.AddrPort

	// Shared says that public listeners have this address and port too, perhaps
	// by a wildcard: connections from other interfaces go on to them. Else such
	// connections are reset, whatever other sockets listen there.
	Shared bool

	// Sockets are from one call of [Listen]. Set takes copies of their
	// descriptors, so they may be closed at once or handed on. Without any, the
	// copies that the binding of this name has are kept.
	Sockets []syscall.Conn
}

// Limits of one binding.
const (
	MaxInterfaces = 64
	MaxSockets    = 256
)

// check says what is wrong with a binding by itself.
func (b *Binding) check() error {
	switch {
	case b.Name == "":
		return errors.New("it has no name")
	case len(b.Interfaces) == 0:
		return errors.New("no interface leads to it; list at least one")
	case len(b.Interfaces) > MaxInterfaces:
		return fmt.Errorf("%d interfaces, more than %d", len(b.Interfaces), MaxInterfaces)
	case len(b.Sockets) > MaxSockets:
		return fmt.Errorf("%d sockets, more than %d", len(b.Sockets), MaxSockets)
	case !b.Addr.IsValid() || b.Addr.Port() == 0:
		return fmt.Errorf("%s is not an address with a port", b.Addr)
	case b.Addr.Addr().Zone() != "":
		return fmt.Errorf("%s has a zone; name the interface among the interfaces instead", b.Addr)
	}
	return nil
}

// keys returns the addresses of a binding as the program looks for them.
func (b *Binding) keys() []programAddress {
	ip := b.Addr.Addr().Unmap()
	keys := []programAddress{key(ip, b.Addr.Port())}
	if ip == netip.IPv6Unspecified() {
		keys = append(keys, key(netip.IPv4Unspecified(), b.Addr.Port()))
	}
	return keys
}

// key has IPv4 mapped, and the address in network byte order.
func key(ip netip.Addr, port uint16) (k programAddress) {
	bytes := ip.As16()
	for i := range k.Ip {
		k.Ip[i] = binary.NativeEndian.Uint32(bytes[4*i:])
	}
	k.Port = uint32(port)
	return k
}

// table is what a list of bindings comes to, before there is a kernel map.
type table struct {
	rows    []*row
	doors   map[programAddress]programDoor
	ways    uint32 // with all interfaces there
	sockets uint32
}

// row is a binding in force, or about to be. Its number is its counter.
type row struct {
	Binding
	addresses []programAddress
	sockets   *group
	first     uint32 // its first socket's slot
	indexes   []int  // of its interfaces that are there
}

// compile refuses bindings that contradict one another. Sockets come later.
func compile(bindings []Binding) (*table, error) {
	t := &table{doors: map[programAddress]programDoor{}}
	names := map[string]bool{}
	type entrance struct {
		to programAddress
		by string
	}
	taken := map[entrance]string{}
	for i := range bindings {
		r := &row{Binding: bindings[i]}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("binding %q: %w", r.Name, err)
		}
		if names[r.Name] {
			return nil, fmt.Errorf("binding %q: the name is given twice", r.Name)
		}
		names[r.Name] = true
		r.Interfaces = slices.Clone(r.Interfaces)
		slices.Sort(r.Interfaces)
		r.Interfaces = slices.Compact(r.Interfaces)
		r.addresses = r.keys()
		for _, to := range r.addresses {
			for _, by := range r.Interfaces {
				if other, ok := taken[entrance{to, by}]; ok {
					return nil, fmt.Errorf("binding %q: %q has interface %s at %s already", r.Name, other, by, r.Addr)
				}
				taken[entrance{to, by}] = r.Name
				t.ways++
			}
			shared := uint32(0)
			if r.Shared {
				shared = 1
			}
			door, ok := t.doors[to]
			if ok && door.Shared != shared {
				return nil, fmt.Errorf("binding %q: another binding of %s says otherwise about sharing it with public listeners", r.Name, r.Addr)
			}
			if !ok {
				t.doors[to] = programDoor{Counter: uint32(len(bindings) + len(t.doors)), Shared: shared}
			}
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}
