package telemetry

import (
	"net/netip"
	"sync/atomic"
)

// offenderSlots is how many reports an event loop can leave while the consumer
// is away: a power of two.
const offenderSlots = 4096

// Offence is why a request was denied.
type Offence uint8

// The offences.
const (
	Throttled     Offence = iota // over a rate
	QuotaExceeded                // over the quota of a usage plan
	InvalidKey                   // without an API key that gives access
	WAFBlocked                   // by a rule of the web application firewall, on its own address
)

var offenceNames = [...]string{Throttled: "THROTTLED", QuotaExceeded: "QUOTA_EXCEEDED", InvalidKey: "INVALID_API_KEY", WAFBlocked: "WAF_FILTERED"}

// String returns the gateway response type that the client was answered with.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func (o Offence) String() string {
	if int(o) < len(offenceNames) {
		return offenceNames[o]
	}
	return "unknown"
}

// Report says that a request was denied: to whom, why, and until when.
type Report struct {
	Source  netip.Addr // without a zone once it has been through the queue
	Offence Offence
	APIID   [10]byte // zero: unknown
	KeyID   [10]byte // of the API key; zero: none
	At      int64    // Unix nanoseconds
	Until   int64    // Unix nanoseconds when the limit returns; 0 is unknown
}

// offenderSlot is a Report as the queue holds it: without pointers, so that the
// garbage collector never looks at it.
type offenderSlot struct {
	at, until    int64
	source       [16]byte // IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2)
	apiID, keyID [10]byte
	offence      Offence
}

// offenderShard is a queue between one producer and one consumer.
type offenderShard struct {
	slots   []offenderSlot
	_       [cacheLine]byte
	taken   atomic.Uint64 // moved by the consumer
	_       [cacheLine]byte
	put     atomic.Uint64 // moved by the producer
	dropped atomic.Uint64
	_       [cacheLine]byte
}

// Offenders takes reports of denied requests from the event loops to whoever
// acts on them: a bounded queue for each loop, without a lock. When one is full,
// its reports are dropped and counted; who goes on offending is reported again.
type Offenders struct {
	shards []offenderShard
	report Report // what the consumer is being handed
}

// NewOffenders makes the queues of so many event loops.
func NewOffenders(shards int) *Offenders {
	o := &Offenders{shards: make([]offenderShard, shards)}
	for i := range o.shards {
		o.shards[i].slots = make([]offenderSlot, offenderSlots)
	}
	return o
}

// Report copies r into the queue of the shard. It neither blocks nor allocates.
// One goroutine at a time may use a shard.
func (o *Offenders) Report(shard int, r *Report) {
	s := &o.shards[shard]
	put := s.put.Load()
	if put-s.taken.Load() == offenderSlots {
		s.dropped.Add(1)
		return
	}
	s.slots[put%offenderSlots] = offenderSlot{r.At, r.Until, r.Source.As16(), r.APIID, r.KeyID, r.Offence}
	s.put.Store(put + 1)
}

// Drain hands what is in the queues to f, in order for each shard, and frees
// the places. f may not keep the Report. One goroutine at a time may call Drain;
// at 100,000 reports a second a queue is full within 40 ms.
func (o *Offenders) Drain(f func(*Report)) {
	r := &o.report // of the queues, so that a drain allocates nothing
	for i := range o.shards {
		s := &o.shards[i]
		// What comes meanwhile waits for the next call, so that this one ends.
		for n, put := s.taken.Load(), s.put.Load(); n != put; n++ {
			slot := &s.slots[n%offenderSlots]
			*r = Report{netip.AddrFrom16(slot.source).Unmap(), slot.offence, slot.apiID, slot.keyID, slot.at, slot.until}
			s.taken.Store(n + 1)
			f(r)
		}
	}
}

// Reported returns how many reports went into the queues since the start. Any
// goroutine may call it.
func (o *Offenders) Reported() (n uint64) {
	for i := range o.shards {
		n += o.shards[i].put.Load()
	}
	return n
}

// Dropped returns how many reports were lost because a queue was full. Any
// goroutine may call it.
func (o *Offenders) Dropped() (n uint64) {
	for i := range o.shards {
		n += o.shards[i].dropped.Load()
	}
	return n
}
