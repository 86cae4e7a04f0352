package upstream

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// name is what one or several targets are found by.
type name struct {
	host  string
	port  uint16
	fixed bool             // host is an address
	addrs []netip.AddrPort // nil until resolved
}

// namesOf returns what a key says of its targets. What is no host:port pair does
// not get here.
func namesOf(k *Key) (names []name) {
	if k.Targets == "" {
		return []name{newName(k.Host, k.Port)}
	}
	for pair := range strings.SplitSeq(k.Targets, ",") {
		host, port, _ := net.SplitHostPort(pair)
		n, _ := strconv.ParseUint(port, 10, 16)
		names = append(names, newName(host, uint16(n)))
	}
	return names
}

func newName(host string, port uint16) name {
	n := name{host: host, port: port}
	if addr, err := netip.ParseAddr(host); err == nil {
		n.fixed, n.addrs = true, []netip.AddrPort{netip.AddrPortFrom(addr, port)}
	}
	return n
}

// literal reports whether all of the names are addresses.
func literal(names []name) bool {
	return !slices.ContainsFunc(names, func(n name) bool { return !n.fixed })
}

// use says that the names are in use.
func (g *Group) use() {
	if g.named && !g.used.Load() {
		g.used.Store(true)
	}
}

// addresses returns those of all names, each once.
func addresses(names []name) (all []netip.AddrPort) {
	for _, n := range names {
		for _, addr := range n.addrs {
			if !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	}
	return all
}

// resolveTimeout bounds one look-up of a name.
const resolveTimeout = 5 * time.Second

// resolve looks the names up on a goroutine of its own and then lets the waiting
// calls go on. What was known before stays when a look-up fails.
func (g *Group) resolve() {
	if g.resolving.Swap(true) {
		return
	}
	go func() {
		g.lookup()
		g.resolving.Store(false)
		g.each((*lane).resolved)
	}()
}

// lookup looks the names up now.
func (g *Group) lookup() {
	ctx, cancel := context.WithTimeout(g.store.ctx, resolveTimeout)
	defer cancel()
	g.mu.Lock()
	names := slices.Clone(g.names)
	g.mu.Unlock()
	for i := range names {
		n := &names[i]
		if n.fixed {
			continue
		}
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", n.host)
		if err != nil || len(found) == 0 {
			continue
		}
		n.addrs = nil
		for _, a := range found {
			n.addrs = append(n.addrs, netip.AddrPortFrom(a.Unmap(), n.port))
		}
		slices.SortFunc(n.addrs, netip.AddrPort.Compare) // name servers like to turn them
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.names = names
	if addrs := addresses(names); len(addrs) > 0 {
		g.setTargets(addrs)
		g.look(loop.Now())
	}
}

// refresh looks names up again while they are in use.
func (s *Store) refresh() {
	ticker := time.NewTicker(s.config.DNSRefresh)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, g := range s.all() {
			if g.named && g.used.Swap(false) {
				g.resolve()
			}
		}
	}
}
