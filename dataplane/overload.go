package dataplane

import (
	"net/netip"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/pipeline"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// leastReserved is how many descriptors are kept for others than clients and
// integrations, where the host file does not say: the connections of the admin
// listener and some of the control socket, and the daemon's files.
const leastReserved = 100

// socketDescriptors returns how many descriptors there may be before clients and
// integrations get no more.
func socketDescriptors(h *configs.Host) int {
	limit := overload.DescriptorLimit()
	reserved := h.Limits.ReservedDescriptors
	if reserved == 0 {
		reserved = max(leastReserved, limit/20)
	}
	return max(limit-reserved, limit/2)
}

// maxConnections returns how many connections clients may have.
func maxConnections(h *configs.Host) int {
	if h.Limits.Connections > 0 {
		return h.Limits.Connections
	}
	return overload.DescriptorLimit() / 2
}

// maxInFlight returns how many requests may be served at once.
func maxInFlight(h *configs.Host) int {
	if h.Limits.InFlight > 0 {
		return h.Limits.InFlight
	}
	return maxConnections(h)
}

func overloadConfig(h *configs.Host) overload.Config {
	o := &h.Overload
	c := overload.Config{MemoryBytes: int64(o.MemoryBytes), Descriptors: socketDescriptors(h), InFlight: int64(maxInFlight(h))}
	c.Thresholds[overload.Memory] = overload.Thresholds(o.Memory)
	c.Thresholds[overload.Delay] = overload.Thresholds{Start: o.Delay.Start.Seconds(), Full: o.Delay.Full.Seconds()}
	c.Thresholds[overload.Descriptors] = overload.Thresholds(o.Descriptors)
	c.Thresholds[overload.InFlight] = overload.Thresholds(o.InFlight)
	return c
}

// allowances are what each priority may have in flight on one of so many event
// loops.
func allowances(h *configs.Host, workers int) (a pipeline.Allowances) {
	c := overloadConfig(h)
	perLoop := (c.InFlight + int64(workers) - 1) / int64(workers)
	for p := range a {
		a[p] = overload.Allowance(overload.Priority(p), perLoop, c.Thresholds[overload.InFlight])
	}
	return a
}

// exempt returns whom the bound of connections of one source is not for.
func exempt(h *configs.Host) func(netip.Addr) bool {
	if len(h.TrustedProxies) == 0 {
		return nil
	}
	entries := make([]prefixlist.Entry, len(h.TrustedProxies))
	for i, p := range h.TrustedProxies {
		entries[i].Prefix = p
	}
	table := prefixlist.Compile(entries)
	return func(source netip.Addr) bool {
		_, found := table.Match(source, 0)
		return found
	}
}

// makeOverload makes the monitor, which samples from Start on.
func (g *Gateway) makeOverload(h *configs.Host) {
	loops := make([]overload.Loop, len(g.loops))
	for i, l := range g.loops {
		loops[i] = l
	}
	g.overload = overload.NewMonitor(overloadConfig(h), overload.Source{
		Loops: loops, InFlight: func() int64 { return g.pipeline.InFlight() }, Now: loop.Now, Log: g.log,
	})
	g.reserveDescriptors(h)
}

// reserveDescriptors keeps some descriptors from clients and integrations.
func (g *Gateway) reserveDescriptors(h *configs.Host) {
	for _, l := range g.loops {
		l.Reserve(socketDescriptors(h))
	}
}

func (g *Gateway) registerOverload() {
	r := g.registry
	r.GaugesFunc(telemetry.OverloadLevel, overload.SignalNames[:], func(i int) float64 { return g.overload.Readings()[i].Level })
	r.GaugesFunc(telemetry.OverloadValue, overload.SignalNames[:], func(i int) float64 { return g.overload.Readings()[i].Value })
	r.CountersFunc(telemetry.ConnectionsRefused, front.Refusals[:], func(i int) (n uint64) {
		for _, f := range g.fronts {
			n += uint64(f.Refused(i))
		}
		return n
	})
	r.CounterFunc(telemetry.ConnectionsRelieved, func() (n uint64) {
		for _, f := range g.fronts {
			n += uint64(f.Relieved())
		}
		return n
	})
}

func (g *Gateway) overloadStatus() *control.OverloadStatus {
	readings, memory := g.overload.Readings(), g.overload.MemoryUse()
	s := &control.OverloadStatus{
		Step:        overload.StepOf(g.overload.State.Load()).String(),
		MemoryUsed:  memory.Used,
		MemoryLimit: memory.Limit, MemoryLimitOf: memory.Of,
		Shed: map[string]uint64{},
	}
	for i, r := range readings {
		s.Signals = append(s.Signals, control.OverloadSignal{Name: overload.SignalNames[i], Value: r.Value, Level: r.Level})
	}
	for p, name := range overload.PriorityNames {
		s.Shed[name] = g.shed.Value(p)
	}
	return s
}
