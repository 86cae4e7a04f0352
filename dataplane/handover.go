package dataplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/state"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// A gateway hands over to another process, its successor, while it serves:
//
//	Sockets            the successor gets copies of the listening sockets
//	Release            it may have what only one process can have
//	                   the successor compiles, opens, and asks for Debts
//	Reclaim            if it fails before it is ready: all is as it was
//	Retire             once it is ready: what is connected here is served to its end
//	TakeLate           meanwhile, what is counted here is told to the successor,
//	LateDebts          and what is spent
//
// The successor calls Owe and AddLate with what it is told.

// What a gateway tells its successor, to be passed on as it is.
type (
	Debts struct { // of token buckets, and in the windows of rate-based rules
		Limits  []throttle.Debt `json:"debts,omitempty"`
		Clients []usage.Debt    `json:"clients,omitempty"`
		Rates   []waf.Rate      `json:"rates,omitempty"`
	}
	Late = usage.Late // requests of a key, counted after Release
)

// errReleased refuses changes while a successor has the state.
var errReleased = &control.Error{Status: 503, Code: control.CodeUnavailable, Message: "the gateway hands over to its successor; try again in a moment"}

// Socket is a listening socket that a successor goes on accepting from.
type Socket struct {
	Listener string   `json:"listener"` // its name, or adminSocket
	Address  string   `json:"address"`  // in the host file
	File     *os.File `json:"-"`
}

// adminSocket names the admin listener's socket. No listener of the host file has
// such a name.
const adminSocket = "/admin"

// Sockets returns copies of the sockets for the successor. The caller closes them.
// Private listeners are not among them: the successor leads their interfaces to
// sockets of its own.
func (g *Gateway) Sockets() (all []Socket, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.listeners {
		if l.config.Private() || len(l.fronts) == 0 {
			continue
		}
		file, err := l.fronts[0].File()
		if err != nil {
			return all, fmt.Errorf("listener %q: %w", l.config.Name, err)
		}
		all = append(all, Socket{l.config.Name, l.config.Address, file})
	}
	if g.adminListener != nil {
		file, err := g.adminListener.(*net.TCPListener).File()
		if err != nil {
			return all, fmt.Errorf("admin listener: %w", err)
		}
		all = append(all, Socket{adminSocket, g.host.Load().Admin.Address, file})
	}
	return all, nil
}

// inherit takes those of the predecessor's sockets that the host file still asks
// for. The others are closed: clients would wait there for nobody.
func (g *Gateway) inherit(host *configs.Host) {
	asked := map[Socket]bool{{Listener: adminSocket, Address: host.Admin.Address}: true}
	for _, l := range host.Listeners {
		asked[Socket{Listener: l.Name, Address: l.Address}] = !l.Private()
	}
	g.inherited = maps.Clone(g.options.Inherited)
	for _, s := range g.options.Predecessor {
		if !asked[Socket{Listener: s.Listener, Address: s.Address}] {
			_ = s.File.Close()
			continue
		}
		if g.inherited == nil {
			g.inherited = map[string]*os.File{}
		}
		g.inherited[s.Listener] = s.File
	}
}

// copySuffix is of the copy of the state file that Reclaim falls back to when the
// successor has changed the file's schema.
const copySuffix = ".handover"

// saveTimeout bounds saving caches for the successor.
const saveTimeout = 3 * time.Second

// Release gives up the control socket, the state file, the usage journal and the
// claim on what is pinned in the kernel. Requests go on being served; changes are
// refused. On an error everything is as it was.
func (g *Gateway) Release() error {
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	if err := g.caches.Save(ctx); err != nil {
		g.log.Warn("the successor's caches will be cold", "error", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.released {
		return errReleased
	}
	host, store := g.host.Load(), g.store.Load()
	if err := store.CopyTo(state.Path(host.StateDir) + copySuffix); err != nil {
		return err
	}
	g.control.Hide()
	g.usage.HandOver()
	g.gate.bar(errors.New("the kernel gate is the successor's"))
	g.released = true
	err := errors.Join(g.journal.Load().Close(), store.Close())
	if err == nil && g.pins != nil {
		err = g.pins.Close()
		g.pins = nil
	}
	if s := g.steer; s != nil {
		g.steer = nil
		err = errors.Join(err, s.Close()) // the kernel goes on leading to the sockets
	}
	if err != nil {
		return errors.Join(err, g.reclaim(host))
	}
	return nil
}

// Reclaim takes back what Release gave up. The successor must have ended.
func (g *Gateway) Reclaim() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.released {
		return nil
	}
	return g.reclaim(g.host.Load())
}

func (g *Gateway) reclaim(host *configs.Host) error {
	store, err := reopen(host.StateDir)
	if err != nil {
		return fmt.Errorf("take the state back: %w; requests are served, changes are not", err)
	}
	g.store.Store(store)
	g.keepState(store)
	g.usage.KeepCounting()
	if err := g.openJournal(host, store); err != nil {
		return fmt.Errorf("take the usage journal back: %w", err)
	}
	g.released = false
	g.gate.bar(nil)
	g.claim(host)
	g.gate.again()
	return errors.Join(g.steerBack(host), g.startControl(host))
}

// reopen opens the state file, or its copy if the successor has made it one that
// this program cannot read. Nothing was acknowledged in between.
func reopen(dir string) (*state.Store, error) {
	store, err := state.Open(dir)
	if err == nil {
		return store, nil
	}
	if e := os.Rename(state.Path(dir)+copySuffix, state.Path(dir)); e != nil {
		return nil, errors.Join(err, e)
	}
	return state.Open(dir)
}

// Debts returns what has been spent of limits, for the successor.
func (g *Gateway) Debts() Debts {
	now := loop.Now()
	return Debts{g.throttle.Debts(now), g.usage.Debts(now), g.waf.Rates(now)}
}

// LateDebts returns what has been spent since Debts or the last call, and what was too
// much for those.
func (g *Gateway) LateDebts() Debts {
	now := loop.Now()
	return Debts{g.throttle.LateDebts(now), g.usage.LateDebts(now), g.waf.LateRates(now)}
}

// None tells whether nothing is owed.
func (d Debts) None() bool { return len(d.Limits)+len(d.Clients)+len(d.Rates) == 0 }

// TakeLate returns what was counted here since Release or the last call.
func (g *Gateway) TakeLate() []Late { return g.usage.TakeLate() }

// Upgrade implements control.Gateway.
func (g *Gateway) Upgrade(ctx context.Context) (control.Successor, error) {
	if g.options.Upgrade == nil {
		return control.Successor{}, errors.New("this gateway is part of another program, which has to be replaced itself")
	}
	return g.options.Upgrade(ctx)
}

// Owe has the limits go on where the predecessor's were.
func (g *Gateway) Owe(d Debts) {
	now := loop.Now()
	g.throttle.Owe(now, d.Limits)
	g.usage.Owe(now, time.Now().UnixNano(), d.Clients)
	g.waf.AddRates(now, d.Rates)
}

// AddLate counts what the predecessor was late with.
func (g *Gateway) AddLate(all []Late) {
	for _, l := range all {
		g.usage.AddLate(l)
	}
}

// Retire stops accepting and serves what is connected to its end: connections are
// closed after their next answer, those that stay idle after half of the time that
// ctx leaves, WebSockets spread over that half. What has knocked at private
// listeners before the kernel led to the successor's is let in for a moment. It
// returns when there are none, or with an error when ctx is done. Close follows.
func (g *Gateway) Retire(ctx context.Context) error {
	g.mu.Lock()
	for _, l := range g.listeners {
		l.unlink = "" // the successor listens there
	}
	g.mu.Unlock()
	for _, f := range g.fronts {
		f.Loop.Do(f.Retire)
	}
	return g.drain(ctx, drainWindow(ctx), false)
}

// SuccessorAttributes are for starting the successor: it may have the capabilities
// that this process kept. Root's may have them anyway.
func SuccessorAttributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if c, err := threadCapabilities(); err == nil && os.Geteuid() != 0 {
		for bit := range uintptr(64) {
			if c.permitted&raisable&(1<<bit) != 0 {
				attr.AmbientCaps = append(attr.AmbientCaps, bit)
			}
		}
	}
	return attr
}
