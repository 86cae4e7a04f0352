package upstream

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// judgePeriod is how often a group is looked at of which something is wrong.
const judgePeriod = 250 * time.Millisecond

// alarm has the judge look at the group from now on. Any loop may call it.
func (g *Group) alarm() {
	if g.watched.Load() || !g.watched.CompareAndSwap(false, true) {
		return
	}
	select {
	case g.store.alarms <- g:
	default: // the next failure tells
		g.watched.Store(false)
	}
}

// judge looks at the groups of which something is wrong, until nothing is.
func (s *Store) judge() {
	watched := map[*Group]bool{}
	ticker := time.NewTicker(judgePeriod)
	ticker.Stop()
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case g := <-s.alarms:
			g.restart()
			if watched[g] = true; len(watched) == 1 {
				ticker.Reset(judgePeriod)
			}
		case <-ticker.C:
			now := loop.Now()
			for g := range watched {
				if g.examine(now) {
					delete(watched, g)
				}
			}
			if len(watched) == 0 {
				ticker.Stop()
			}
		}
	}
}

// restart begins to count anew: nobody looked for a while.
func (g *Group) restart() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.health.Targets {
		h.Restart()
	}
}

// examine looks at the group, and reports whether there is no need to look again.
func (g *Group) examine(now int64) (quiet bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.look(now)
	if quiet = g.retired || g.health.Quiet(); quiet {
		g.watched.Store(false)
	}
	return quiet
}

// look judges and hands the loops what is decided. g.mu is held.
func (g *Group) look(now int64) {
	before := g.health.Events
	g.health.Look(now)
	g.store.Ejections.Add(g.health.Events.Ejections - before.Ejections)
	g.store.Opens.Add(g.health.Events.Opens - before.Opens)
	g.publish()
}
