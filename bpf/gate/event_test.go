package gate

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

func TestEvents(t *testing.T) {
	g := newGate(t, Options{})
	source := netip.MustParseAddr("192.0.2.1")
	if err := g.Condemn(source, Rule{For: time.Hour, Reason: "spent its quota"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	events := make(chan Event, 100)
	done := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		done <- g.Events(ctx, 1, func(e Event) { events <- e })
	}()
	<-started
	var e Event
	for deadline := time.After(5 * time.Second); e.Note == ""; {
		g.verdict(t, source.String()) // until the reader is there
		select {
		case e = <-events:
		case <-deadline:
			t.Fatal("no event in 5 s")
		case <-time.After(10 * time.Millisecond):
		}
	}
	want := Event{Time: e.Time, Source: netip.AddrPortFrom(source, 40000), Port: testPort, Interface: e.Interface, Length: 54,
		Reason: Reason(programReasonDROP_SENTENCE), Note: "spent its quota"}
	if e != want || time.Since(e.Time).Abs() > 5*time.Second {
		t.Errorf("event %+v, want %+v", e, want)
	}
	if err := g.Events(ctx, 1, nil); err == nil {
		t.Error("two readers")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if g.control.Every != 0 {
		t.Error("the program still reports")
	}
}
