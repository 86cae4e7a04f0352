package gate

import (
	"fmt"
	"net/netip"
)

// Style is how a listener refuses. The zero value is Drop.
type Style uint8

// Styles.
const (
	Drop    Style = iota // nothing: the client waits for its own timeout
	Reset                // a TCP reset: connection refused
	Respond              // an HTTP answer; on TLS a reset, for it cannot be read in clear
)

func (s Style) String() string { return [...]string{"drop", "reset", "respond"}[s] }

// Listener is a port of the gateway's.
type Listener struct {
	Address netip.AddrPort // an unspecified or no address is any address, of both IP versions
	Style   Style
	TLS     bool
}

// SetListeners replaces the ports that are the gate's business. It fails, and
// changes nothing, if one port of any address gets two styles.
func (g *Gate) SetListeners(listeners []Listener) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ports, own, err := layOut(listeners)
	if err != nil {
		return err
	}
	// Those of one address first, then what sends the program to look for them,
	// and last what nothing leads to any more.
	for key, style := range own {
		if err := g.objects.Listeners.Put(key, style); err != nil {
			return fmt.Errorf("write a listener of the gate: %w", full(err))
		}
	}
	for i, entry := range ports {
		if err := g.objects.Ports.Put(uint32(i), entry); err != nil {
			return fmt.Errorf("write the ports of the gate: %w", err)
		}
	}
	var gone []programListener
	if err := each(g.objects.Listeners, func(key programListener, _ programStyle) {
		if _, ok := own[key]; !ok {
			gone = append(gone, key)
		}
	}); err != nil {
		return err
	}
	for _, key := range gone {
		if err := g.objects.Listeners.Delete(key); err != nil {
			return fmt.Errorf("remove a listener of the gate: %w", err)
		}
	}
	return nil
}

// portAsk is PORT_ASK of maps.h.
const portAsk = 8

// layOut returns the maps ports and listeners.
func layOut(listeners []Listener) (ports [65536 / 16]uint64, own map[programListener]programStyle, err error) {
	own = map[programListener]programStyle{}
	anyStyle := map[uint16]programStyle{}
	for _, l := range listeners {
		style := programStyle(l.Style)
		if l.TLS && l.Style == Respond {
			style = programStyleRESET
		}
		port, addr := l.Address.Port(), l.Address.Addr().Unmap().WithZone("")
		shift := port % 16 * 4
		if addr.IsValid() && !addr.IsUnspecified() {
			key := programListener{Address: words(addr), Port: networkPort(port), Family: family(addr)}
			if other, ok := own[key]; ok && other != style {
				return ports, nil, fmt.Errorf("the kernel gate cannot refuse %s in two styles", l.Address)
			}
			own[key] = style
			ports[port/16] |= portAsk << shift
			continue
		}
		if other, ok := anyStyle[port]; ok && other != style {
			return ports, nil, fmt.Errorf("the kernel gate cannot refuse port %d of any address in two styles", port)
		}
		anyStyle[port] = style
		ports[port/16] |= uint64(1+style) << shift
	}
	return ports, own, nil
}

func family(a netip.Addr) uint16 {
	if a.Is4() {
		return 2 // AF_INET
	}
	return 10 // AF_INET6
}
