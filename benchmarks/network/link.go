package network

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
)

// End is one end of a link.
type End struct {
	Host      *Host
	Interface string
	Address   netip.Addr
}

// Connect joins two hosts by a link of its own subnet: a gets 10.78.subnet.1, b
// gets 10.78.subnet.2.
func Connect(a, b *Host, subnet uint8) (ea, eb End, err error) {
	name := fmt.Sprintf("veth%d", subnet)
	if err := a.IP("link", "add", name, "type", "veth", "peer", "name", name, "netns", b.path()); err != nil {
		return End{}, End{}, err
	}
	ends := [2]End{{Host: a}, {Host: b}}
	for i := range ends {
		e := &ends[i]
		e.Interface, e.Address = name, netip.AddrFrom4([4]byte{10, 78, subnet, byte(1 + i)})
		if err := e.Host.IP("addr", "add", e.Address.String()+"/24", "dev", name); err != nil {
			return End{}, End{}, err
		}
		if err := e.Host.IP("link", "set", name, "up"); err != nil {
			return End{}, End{}, err
		}
		if err := e.Host.receive(name); err != nil {
			return End{}, End{}, err
		}
	}
	return ends[0], ends[1], nil
}

// receive has the host's own CPU receive what comes over an interface, where a
// link otherwise leaves that to the CPU that sent it.
func (h *Host) receive(name string) error {
	if h.cpu == AnyCPU {
		return nil
	}
	return h.Do(func() error {
		mask := strconv.FormatUint(1<<h.cpu, 16)
		if err := os.WriteFile("/sys/class/net/"+name+"/queues/rx-0/rps_cpus", []byte(mask), 0); err != nil {
			return fmt.Errorf("receive on CPU %d: %w", h.cpu, err)
		}
		return nil
	})
}
