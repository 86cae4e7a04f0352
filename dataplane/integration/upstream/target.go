package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Config bounds the connections to backends.
type Config struct {
	ConnectTimeout time.Duration
	IdleTimeout    time.Duration // keep it below the backends' own
	MaxConnections int           // to one target, over all loops
	MaxWaiting     int           // calls waiting for one target, over all loops
	DNSRefresh     time.Duration
	RootCAs        *x509.CertPool // nil for the system's
}

// Key names a target. APIs do not share targets, so that whatever one API's
// backend does on a connection never meets another API's clients.
type Key struct {
	APIID    string
	Host     string // name or address, without brackets
	Port     uint16
	TLS      bool
	Insecure bool // accept any certificate
}

// Group is the store of targets. They outlive deployments.
type Group struct {
	config Config
	loops  []*loop.Loop
	stop   context.CancelFunc
	ctx    context.Context

	mu      sync.Mutex
	targets map[Key]*Target

	Opened  []Counter // by loop: connections opened
	Reused  []Counter // by loop: calls on a connection used before
	Retried []Counter // by loop: calls sent a second time
	open    []Counter
	queues  []queues
}

// Counter is a count that one loop writes and anyone reads.
type Counter struct {
	n atomic.Int64
	_ [56]byte
}

// Load returns the count.
func (c *Counter) Load() int64 { return c.n.Load() }

func (c *Counter) add(n int64) { c.n.Store(c.n.Load() + n) }

// NewGroup returns an empty store for the loops, whose IDs count from 0, before
// they have sockets.
func NewGroup(loops []*loop.Loop, config Config) *Group {
	g := &Group{config: config, loops: loops, targets: map[Key]*Target{},
		Opened: make([]Counter, len(loops)), Reused: make([]Counter, len(loops)), Retried: make([]Counter, len(loops)),
		open: make([]Counter, len(loops)), queues: make([]queues, len(loops))}
	for i, l := range loops {
		l.OnTick(g.queues[i].expire)
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	if config.DNSRefresh > 0 {
		go g.refresh()
	}
	return g
}

// Target returns the target for key, making it if need be. It opens nothing.
func (g *Group) Target(key Key) *Target {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.targets[key]
	if t == nil {
		t = newTarget(g, key)
		g.targets[key] = t
	}
	return t
}

// Retain forgets every target not in keep and closes its idle connections;
// calls under way end as they would have.
func (g *Group) Retain(keep map[*Target]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, t := range g.targets {
		if !keep[t] {
			delete(g.targets, key)
			t.each((*pool).retire)
		}
	}
}

// Close fails waiting calls, closes every connection and stops resolving names.
func (g *Group) Close() {
	g.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		t.each((*pool).shut)
	}
}

// Open returns the connections open, over all targets.
func (g *Group) Open() (n int64) {
	for i := range g.open {
		n += g.open[i].Load()
	}
	return n
}

// Target is one backend of one API.
type Target struct {
	Key
	group *Group
	tls   *tls.Config
	pools []pool // by loop

	addrs     atomic.Pointer[[]netip.AddrPort] // nil until resolved
	resolving atomic.Bool
	used      atomic.Bool // since the last refresh
}

func newTarget(g *Group, key Key) *Target {
	t := &Target{Key: key, group: g, pools: make([]pool, len(g.loops))}
	for i := range t.pools {
		t.pools[i].target, t.pools[i].loop = t, g.loops[i]
		t.pools[i].maxOpen = max(g.config.MaxConnections/len(g.loops), 1)
		t.pools[i].maxWaiting = g.config.MaxWaiting / len(g.loops)
	}
	if key.TLS {
		t.tls = &tls.Config{
			ServerName: key.Host, RootCAs: g.config.RootCAs, MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: key.Insecure, //nolint:gosec // the API's owner asked for it
			NextProtos:         []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(16),
		}
	}
	if addr, err := netip.ParseAddr(key.Host); err == nil {
		t.addrs.Store(&[]netip.AddrPort{netip.AddrPortFrom(addr, key.Port)})
	}
	return t
}

// Address returns host:port, for messages.
func (t *Target) Address() string {
	return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
}

// each has do run on every pool, on its loop.
func (t *Target) each(do func(*pool)) {
	for i := range t.pools {
		p := &t.pools[i]
		p.loop.Post(func() { do(p) })
	}
}

// resolveTimeout bounds one look-up of a name.
const resolveTimeout = 5 * time.Second

// resolve looks the name up on a goroutine of its own and then lets the waiting
// calls go on. What was known before stays when the look-up fails.
func (t *Target) resolve() {
	if t.resolving.Swap(true) {
		return
	}
	go func() {
		t.lookup()
		t.resolving.Store(false)
		for i := range t.pools {
			p := &t.pools[i]
			p.loop.Post(p.resolved)
		}
	}()
}

// lookup looks the name up now.
func (t *Target) lookup() {
	ctx, cancel := context.WithTimeout(t.group.ctx, resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.Host)
	if err != nil || len(found) == 0 {
		return
	}
	addrs := make([]netip.AddrPort, len(found))
	for i, a := range found {
		addrs[i] = netip.AddrPortFrom(a.Unmap(), t.Port)
	}
	t.addrs.Store(&addrs)
}

// Address is where a target is, for connections that are not pooled.
type Address struct {
	Addrs   []netip.AddrPort
	TLS     *tls.Config   // nil for cleartext
	Timeout time.Duration // to connect
}

// Lookup calls done with the target's address, nil if its name cannot be looked
// up, on the loop it is called on; at once if it is known.
func (t *Target) Lookup(l *loop.Loop, done func(*Address)) {
	found := func() *Address {
		addrs := t.addrs.Load()
		if addrs == nil {
			return nil
		}
		return &Address{Addrs: *addrs, TLS: t.tls, Timeout: t.group.config.ConnectTimeout}
	}
	t.used.Store(true)
	if a := found(); a != nil {
		done(a)
		return
	}
	go func() {
		t.lookup()
		l.Post(func() { done(found()) })
	}()
}

// refresh looks names up again while they are in use.
func (g *Group) refresh() {
	ticker := time.NewTicker(g.config.DNSRefresh)
	defer ticker.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
		}
		g.mu.Lock()
		for _, t := range g.targets {
			if _, err := netip.ParseAddr(t.Host); err != nil && t.used.Swap(false) {
				t.resolve()
			}
		}
		g.mu.Unlock()
	}
}
