package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/configs"
)

// startGuarded opens the listeners with what the kernel does for them: public
// ones first, then private ones, which have to know them, and then the gate,
// which has to know all.
func (g *Gateway) startGuarded(host *configs.Host) error {
	g.claim(host)
	if err := g.startSteering(host); err != nil {
		return err
	}
	for _, l := range host.Listeners {
		if l.Private() {
			continue
		}
		if err := g.listen(l); err != nil {
			return err
		}
	}
	if err := g.openPrivate(host); err != nil {
		return err
	}
	g.mu.Lock()
	wants := g.gateWants(host)
	g.mu.Unlock()
	g.gate.set(wants)
	g.keeping.Go(g.keepGuard)
	if err := g.confine(host); err != nil {
		return err
	}
	// What fails until here costs no client of a public listener anything: those of a
	// predecessor's sockets are its own. Private ones accept since the kernel leads there.
	g.mu.Lock()
	listeners := slices.Clone(g.listeners)
	g.mu.Unlock()
	for _, l := range listeners {
		for _, f := range l.fronts {
			f.Accept()
		}
	}
	return nil
}

// claim locks the folder of pins, and clears away what an earlier run left there
// that is not asked for any more.
func (g *Gateway) claim(host *configs.Host) {
	_, err := os.Stat(filepath.Join(host.StateDir, pinsNote))
	gated, steered := wantsKernel(host)
	if err != nil && !gated && !steered {
		for _, dir := range []string{gateDir(host.KernelGate.PinDir), steerDir(host.KernelGate.PinDir)} {
			if _, err := os.Stat(dir); err == nil { // it may be another gateway's
				g.log.Warn("something in the kernel that this gateway did not leave may keep clients out", "pins", dir)
			}
		}
		return
	}
	if g.pins, err = claimPins(host.KernelGate.PinDir); err != nil {
		g.gate.barred = fmt.Errorf("the kernel gate is off: %w", err)
		return
	}
	if err := sweepPins(host); err != nil {
		g.log.Warn("what an earlier run left in the kernel is still at work", "error", err)
	}
}

// gateWants is what the host file asks of the gate. g.mu is held.
func (g *Gateway) gateWants(host *configs.Host) gateWants {
	k := &host.KernelGate
	w := gateWants{
		dir: gateDir(k.PinDir), interfaces: k.Interfaces, maxPrefixes: k.MaxPrefixes, maxSentences: k.MaxSentences,
		never: host.NeverShutOut(), lists: g.denials.Load().named, denies: g.catalog.Load().Account.Deny,
	}
	styles := map[string]gate.Style{configs.RefusalDrop: gate.Drop, configs.RefusalReset: gate.Reset, configs.RefusalRespond: gate.Respond}
	for _, l := range g.listeners {
		if at, ok := l.tcpAddr(); ok {
			w.listeners = append(w.listeners, gate.Listener{Address: at, Style: styles[l.config.RefusalInForce()], TLS: l.tls != nil})
		}
	}
	return w
}

// guardAgain applies a changed host file. g.mu is held.
func (g *Gateway) guardAgain(host *configs.Host, list []netip.Prefix) {
	for _, l := range g.listeners {
		for i := range host.Listeners {
			if c := &host.Listeners[i]; c.Name == l.config.Name {
				l.config = *c
			}
		}
	}
	g.denyList = list
	g.denyLists(host)
	g.judge.SetRules(sentenceRules(host))
	g.gate.set(g.gateWants(host))
}

// keepGuard beats for the gate, and looks whether interfaces came or went.
func (g *Gateway) keepGuard() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-g.unkeep:
			return
		case <-tick.C:
		}
		g.gate.follow()
		g.followPrivate()
		if n%gateBeat == 0 {
			g.gate.beat()
		}
	}
}

// gateBeat is how many seconds are between two heartbeats; the gate wants one a
// minute.
const gateBeat = 5

// endGuard leaves the gate and the steering at work for the next start, or takes
// them out of the kernel.
func (g *Gateway) endGuard() error {
	closing := g.host.Load().KernelGate.AtStop == configs.AtStopClose && !g.released
	close(g.unkeep)
	g.keeping.Wait()
	err := errors.Join(g.endSteering(closing), g.gate.end(closing))
	if g.pins != nil {
		err = errors.Join(err, g.pins.Close())
	}
	return err
}
