package mtls

import (
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
)

// Domains are the domains that ask for certificates, with what they go by. Its
// methods may be called from any goroutine, Set from one at a time.
type Domains struct {
	byName  atomic.Pointer[map[string]*domain] // lower case
	now     func() time.Time
	refused func(domain, client string, why error)
}

// New returns Domains that ask nobody yet. now is the time of day. refused hears
// of every client that is not trusted, with the name in its certificate, on the
// goroutine of its handshake; not of those that present no certificate at all.
func New(now func() time.Time, refused func(domain, client string, why error)) *Domains {
	d := &Domains{now: now, refused: refused}
	d.byName.Store(&map[string]*domain{})
	return d
}

// Set has the domains of stores ask for certificates from now on, by names in
// lower case, and no others. Clients that are connected and that a changed store
// does not trust are refused when it returns.
func (d *Domains) Set(stores map[string]*truststore.Store) {
	old := *d.byName.Load()
	next := make(map[string]*domain, len(stores))
	for name, store := range stores {
		if next[name] = old[name]; next[name] == nil {
			next[name] = newDomain(name, store)
		}
	}
	d.byName.Store(&next)
	for name, dom := range old {
		if next[name] == nil { // it may come back, and knows nothing of these then
			dom.close()
		}
	}
	now := d.now()
	for name, dom := range next {
		dom.set(stores[name], now)
	}
}
