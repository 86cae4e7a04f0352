package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
)

// Key names a group. APIs do not share groups, so that whatever one API's backend
// does on a connection never meets another API's clients.
type Key struct {
	APIID    string
	Host     string // name or address, without brackets; with TLS the name that is verified
	Port     uint16
	TLS      bool
	Insecure bool // accept any certificate

	// Targets are host:port pairs with a comma between them; a name may have several
	// addresses. Empty: Host and Port.
	Targets string
	Check   Check
}

// Address returns host:port, for messages.
func (k *Key) Address() string { return net.JoinHostPort(k.Host, strconv.Itoa(int(k.Port))) }

// Group is the targets that an integration's requests go to.
type Group struct {
	Key
	store *Store
	api   *API
	tls   *tls.Config
	lanes []lane // by loop
	named bool   // not all targets are addresses

	watched   atomic.Bool // the judge looks at it
	resolving atomic.Bool
	used      atomic.Bool // since the last refresh of names

	mu         sync.Mutex // never taken by a loop
	names      []name
	health     health.Group
	targets    []*Target // as health.Targets
	published  *rotation // nil until there are targets
	retired    bool
	stopChecks context.CancelFunc // nil while there are none
}

func newGroup(s *Store, api *API, key Key) *Group {
	g := &Group{Key: key, store: s, api: api, lanes: make([]lane, len(s.loops))}
	g.health.Rules = &s.config.Health
	for i, l := range s.loops {
		ln := &g.lanes[i]
		ln.group, ln.loop = g, l
		ln.maxOpen = max(s.config.MaxConnections/len(s.loops), 1)
	}
	if key.TLS {
		g.tls = &tls.Config{
			ServerName: key.Host, RootCAs: s.config.RootCAs, MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: key.Insecure, //nolint:gosec // the API's owner asked for it
			NextProtos:         []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(16),
		}
	}
	g.names = namesOf(&key)
	if g.named = !literal(g.names); !g.named { // there is nothing to resolve, so the lanes need not wait
		g.setTargets(addresses(g.names))
		r := g.rotate()
		for i := range g.lanes {
			g.lanes[i].apply(r)
		}
		g.published = r
	}
	return g
}

// each has do run on every lane, on its loop.
func (g *Group) each(do func(*lane)) {
	for i := range g.lanes {
		ln := &g.lanes[i]
		ln.loop.Post(func() { do(ln) })
	}
}

// retire lets go of connections as they become idle.
func (g *Group) retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired = true
	if g.stopChecks != nil {
		g.stopChecks()
	}
	g.each((*lane).retire)
}

// rotation is who is asked: what the judge decided, as loops are handed it.
type rotation struct {
	all    []*Target
	epochs []uint32  // of all
	up     []*Target // for any number of requests
	trial  []*Target // for one request at a time
	shut   bool      // nobody is asked: the circuit breaker is open
	until  int64     // of shut
}

// rotate makes a rotation of what is known. g.mu is held, or nobody knows g yet.
func (g *Group) rotate() *rotation {
	r := &rotation{all: g.targets, shut: g.health.Breaker.State == health.Open, until: g.health.Breaker.Until}
	for i, h := range g.health.Targets {
		r.epochs = append(r.epochs, h.Epoch)
		switch {
		case r.shut || !h.Asked():
		case h.State == health.Trial:
			r.trial = append(r.trial, g.targets[i])
		default:
			r.up = append(r.up, g.targets[i])
		}
	}
	return r
}

func (r *rotation) equal(o *rotation) bool {
	return o != nil && r.shut == o.shut && r.until == o.until && slices.Equal(r.all, o.all) && slices.Equal(r.epochs, o.epochs) &&
		slices.Equal(r.up, o.up) && slices.Equal(r.trial, o.trial)
}

// publish hands the loops what is decided, if that is new. g.mu is held.
func (g *Group) publish() {
	r := g.rotate()
	if r.equal(g.published) {
		return
	}
	for _, t := range r.trial {
		if g.published == nil || !slices.Contains(g.published.trial, t) {
			t.onTrial.Store(false)
		}
	}
	g.published = r
	g.each(func(ln *lane) { ln.apply(r) })
}
