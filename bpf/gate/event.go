package gate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"time"

	"github.com/cilium/ebpf/ringbuf"
)

// Event is one packet of a condemned source.
type Event struct {
	Time      time.Time
	Source    netip.AddrPort // port 0 if the packet showed none
	Port      uint16         // the gateway's
	Interface int            // index
	Length    int            // bytes of the frame
	Reason    Reason
	Note      string // the Reason of the Rule that condemned it
}

// Events calls f with a sample of the packets of condemned sources, from one
// goroutine, until ctx ends, and returns nil then. Of each reason it reports the
// first of every so many packets on each CPU; every is rounded up to a power of
// two, and 1 reports all. What f is too slow for is lost, and only counted. There
// is one reader at a time.
func (g *Gate) Events(ctx context.Context, every uint64, f func(Event)) error {
	reader, err := g.startEvents(every)
	if err != nil {
		return err
	}
	defer g.stopEvents(reader)
	stop := context.AfterFunc(ctx, func() { reader.Close() })
	defer stop()
	var record ringbuf.Record
	for {
		err := reader.ReadInto(&record)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the gate's events: %w", err)
		}
		var e programEvent
		if err := binary.Read(bytes.NewReader(record.RawSample), binary.NativeEndian, &e); err != nil {
			return fmt.Errorf("read the gate's events: %w", err)
		}
		f(g.event(e))
	}
}

func (g *Gate) startEvents(every uint64) (*ringbuf.Reader, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reported {
		return nil, errors.New("the gate's events have a reader already")
	}
	reader, err := ringbuf.NewReader(g.objects.Events)
	if err != nil {
		return nil, fmt.Errorf("open the gate's events: %w", err)
	}
	g.control.Every = 1 << bits.Len64(max(every, 1)-1)
	if err := g.putControl(); err != nil {
		reader.Close()
		return nil, err
	}
	g.reported = true
	return reader, nil
}

func (g *Gate) stopEvents(reader *ringbuf.Reader) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.control.Every, g.reported = 0, false
	g.putControl() // of a handle that was ended, there is nothing to stop
	reader.Close()
}

func (g *Gate) event(e programEvent) Event {
	var port, source [2]byte
	binary.NativeEndian.PutUint16(port[:], e.Port)
	binary.NativeEndian.PutUint16(source[:], e.SourcePort)
	at := time.Now()
	if mono, err := now(); err == nil {
		at = at.Add(-left(e.Time, mono))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return Event{
		Time:      at,
		Source:    netip.AddrPortFrom(address(e.Source, e.Family == 2), binary.BigEndian.Uint16(source[:])),
		Port:      binary.BigEndian.Uint16(port[:]),
		Interface: int(e.Interface),
		Length:    int(e.Length),
		Reason:    Reason(e.Reason),
		Note:      g.notes.text(e.Note),
	}
}
