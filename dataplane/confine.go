package dataplane

import (
	"errors"
	"net"
	"strconv"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/seccomp"
)

// confinement is what the process let go of when it began to serve.
type confinement struct {
	noKernel bool // no program can be loaded into the kernel any more
}

// confine has the process let go of what serving this host file does not take:
// capabilities and system calls. What does not work here is logged, and the gateway
// serves all the same.
func (g *Gateway) confine(host *configs.Host) error {
	if !g.options.DropPrivileges {
		return nil
	}
	gated, steered := wantsKernel(host)
	g.mu.Lock() // the control socket answers already
	g.confined.noKernel = !gated && !steered
	g.mu.Unlock()
	switch kept, err := dropPrivileges(capabilitiesFor(host)); {
	case errors.Is(err, errors.ErrUnsupported):
		g.log.Info("capabilities stay as they were", "reason", err)
	case err != nil:
		return err
	default:
		g.log.Info("capabilities kept", "in_effect", names(kept.effective), "to_raise", names(kept.permitted&^kept.effective))
	}
	if !host.Sandbox {
		g.log.Info("system calls are not filtered: sandbox is false")
		return nil
	}
	if err := seccomp.Deny(gated || steered); errors.Is(err, errors.ErrUnsupported) {
		g.log.Warn("system calls are not filtered", "reason", err)
	} else if err != nil {
		return err
	}
	return nil
}

// allows says why a host file cannot be applied by a process that let go of what it
// takes.
func (c confinement) allows(next *configs.Host) error {
	if gated, _ := wantsKernel(next); gated && c.noKernel {
		return errors.New("kernel_gate.interfaces turns the kernel gate on, which takes a restart: what it takes was given up at the start, for the host file had no use for it; nothing was reloaded")
	}
	return nil
}

// capabilitiesFor are those that a reload or a successor may need, a bit each.
func capabilitiesFor(host *configs.Host) (keep uint64) {
	if gated, steered := wantsKernel(host); gated || steered {
		keep |= kernelCapabilities
	}
	if lowPort(host.Admin.Address) {
		keep |= portCapabilities
	}
	for i := range host.Listeners {
		if lowPort(host.Listeners[i].Address) {
			keep |= portCapabilities
		}
	}
	return keep
}

// lowPort says whether it takes a capability to listen at an address.
func lowPort(address string) bool {
	_, text, err := net.SplitHostPort(address)
	port, e := strconv.ParseUint(text, 10, 16)
	return err == nil && e == nil && 0 < port && port < 1024
}
