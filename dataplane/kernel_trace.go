package dataplane

import (
	"context"
	"errors"
	"net"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/dataplane/control"
)

// traceBacklog is how many events wait for a client that reads slowly.
const traceBacklog = 1024

var errTraced = errors.New("another trace is running: end it first")

// Trace implements control.Gate. It goes on when the gate is replaced.
func (c *gateControl) Trace(ctx context.Context, every uint64) (<-chan control.GateEvent, error) {
	if !c.gate.isOn() {
		return nil, errGateOff
	}
	if !c.tracing.CompareAndSwap(false, true) {
		return nil, errTraced
	}
	events := make(chan control.GateEvent, traceBacklog)
	go func() {
		defer close(events)
		defer c.tracing.Store(false)
		for ctx.Err() == nil {
			if err := c.gate.trace(ctx, every, events); err != nil {
				c.log.Warn("the trace of the kernel gate ended", "error", err)
				return
			}
		}
	}()
	return events, nil
}

// trace follows the events of one program.
func (k *kernelGate) trace(ctx context.Context, every uint64, events chan<- control.GateEvent) error {
	k.mu.RLock()
	handle, replaced := k.handle, k.replaced
	k.mu.RUnlock()
	if handle == nil {
		return errGateOff
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-replaced:
			cancel()
		case <-ctx.Done():
		}
	}()
	names := map[int]string{}
	return handle.Events(ctx, every, func(e gate.Event) {
		select {
		case events <- wireEvent(e, names):
		default:
		}
	})
}

func wireEvent(e gate.Event, names map[int]string) control.GateEvent {
	name, known := names[e.Interface]
	if !known {
		if i, err := net.InterfaceByIndex(e.Interface); err == nil {
			name = i.Name
		}
		names[e.Interface] = name
	}
	return control.GateEvent{
		Time: e.Time.UTC(), Source: e.Source.String(), Port: int(e.Port), Interface: name,
		Bytes: e.Length, Reason: e.Reason.String(), Why: e.Note,
	}
}
