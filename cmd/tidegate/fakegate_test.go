package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// fakeGate is a gate that says what a test made it say.
type fakeGate struct {
	memory    *memory
	status    control.GateStatus
	sentences []control.GateEntry
	stats     []control.GateStats // the last stays
	events    []control.GateEvent
	off       bool
}

func (f *fakeGate) Status() control.GateStatus { return f.status }

func (f *fakeGate) Entries() ([]control.GateEntry, error) {
	entries := append(control.Denies(f.memory.Catalog(), time.Now()), f.sentences...)
	return append(entries, control.GateEntry{Kind: control.GateNever, Network: "127.0.0.0/8"}), nil
}

func (f *fakeGate) Never() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/24")}
}

func (f *fakeGate) KeptOut(netip.Addr) bool { return false }

func (f *fakeGate) Release(network netip.Prefix) (released []netip.Prefix, err error) {
	f.sentences = slices.DeleteFunc(f.sentences, func(e control.GateEntry) bool {
		source := netip.MustParseAddr(e.Network)
		if network.Contains(source) {
			released = append(released, netip.PrefixFrom(source, source.BitLen()))
			return true
		}
		return false
	})
	return released, nil
}

func (f *fakeGate) Stats() (control.GateStats, error) {
	stats := f.stats[0]
	if len(f.stats) > 1 {
		f.stats = f.stats[1:]
	}
	return stats, nil
}

// Trace ends after the events.
func (f *fakeGate) Trace(context.Context, uint64) (<-chan control.GateEvent, error) {
	if f.off {
		return nil, errors.New("the kernel gate is off")
	}
	out := make(chan control.GateEvent, len(f.events))
	for _, e := range f.events {
		out <- e
	}
	close(out)
	return out, nil
}
