package upstream

import (
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Address is where a group's targets are, for connections that are not pooled.
type Address struct {
	Addrs   []netip.AddrPort // to be tried in this order
	TLS     *tls.Config      // nil for cleartext
	Timeout time.Duration    // to connect
}

// Lookup calls done with the addresses of the targets that are asked, nil if no
// name can be looked up, on the loop it is called on; at once if they are known.
func (g *Group) Lookup(l *loop.Loop, done func(*Address)) {
	ln := &g.lanes[l.ID]
	g.use()
	if ln.rotation != nil {
		done(ln.address())
		return
	}
	go func() {
		g.lookup()
		l.Post(func() { done(ln.address()) })
	}()
}

// address is nil while there are no targets. While the circuit breaker is open all
// of them may be tried: what is not pooled is not counted.
func (ln *lane) address() *Address {
	r := ln.rotation
	if r == nil {
		return nil
	}
	a := &Address{TLS: ln.group.tls, Timeout: ln.group.store.config.ConnectTimeout}
	targets := r.up
	if len(targets) == 0 {
		targets = r.all
	}
	ln.lookups++
	for i := range targets {
		a.Addrs = append(a.Addrs, targets[(ln.lookups+i)%len(targets)].Addr)
	}
	return a
}
