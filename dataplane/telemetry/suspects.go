package telemetry

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
)

// suspectSlots bounds how many sources can be watched at once: a power of two.
const suspectSlots = 8192

// Suspects are the sources whose requests are being denied. The event loops
// tell it which of them are served after all, so that nobody is shut out who
// has, say, one good key among bad ones behind the same address. What is called
// per request takes no lock, and costs one load while there is no suspect.
type Suspects struct {
	watched atomic.Int64
	seed    maphash.Seed
	slots   [suspectSlots]suspect
}

// suspect is a slot for one source at a time.
type suspect struct {
	tag       atomic.Uint64 // hash of the source; 0 is vacant
	served    atomic.Int64  // Unix nanoseconds of the last request that was served
	condemned atomic.Int64  // Unix nanoseconds until which it is
}

// NewSuspects watches nobody.
func NewSuspects() *Suspects { return &Suspects{seed: maphash.MakeSeed()} }

// slot returns the place of a source's network: see [Network].
func (s *Suspects) slot(source netip.Addr) (*suspect, uint64) {
	bytes := Network(source).Addr().As16()
	tag := maphash.Bytes(s.seed, bytes[:]) | 1 // never 0
	return &s.slots[(tag>>32)%suspectSlots], tag
}

// Served marks a source as served at a time, Unix nanoseconds, if it is watched.
func (s *Suspects) Served(source netip.Addr, at int64) {
	if s.watched.Load() == 0 || !source.IsValid() {
		return
	}
	if slot, tag := s.slot(source); slot.tag.Load() == tag {
		slot.served.Store(at)
	}
}

// Condemned reports whether a source is condemned at a time, Unix nanoseconds.
func (s *Suspects) Condemned(source netip.Addr, at int64) bool {
	if s.watched.Load() == 0 || !source.IsValid() {
		return false
	}
	slot, tag := s.slot(source)
	return slot.tag.Load() == tag && slot.condemned.Load() > at
}

// Watch begins to watch a source. It is false when another one has its place.
// This and the following are for one goroutine.
func (s *Suspects) Watch(source netip.Addr) bool {
	slot, tag := s.slot(source)
	if slot.tag.Load() != 0 {
		return slot.tag.Load() == tag
	}
	slot.served.Store(0)
	slot.condemned.Store(0)
	slot.tag.Store(tag)
	s.watched.Add(1)
	return true
}

// Forget ends watching a source.
func (s *Suspects) Forget(source netip.Addr) {
	if slot, tag := s.slot(source); slot.tag.CompareAndSwap(tag, 0) {
		s.watched.Add(-1)
	}
}

// LastServed returns when a watched source was served last, Unix nanoseconds, 0
// for not since it is watched.
func (s *Suspects) LastServed(source netip.Addr) int64 {
	slot, tag := s.slot(source)
	if slot.tag.Load() != tag {
		return 0
	}
	return slot.served.Load()
}

// Condemn marks a watched source as condemned until a time, Unix nanoseconds; 0
// takes it back.
func (s *Suspects) Condemn(source netip.Addr, until int64) {
	if slot, tag := s.slot(source); slot.tag.Load() == tag {
		slot.condemned.Store(until)
	}
}
