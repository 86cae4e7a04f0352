package control

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// fakeGate keeps sentences in memory.
type fakeGate struct {
	mu        sync.Mutex
	gateway   *fakeGateway
	off       bool
	sentences []netip.Prefix
	events    chan GateEvent
	tracing   bool
	every     uint64
}

func newFakeGate(g *fakeGateway) *fakeGate {
	return &fakeGate{gateway: g, events: make(chan GateEvent)}
}

func (f *fakeGate) Status() GateStatus {
	return GateStatus{On: !f.off, PinDir: "/pins", Program: "0123456789abcdef",
		Interfaces: []GateInterface{{"eth0", GateGeneric}}, Denied: len(f.gateway.Catalog().Account.Deny)}
}

func (f *fakeGate) Entries() ([]GateEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries := Denies(f.gateway.Catalog(), noon)
	for _, s := range f.sentences {
		entries = append(entries, GateEntry{Kind: GateSentence, Network: s.String(), Status: 429})
	}
	return entries, nil
}

func (f *fakeGate) Never() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/24")}
}

func (f *fakeGate) KeptOut(a netip.Addr) bool { return a == netip.MustParseAddr("198.51.100.1") }

func (f *fakeGate) Release(network netip.Prefix) (released []netip.Prefix, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sentences = slices.DeleteFunc(f.sentences, func(s netip.Prefix) bool {
		if network.Overlaps(s) {
			released = append(released, s)
			return true
		}
		return false
	})
	return released, nil
}

func (f *fakeGate) Stats() (GateStats, error) {
	return GateStats{On: !f.off, Reasons: []GateCount{{"pass_clean", 5, 500}, {"drop_sentence", 0, 0}}}, nil
}

// Trace passes what is sent to events.
func (f *fakeGate) Trace(ctx context.Context, every uint64) (<-chan GateEvent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.off:
		return nil, errors.New("the kernel gate is off")
	case f.tracing:
		return nil, errors.New("another trace is running: end it first")
	}
	f.tracing, f.every = true, every
	out := make(chan GateEvent)
	go func() {
		defer func() {
			f.mu.Lock()
			f.tracing = false
			f.mu.Unlock()
			close(out)
		}()
		for {
			select {
			case e := <-f.events:
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func (f *fakeGate) isTraced() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tracing
}

func in(d time.Duration) *time.Time {
	at := noon.Add(d)
	return &at
}
