package mtls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"runtime"
	"sync"
	"time"
	"weak"

	"github.com/tidegate/tidegate/configs/truststore"
)

// domain is one that asks for certificates.
type domain struct {
	name string

	mu      sync.Mutex
	store   *truststore.Store // nil after close
	tickets *tls.Config       // whose keys seal the sessions of clients that store trusts
	clients map[weak.Pointer[Client]]struct{}
}

func newDomain(name string, store *truststore.Store) *domain {
	return &domain{name: name, store: store, tickets: &tls.Config{}, clients: map[weak.Pointer[Client]]struct{}{}}
}

// set makes a store the one to go by. Sessions that another one trusted are not
// resumed, for want of the keys to their tickets.
func (d *domain) set(store *truststore.Store, now time.Time) {
	d.mu.Lock()
	if d.store != nil && d.store.Same(store) {
		d.mu.Unlock()
		return
	}
	d.store, d.tickets = store, &tls.Config{}
	connected := d.connected()
	d.mu.Unlock()
	judged := map[[sha256.Size]byte]int64{} // many connections can be of one client
	for _, c := range connected {
		key := c.presentedHash()
		until, known := judged[key]
		if !known {
			until = trustedUntil(store, c.presented, now)
			judged[key] = until
		}
		c.until.Store(until)
	}
}

// close ends the trust in all clients.
func (d *domain) close() {
	d.mu.Lock()
	d.store = nil
	connected := d.connected()
	d.mu.Unlock()
	for _, c := range connected {
		c.until.Store(0)
	}
}

// connected returns the clients that there are. d.mu is held.
func (d *domain) connected() (all []*Client) {
	for p := range d.clients {
		if c := p.Value(); c != nil {
			all = append(all, c)
		}
	}
	return all
}

// trustedUntil is 0 for those who are not trusted.
func trustedUntil(store *truststore.Store, presented []*x509.Certificate, now time.Time) int64 {
	until, err := store.Verify(presented, now)
	if err != nil {
		return 0
	}
	return nanoseconds(until)
}

// admit decides about a client in its handshake, by the store that is in force
// when it returns. Both are nil if the domain has come to ask nobody meanwhile.
func (d *domain) admit(presented []*x509.Certificate, now time.Time) (*Client, error) {
	for {
		store, _ := d.current()
		if store == nil {
			return nil, nil
		}
		until, err := store.Verify(presented, now)
		if err != nil {
			return nil, err
		}
		c := newClient(d.name, presented, until)
		if d.keep(c, store) {
			return c, nil
		}
	}
}

// current returns what a handshake goes by.
func (d *domain) current() (store *truststore.Store, tickets *tls.Config) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.store, d.tickets
}

// keep has set know of a client, unless the store has changed meanwhile. It
// forgets the client when nothing else knows it any more.
func (d *domain) keep(c *Client, store *truststore.Store) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.store != store {
		return false
	}
	p := weak.Make(c)
	d.clients[p] = struct{}{}
	runtime.AddCleanup(c, d.forget, p)
	return true
}

func (d *domain) forget(p weak.Pointer[Client]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, p)
}
