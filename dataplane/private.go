package dataplane

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/front"
)

// Private listeners are led to by certain interfaces alone. The kernel steers
// connections to sockets that nothing else can find; where it cannot be had,
// each listener has one socket for each interface, bound to it.

// startSteering makes ready for the private listeners of the host file. Without
// the means to steer it notes what is missing; any other failure is returned,
// since a listener must not be open by the wrong way.
func (g *Gateway) startSteering(host *configs.Host) error {
	if _, steered := wantsKernel(host); !steered {
		return nil
	}
	for name := range g.options.Inherited {
		for i := range host.Listeners {
			if l := &host.Listeners[i]; l.Name == name && l.Private() {
				return fmt.Errorf("listener %q is private and opens its own sockets: remove its .socket unit", name)
			}
		}
	}
	folder := steerDir(host.KernelGate.PinDir)
	var s *steer.Steer
	err := privileged(func() (err error) {
		s, err = steer.Open(steer.Options{Folder: folder, Logger: g.log, Privileged: privileged})
		return err
	})
	g.mu.Lock() // the control socket answers already
	defer g.mu.Unlock()
	var missing *steer.UnsupportedError
	if !errors.As(err, &missing) {
		if err != nil {
			return fmt.Errorf("private listeners: %w", err)
		}
		g.steer = s
		return nil
	}
	g.unsteered = err.Error() + "; each has a socket bound to its interface instead"
	if _, err := os.Stat(folder); err == nil {
		g.unsteered += ", and " + folder + " of an earlier run, which keeps everybody out, has to be removed"
	}
	g.log.Warn(g.unsteered)
	return nil
}

// openPrivate opens the private listeners, all at once, since the kernel takes
// all bindings in one step.
func (g *Gateway) openPrivate(host *configs.Host) error {
	var opened []*listener
	var bindings []steer.Binding
	sockets := map[*listener]net.Listener{}
	fail := func(err error) error {
		for _, ln := range sockets {
			_ = ln.Close()
		}
		return err
	}
	for i := range host.Listeners {
		c := host.Listeners[i]
		if !c.Private() {
			continue
		}
		l, err := g.newListener(c)
		if err != nil {
			return fail(err)
		}
		if g.steer == nil {
			if err := g.openBound(l); err != nil {
				return err
			}
			g.keep(l)
			continue
		}
		opened = append(opened, l)
		hidden, err := steer.Listen(c.AddrPort(), 1)
		if err != nil {
			return fail(fmt.Errorf("listener %q: %w", c.Name, err))
		}
		sockets[l] = &shownListener{hidden[0], net.TCPAddrFromAddrPort(c.AddrPort())}
		g.mu.Lock()
		b := g.binding(&c)
		g.mu.Unlock()
		b.Sockets = append(b.Sockets, hidden[0])
		bindings = append(bindings, b)
	}
	if g.steer != nil {
		if err := privileged(func() error { return g.steer.Set(bindings) }); err != nil {
			return fail(fmt.Errorf("private listeners: %w", err))
		}
	}
	for _, l := range opened {
		ln := sockets[l]
		delete(sockets, l)
		f, err := front.Listen(l.config.Name, l.config.Endpoint, ln, l.tls, g.fronts) // the kernel leads here already
		if err != nil {
			return fail(err)
		}
		l.fronts = append(l.fronts, f)
		g.keep(l)
	}
	return nil
}

// binding is a private listener as steering takes it. g.mu is held.
func (g *Gateway) binding(c *configs.Listener) steer.Binding {
	return steer.Binding{Name: c.Name, Interfaces: c.Interfaces, Addr: c.AddrPort(), Shared: g.publicAt(c.AddrPort())}
}

// publicAt says whether a public listener may take a connection to an address,
// if that is the wildcard to any it stands for. g.mu is held.
func (g *Gateway) publicAt(private netip.AddrPort) bool {
	return slices.ContainsFunc(g.listeners, func(l *listener) bool {
		at, ok := l.tcpAddr()
		return ok && !l.config.Private() && overlap(private, at)
	})
}

// overlap says whether a connection can have both as its address. :: is every
// address of both families.
func overlap(a, b netip.AddrPort) bool {
	covers := func(a, b netip.Addr) bool {
		return a == b || a == netip.IPv6Unspecified() || a == netip.IPv4Unspecified() && b.Is4()
	}
	return a.Port() == b.Port() && (covers(a.Addr(), b.Addr()) || covers(b.Addr(), a.Addr()))
}

// steerAgain leads other interfaces to the private listeners, by one switch. g.mu
// is held.
func (g *Gateway) steerAgain(listeners []configs.Listener) error {
	if g.steer == nil {
		return nil // followBound does it
	}
	var bindings []steer.Binding
	for i := range listeners {
		if listeners[i].Private() {
			bindings = append(bindings, g.binding(&listeners[i]))
		}
	}
	return privileged(func() error { return g.steer.Set(bindings) })
}

// steerBack is startSteering for sockets that are open: a successor had the means
// meanwhile. g.mu is held.
func (g *Gateway) steerBack(host *configs.Host) error {
	if _, steered := wantsKernel(host); !steered || g.unsteered != "" {
		return nil
	}
	var bindings []steer.Binding
	for i := range host.Listeners {
		for _, l := range g.listeners {
			if c := &host.Listeners[i]; c.Private() && c.Name == l.config.Name && len(l.fronts) > 0 {
				file, err := l.fronts[0].File()
				if err != nil {
					return fmt.Errorf("listener %q: %w", c.Name, err)
				}
				defer file.Close()
				b := g.binding(c)
				b.Sockets = append(b.Sockets, file)
				bindings = append(bindings, b)
			}
		}
	}
	return privileged(func() (err error) {
		if g.steer, err = steer.Open(steer.Options{Folder: steerDir(host.KernelGate.PinDir), Logger: g.log, Privileged: privileged}); err != nil {
			return fmt.Errorf("private listeners: %w", err)
		}
		return g.steer.Set(bindings)
	})
}

// endSteering lets go of the sockets of private listeners, before they close.
func (g *Gateway) endSteering(closing bool) error {
	g.mu.Lock()
	s := g.steer
	g.steer = nil
	g.mu.Unlock()
	switch {
	case s == nil:
		return nil
	case closing:
		return privileged(s.Remove)
	}
	return s.Close()
}

// shownListener is a hidden socket under the address that clients connect to.
type shownListener struct {
	*net.TCPListener
	shown net.Addr
}

// Addr returns what clients connect to.
func (s *shownListener) Addr() net.Addr { return s.shown }
