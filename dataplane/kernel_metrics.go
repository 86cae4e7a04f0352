package dataplane

import (
	"sync"
	"time"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// registerGuard shows what the kernel gate and the private listeners count.
func (g *Gateway) registerGuard() {
	r := g.registry
	gauge := func(m telemetry.Metric, of func(measurement) int) {
		r.GaugeFunc(m, func() int64 { return int64(of(g.measured.read(g.gate))) })
	}
	gauge(telemetry.GateOn, func(m measurement) int { return m.on })
	gauge(telemetry.GateSentences, func(m measurement) int { return m.sentences })
	gauge(telemetry.GatePrefixes, func(m measurement) int { return m.prefixes })
	r.CounterFunc(telemetry.GateFailures, g.gate.failures.Load)
	counted := func(of func(gate.Counter) uint64) func(int) uint64 {
		return func(reason int) uint64 {
			if all := g.measured.read(g.gate).reasons; reason < len(all) {
				return of(all[reason])
			}
			return 0
		}
	}
	reasons := gateReasons()
	r.CountersFunc(telemetry.GatePackets, reasons, counted(func(c gate.Counter) uint64 { return c.Packets }))
	r.CountersFunc(telemetry.GateBytes, reasons, counted(func(c gate.Counter) uint64 { return c.Bytes }))

	var names []string
	host := g.host.Load()
	for i := range host.Listeners {
		if host.Listeners[i].Private() {
			names = append(names, host.Listeners[i].Name)
		}
	}
	private := func(m telemetry.Metric, of func(*control.PrivateStatus) uint64) {
		r.CountersFunc(m, names, func(i int) uint64 {
			all, _ := g.privateStatus()
			for j := range all {
				if all[j].Listener == names[i] {
					return of(&all[j])
				}
			}
			return 0
		})
	}
	private(telemetry.PrivateSteered, func(p *control.PrivateStatus) uint64 { return p.Led })
	private(telemetry.PrivateRefused, func(p *control.PrivateStatus) uint64 { return p.Refused })
	private(telemetry.PrivateUnserved, func(p *control.PrivateStatus) uint64 { return p.Unserved })
}

// gateReasons are the names of all reasons that a packet can leave the gate for.
func gateReasons() (names []string) {
	unknown := gate.Reason(255).String()
	for r := gate.Reason(0); r.String() != unknown; r++ {
		names = append(names, r.String())
	}
	return names
}

// measured is what metrics show of the gate. Reading it takes system calls, so
// that one scrape reads it once.
type measured struct {
	mu   sync.Mutex
	at   time.Time
	last measurement
}

type measurement struct {
	on, sentences, prefixes int
	reasons                 []gate.Counter
}

// measuredFor is how long a measurement stands.
const measuredFor = 100 * time.Millisecond

func (m *measured) read(k *kernelGate) measurement {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) < measuredFor {
		return m.last
	}
	m.last, m.at = measurement{}, time.Now()
	_ = k.with(func(g *gate.Gate) error { // what cannot be read shows as 0
		if status, err := g.Status(); err == nil {
			for _, i := range status.Interfaces {
				if i.Mode != gate.Auto {
					m.last.on = 1
				}
			}
		}
		if stats, err := g.Stats(); err == nil {
			m.last.reasons = stats.Reasons
		}
		sentences, _ := g.Sentences()
		rules, _ := g.Rules()
		sets, _ := g.Sets()
		m.last.sentences, m.last.prefixes = len(sentences), len(rules)
		for _, s := range sets {
			m.last.prefixes += s.Prefixes
		}
		return nil
	})
	return m.last
}
