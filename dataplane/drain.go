package dataplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
)

// Drain stops accepting, closes idle connections and returns when all requests
// in flight have been answered, or with an error when ctx is done.
func (g *Gateway) Drain(ctx context.Context) error {
	return g.drain(ctx, 0, g.host.Load().KernelGate.AtStop == configs.AtStopClose)
}

// drain is Drain that leaves idle connections for a while, and private listeners for
// a moment, if idle is not 0. closing takes out of the kernel what leads to private
// listeners.
func (g *Gateway) drain(ctx context.Context, idle time.Duration, closing bool) error {
	g.state.Store(control.StateDraining)
	g.mu.Lock()
	listeners := g.listeners
	g.listeners = nil
	g.mu.Unlock()
	if err := g.endSteering(closing); err != nil {
		g.log.Error("private listeners", "error", err)
	}
	var last []*listener
	for _, l := range listeners {
		if idle > 0 && l.config.Private() {
			last = append(last, l)
			continue
		}
		l.close()
	}
	g.settle()
	knocks := time.NewTimer(min(idle, lastKnocks))
	defer knocks.Stop()
	patience := time.NewTimer(idle)
	defer patience.Stop()
	defer closeAll(&last)
	if idle > 0 {
		g.hub.Retire(drainWindow(ctx))
	} else {
		g.hub.Drain(drainWindow(ctx))
	}
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		open := g.hub.Open()
		for _, f := range g.fronts {
			open += f.Open()
		}
		if open == 0 && len(last) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d connections still open: %w", open, ctx.Err())
		case <-knocks.C:
			closeAll(&last)
			g.settle()
		case <-patience.C:
			for _, f := range g.fronts {
				f.Loop.Do(f.Drain)
			}
		case <-tick.C:
		}
	}
}

// settle returns when the event loops have what was accepted until now.
func (g *Gateway) settle() {
	for _, f := range g.fronts {
		f.Loop.Do(func() {})
	}
}

const drainPoll = 10 * time.Millisecond

// lastKnocks is how long a private listener outlives the switch to the successor's:
// who began to connect before it comes in.
const lastKnocks = time.Second

func closeAll(listeners *[]*listener) {
	for _, l := range *listeners {
		l.close()
	}
	*listeners = nil
}

// drainWindow is how long closing the WebSockets is spread over: half of the time
// there is, so that those who hang up slowly are done by its end.
func drainWindow(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(0, time.Until(deadline)/2)
}

// Close ends everything at once. It may be called after Drain or instead.
func (g *Gateway) Close() (err error) {
	g.closing.Do(func() { err = g.close() })
	return err
}

func (g *Gateway) close() error {
	g.state.Store(control.StateDraining)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	if g.control != nil {
		errs = append(errs, g.control.Shutdown(ctx))
	}
	if g.admin != nil {
		errs = append(errs, g.admin.Shutdown(ctx))
	}
	errs = append(errs, g.endGuard())
	if g.overload != nil {
		g.overload.Stop()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.listeners {
		l.close()
	}
	g.listeners = nil
	for _, f := range g.fronts {
		f.Loop.Do(f.CloseAll)
	}
	if g.hub != nil {
		g.hub.CloseAll()
	}
	if g.upstream != nil {
		g.upstream.Close()
	}
	for _, l := range g.loops {
		l.Do(func() {}) // what was posted before has run
		l.Close()
	}
	if g.pipeline != nil && g.pipeline.Snapshot() != nil {
		close(g.stop)
		<-g.watched
	}
	g.closeCallers()
	if g.access != nil {
		errs = append(errs, g.access.Close())
	}
	if g.caches != nil {
		if !g.released {
			errs = append(errs, g.caches.Save(context.Background()))
		}
		g.caches.Close()
	}
	if journal := g.journal.Load(); journal != nil && !g.released {
		errs = append(errs, journal.Close())
	}
	if store := g.store.Load(); store != nil && !g.released {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}
