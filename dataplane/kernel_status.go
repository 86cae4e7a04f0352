package dataplane

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/dataplane/control"
)

// Gate implements control.Gateway.
func (g *Gateway) Gate() control.Gate { return &gateControl{g} }

// gateControl is what the control socket does with the gate.
type gateControl struct{ *Gateway }

// Status implements control.Gate.
func (c *gateControl) Status() control.GateStatus {
	host := c.host.Load()
	s := control.GateStatus{
		PinDir: host.KernelGate.PinDir, Interfaces: []control.GateInterface{},
		Denied: len(control.Denies(c.catalog.Load(), time.Now())), Listed: c.denials.Load().lists.Len(),
	}
	modes := map[string]string{}
	if err := c.gate.with(func(k *gate.Gate) error {
		status, err := k.Status()
		for _, i := range status.Interfaces {
			if i.Mode != gate.Auto { // else it is gone
				modes[i.Name] = i.Mode.String()
			}
		}
		s.On, s.Program = true, status.Tag
		sentences, failed := k.Sentences()
		s.Sentences = len(sentences)
		return errors.Join(err, failed)
	}); err != nil && !errors.Is(err, errGateOff) {
		s.Notes = append(s.Notes, err.Error())
	}
	for _, name := range host.KernelGate.Interfaces {
		mode := modes[name]
		if mode == "" {
			mode = control.GateNone
		}
		s.Interfaces = append(s.Interfaces, control.GateInterface{Name: name, Mode: mode})
	}
	c.gate.mu.RLock()
	s.Notes = append(s.Notes, c.gate.notes...)
	c.gate.mu.RUnlock()
	private, notes := c.privateStatus()
	s.Private, s.Notes = private, append(s.Notes, notes...)
	return s
}

// privateStatus tells of the private listeners.
func (g *Gateway) privateStatus() (all []control.PrivateStatus, notes []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unsteered != "" {
		notes = append(notes, g.unsteered)
	}
	bindings := map[string]steer.BindingStatus{}
	if g.steer != nil {
		status, err := g.steer.Status()
		switch {
		case err != nil:
			notes = append(notes, err.Error())
		case status.Failed != nil:
			notes = append(notes, "private listeners are closed: "+status.Failed.Error()+"; restart the gateway")
		case !status.InForce:
			notes = append(notes, "private listeners are out of reach: something took the program that steers to them out of the kernel; restart the gateway")
		}
		for _, b := range status.Bindings {
			bindings[b.Name] = b
		}
	}
	host := g.host.Load()
	for i := range host.Listeners {
		l := &host.Listeners[i]
		if !l.Private() {
			continue
		}
		b, steered := bindings[l.Name]
		p := control.PrivateStatus{
			Listener: l.Name, Address: l.AddrPort().String(), Endpoint: l.Endpoint, Steered: steered,
			Led: b.Steered, Refused: b.Refused, Unserved: b.Unserved,
		}
		there := indexes(l.Interfaces)
		for _, name := range l.Interfaces {
			p.Interfaces = append(p.Interfaces, control.InterfaceName{Name: name, There: there[name] != 0})
		}
		all = append(all, p)
	}
	return all, notes
}

// Entries implements control.Gate.
func (c *gateControl) Entries() ([]control.GateEntry, error) {
	now := time.Now()
	all := control.Denies(c.catalog.Load(), now)
	err := c.gate.with(func(k *gate.Gate) error {
		sentences, err := k.Sentences()
		slices.SortFunc(sentences, func(a, b gate.Sentence) int { return a.Source.Compare(b.Source) })
		for _, s := range sentences {
			until := now.Add(s.For).UTC().Truncate(time.Millisecond)
			all = append(all, control.GateEntry{Kind: control.GateSentence, Network: shortPrefix(s.Source),
				Reason: s.Reason, Status: s.Answer.Status(), Until: &until})
		}
		return err
	})
	if err != nil && !errors.Is(err, errGateOff) {
		return nil, err
	}
	for _, l := range c.denials.Load().named {
		if n := len(l.networks); n > 0 {
			reason := l.reason
			if l.name == listName {
				reason = listName
			}
			all = append(all, control.GateEntry{Kind: control.GateList, Networks: n, Reason: reason, Status: 403})
		}
	}
	for _, p := range c.Never() {
		all = append(all, control.GateEntry{Kind: control.GateNever, Network: shortPrefix(p)})
	}
	return all, nil
}

// shortPrefix writes the network of one address as that address.
func shortPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// Never implements control.Gate.
func (c *gateControl) Never() []netip.Prefix { return c.host.Load().NeverShutOut() }

// KeptOut implements control.Gate.
func (c *gateControl) KeptOut(a netip.Addr) bool { return c.denied(a) }

// Release implements control.Gate.
func (c *gateControl) Release(network netip.Prefix) (released []netip.Prefix, err error) {
	err = c.gate.with(func(k *gate.Gate) error {
		sentences, err := k.Sentences()
		for _, s := range sentences {
			if !network.Overlaps(s.Source) {
				continue
			}
			found, failed := k.Release(s.Source.Addr())
			if err = errors.Join(err, failed); found {
				released = append(released, s.Source)
			}
		}
		return err
	})
	c.judge.Release(network) // behind the kernel, or it would be condemned again
	if errors.Is(err, errGateOff) {
		err = nil
	}
	return released, err
}

// Stats implements control.Gate.
func (c *gateControl) Stats() (out control.GateStats, err error) {
	out.Reasons = []control.GateCount{}
	err = c.gate.with(func(k *gate.Gate) error {
		stats, err := k.Stats()
		out.On, out.Runs, out.RunNanoseconds = true, stats.Runs, stats.RunTime.Nanoseconds()
		for reason, n := range stats.Reasons {
			out.Reasons = append(out.Reasons, control.GateCount{Reason: gate.Reason(reason).String(), Packets: n.Packets, Bytes: n.Bytes})
		}
		return err
	})
	if errors.Is(err, errGateOff) {
		err = nil
	}
	return out, err
}
