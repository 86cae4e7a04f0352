package scenarios

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/bpf/gate"
)

// gateHost is a host that the kernel gate may be opened on.
type gateHost struct {
	*network.Host
	pins string // a folder of its BPF file system, seen from inside alone
}

// newHost makes a host of that CPU, which is closed when the scenario ends.
func (b *bench) newHost(cpu int) (*network.Host, error) {
	h, err := network.New(cpu)
	if err == nil {
		b.hosts = append(b.hosts, h)
	}
	return h, err
}

func (b *bench) newGateHost(cpu int) (*gateHost, error) {
	h, err := b.newHost(cpu)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "bpf-")
	if err != nil {
		return nil, err
	}
	return &gateHost{h, dir}, h.MountBPF(dir)
}

// newClient makes a host that is linked to h, and may open many connections: none
// of its ports stays taken for a minute.
func (b *bench) newClient(h *gateHost, cpu int, subnet uint8) (client, here network.End, err error) {
	c, err := b.newHost(cpu)
	if err != nil {
		return client, here, err
	}
	if client, here, err = network.Connect(c, h.Host, subnet); err != nil {
		return client, here, err
	}
	return client, here, errors.Join(
		c.Sysctl("net/ipv4/ip_local_port_range", "1024 65535"),
		c.Sysctl("net/ipv4/tcp_tw_reuse", "1"))
}

// open opens the gate on interfaces of the host. It has to be closed by close.
func (h *gateHost) open(interfaces ...string) (g *gate.Gate, err error) {
	err = h.Do(func() error {
		g, err = gate.Open(gate.Options{Dir: h.pins + "/gate", Interfaces: interfaces})
		return err
	})
	return g, err
}

func (h *gateHost) close(g *gate.Gate) error { return h.Do(g.Close) }

// refusing has the gate at work while f runs: it keeps a source out of a server's
// port, in a style.
func (h *gateHost) refusing(interfaces []string, server *rivals.Server, style gate.Style, source netip.Addr, f func(*gate.Gate) error) error {
	address, err := netip.ParseAddrPort(server.Address())
	if err != nil {
		return err
	}
	g, err := h.open(interfaces...)
	if err != nil {
		return err
	}
	err = errors.Join(
		g.SetListeners([]gate.Listener{{Address: netip.AddrPortFrom(netip.IPv6Unspecified(), address.Port()), Style: style}}),
		g.Condemn(source, gate.Rule{For: forLong, Answer: gate.TooManyRequests, Reason: "benchmark"}))
	if err == nil {
		err = f(g)
	}
	return errors.Join(err, h.close(g))
}

// Skipped is the error of a scenario that cannot be measured here.
type Skipped struct{ Scenario, Why string }

func (s *Skipped) Error() string { return fmt.Sprintf("scenario %s: %s", s.Scenario, s.Why) }

// noSelfCheck is for scenarios in which nothing can take the gate's place.
func (b *bench) noSelfCheck() error {
	return &Skipped{b.scenario, "there is nothing else to put in the gate's place"}
}
