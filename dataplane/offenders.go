package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// How often the reports of denied requests are taken from the event loops. With
// a gate a sentence waits for it, which is to be in the kernel within 10 ms.
const (
	offenderDrain      = 20 * time.Millisecond
	offenderDrainGated = 4 * time.Millisecond
)

// watchOffenders keeps the operators' view of who was denied, and has the judge
// hear of it while there is a gate to shut somebody out.
func (g *Gateway) watchOffenders() {
	defer close(g.watched)
	judging := false
	hear := func(r *telemetry.Report) {
		g.offenderTable.Add(r)
		if judging {
			g.judge.Hear(r, time.Now().UnixNano())
		}
	}
	drain, sweep := time.NewTicker(offenderDrain), time.NewTicker(time.Second)
	defer drain.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-drain.C:
			if on := g.gate.isOn(); on != judging {
				judging = on
				drain.Reset(map[bool]time.Duration{true: offenderDrainGated, false: offenderDrain}[on])
			}
			g.offenders.Drain(hear)
		case now := <-sweep.C:
			g.judge.Sweep(now.UnixNano())
		case <-g.stop:
			return
		}
	}
}

// Offenders implements control.Gateway.
func (g *Gateway) Offenders(n int) []control.Offender {
	var list []control.Offender
	for _, o := range g.offenderTable.Top(n) {
		list = append(list, wireOffender(o))
	}
	return list
}

func wireOffender(o telemetry.Offender) control.Offender {
	at := func(nanos int64) time.Time { return time.Unix(0, nanos).UTC().Truncate(time.Millisecond) }
	out := control.Offender{
		Source: o.Source.String(), Denied: o.Denied, Reason: o.Offence.String(),
		FirstSeen: at(o.FirstSeen), LastSeen: at(o.LastSeen),
	}
	if o.Until != 0 {
		until := at(o.Until)
		out.Until = &until
	}
	if o.Source.IsSingleIP() {
		out.Source = o.Source.Addr().String()
	}
	return out
}
