package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// offenderDrain is how often the reports of denied requests are taken from the
// event loops.
const offenderDrain = 20 * time.Millisecond

// watchOffenders keeps the operators' view of who was denied.
func (g *Gateway) watchOffenders() {
	defer close(g.watched)
	add := g.offenderTable.Add // once: a method value is an allocation
	tick := time.NewTicker(offenderDrain)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.offenders.Drain(add)
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
