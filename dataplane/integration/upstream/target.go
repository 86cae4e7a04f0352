package upstream

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// Target is one address that requests of a group go to.
type Target struct {
	Addr    netip.AddrPort
	pools   []pool      // by loop
	onTrial atomic.Bool // a request is, while one at a time may be
}

func (g *Group) newTarget(addr netip.AddrPort) *Target {
	t := &Target{Addr: addr, pools: make([]pool, len(g.lanes))}
	for i := range t.pools {
		t.pools[i].target, t.pools[i].lane = t, &g.lanes[i]
	}
	return t
}

// counts adds up what the loops have counted.
func (t *Target) counts() (c health.Counts) {
	for i := range t.pools {
		p := &t.pools[i]
		c.Answered += p.answered.Load()
		c.Failed += p.failed.Load()
	}
	return c
}

// known returns the targets, nil while no name is resolved.
func (g *Group) known() []*Target {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.targets
}

// healthOf returns what is known of a target, nil if it has gone. g.mu is held.
func (g *Group) healthOf(t *Target) *health.Target {
	if i := slices.Index(g.targets, t); i >= 0 {
		return g.health.Targets[i]
	}
	return nil
}

// setTargets makes the targets those with the addresses. What is known of one that
// was there before stays. g.mu is held, or nobody knows g yet.
func (g *Group) setTargets(addrs []netip.AddrPort) {
	now := loop.Now()
	targets, known := make([]*Target, 0, len(addrs)), make([]*health.Target, 0, len(addrs))
	for _, addr := range addrs {
		i := slices.IndexFunc(g.targets, func(t *Target) bool { return t.Addr == addr })
		if i >= 0 {
			targets, known = append(targets, g.targets[i]), append(known, g.health.Targets[i])
			continue
		}
		t := g.newTarget(addr)
		targets, known = append(targets, t), append(known, health.NewTarget(now, t.counts))
	}
	if slices.Equal(targets, g.targets) {
		return
	}
	g.targets, g.health.Targets = targets, known
}
