package front

import (
	"net/netip"
	"sync/atomic"
)

// sources counts the open connections of each source. It belongs to the loop that
// accepts; connections leave on the loop that they are on.
type sources struct {
	of   map[netip.Addr]*source
	kept int // after the last look for those that have none
}

// source is an address, or an IPv6 /64, since a host has that many.
type source struct{ open atomic.Int32 }

// leave counts a connection out. A nil source is none that is counted.
func (s *source) leave() {
	if s != nil {
		s.open.Add(-1)
	}
}

// enter counts a connection in, on the loop that accepts. It is false when its
// source has as many as it may; the source is nil when it is not counted.
func (f *Front) enter(addr netip.Addr) (*source, bool) {
	limit := f.config.PerSource
	if limit == 0 || !addr.IsValid() || f.config.Exempt != nil && f.config.Exempt(addr) {
		return nil, true
	}
	if addr.Is6() {
		p, _ := addr.WithZone("").Prefix(64)
		addr = p.Addr()
	}
	all := &f.sources
	s := all.of[addr]
	if s == nil {
		all.forget()
		s = &source{}
		all.of[addr] = s
	}
	if int(s.open.Load()) >= limit {
		return nil, false
	}
	s.open.Add(1)
	return s, true
}

// forget drops the sources that have no connection, whenever there are twice as
// many as were left the last time.
func (all *sources) forget() {
	const least = 1024
	if all.of == nil {
		all.of = map[netip.Addr]*source{}
	}
	if len(all.of) < max(least, 2*all.kept) {
		return
	}
	for addr, s := range all.of {
		if s.open.Load() == 0 {
			delete(all.of, addr)
		}
	}
	all.kept = len(all.of)
}
