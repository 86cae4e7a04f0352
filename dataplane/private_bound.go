package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/front"
)

// bound is a socket that is bound to an interface.
type bound struct {
	index int
	front *front.Listener
}

// boundListener turns this host's own processes away, whom a socket that is bound
// to an interface takes for neighbours by it.
type boundListener struct{ *net.TCPListener }

// Refuses implements front.Refuser.
func (*boundListener) Refuses(source netip.Addr) bool { return steer.Local(source) }

// openBound opens the sockets of a listener that the kernel does not steer.
// Public listeners may have its port at a wildcard, but not its very address:
// there the kernel would take the one or the other.
func (g *Gateway) openBound(l *listener) error {
	at := l.config.AddrPort()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, other := range g.listeners {
		if where, ok := other.tcpAddr(); ok && !other.config.Private() && (where == at || overlap(at, where) && at.Addr().IsUnspecified()) {
			return fmt.Errorf("listener %q: without steering by the kernel it cannot share %s with listener %q; give it an address of its own, or the gateway what is missing: %s",
				l.config.Name, at, other.config.Name, g.unsteered)
		}
	}
	return g.followBound(l, l.config.Interfaces)
}

// followBound opens sockets on interfaces that are there and closes those on
// interfaces that are not, or are no longer to lead to the listener. g.mu is held.
func (g *Gateway) followBound(l *listener, names []string) error {
	there := indexes(names)
	for name, b := range l.bound {
		if there[name] != b.index {
			b.front.Close()
			delete(l.bound, name)
			g.log.Info("private listener closed on an interface", "listener", l.config.Name, "interface", name)
		}
	}
	for _, name := range names {
		index, ok := there[name]
		if _, open := l.bound[name]; open || !ok {
			continue
		}
		config := net.ListenConfig{Control: steer.ListenControl(name)}
		var ln net.Listener
		err := privileged(func() (err error) {
			ln, err = config.Listen(context.Background(), "tcp", l.config.AddrPort().String())
			return err
		})
		if errors.Is(err, unix.ENODEV) { // gone meanwhile
			continue
		}
		if err != nil {
			return fmt.Errorf("listener %q on interface %s: %w", l.config.Name, name, err)
		}
		f, err := front.Listen(l.config.Name, l.config.Endpoint, &boundListener{ln.(*net.TCPListener)}, l.tls, g.fronts)
		if err != nil {
			return err
		}
		l.bound[name] = bound{index, f}
		g.log.Info("private listener open on an interface", "listener", l.config.Name, "interface", name)
	}
	return nil
}

// followPrivate looks at the interfaces of listeners that the kernel does not
// steer.
func (g *Gateway) followPrivate() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unsteered == "" {
		return
	}
	host := g.host.Load()
	for _, l := range g.listeners {
		for i := range host.Listeners {
			c := &host.Listeners[i]
			if c.Name != l.config.Name || !c.Private() {
				continue
			}
			err := g.followBound(l, c.Interfaces)
			if text := fmt.Sprint(err); err != nil && text != l.trouble {
				g.log.Error("private listener does not follow its interfaces", "error", err)
				l.trouble = text
			} else if err == nil {
				l.trouble = ""
			}
		}
	}
}

// portShared says whether a public listener has to let private ones, which are
// not steered, bind its port beside it.
func portShared(address string, listeners []configs.Listener) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && slices.ContainsFunc(listeners, func(l configs.Listener) bool {
		return l.Private() && strings.HasSuffix(l.Address, ":"+port)
	})
}
