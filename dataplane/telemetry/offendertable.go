package telemetry

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
)

// offenderSources bounds an OffenderTable, so that addresses that come and go
// cannot fill the memory.
const offenderSources = 4096

// Offender is a source of denied requests.
type Offender struct {
	Source    netip.Prefix // an IPv4 address or an IPv6 /64, which is one customer's
	Denied    uint64       // requests denied since FirstSeen
	FirstSeen int64        // Unix nanoseconds
	LastSeen  int64        // Unix nanoseconds
	Offence   Offence      // the last one
	Until     int64        // Unix nanoseconds when its limit returns; 0 is unknown
}

// OffenderTable keeps count of the 4096 sources that were denied last: a view
// for operators. Add is for the goroutine that drains the queue, Top for any.
type OffenderTable struct {
	mu      sync.Mutex
	places  map[netip.Prefix]int
	entries []offenderEntry // a circle, last seen first; [0] is its head and no source
}

// offenderEntry is linked to its neighbours by index: next to the one seen
// before it, previous to the one seen after it.
type offenderEntry struct {
	Offender
	previous, next int
}

// NewOffenderTable makes an empty table.
func NewOffenderTable() *OffenderTable {
	return &OffenderTable{places: map[netip.Prefix]int{}, entries: make([]offenderEntry, 1)}
}

// Add counts a report. When the table is full, the source that was seen least
// recently makes room for a new one.
func (t *OffenderTable) Add(r *Report) {
	source := Network(r.Source)
	t.mu.Lock()
	defer t.mu.Unlock()
	i, known := t.places[source]
	if known {
		t.unlink(i)
	} else {
		i = t.place()
		t.entries[i].Offender = Offender{Source: source, FirstSeen: r.At, LastSeen: r.At}
		t.places[source] = i
	}
	t.linkFirst(i)
	e := &t.entries[i]
	e.Denied++
	e.FirstSeen = min(e.FirstSeen, r.At)
	if r.At >= e.LastSeen { // event loops are drained one after the other
		e.LastSeen, e.Offence, e.Until = r.At, r.Offence, r.Until
	}
}

// Top returns the n sources that were denied most, the most first.
func (t *OffenderTable) Top(n int) []Offender {
	t.mu.Lock()
	all := make([]Offender, 0, len(t.places))
	for i := range t.entries[1:] {
		all = append(all, t.entries[1+i].Offender)
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b Offender) int {
		return cmp.Or(cmp.Compare(b.Denied, a.Denied), cmp.Compare(b.LastSeen, a.LastSeen), a.Source.Addr().Compare(b.Source.Addr()))
	})
	return all[:max(0, min(n, len(all)))]
}

// place returns the index of an entry that is not linked.
func (t *OffenderTable) place() int {
	if len(t.entries) <= offenderSources {
		t.entries = append(t.entries, offenderEntry{})
		return len(t.entries) - 1
	}
	last := t.entries[0].previous
	t.unlink(last)
	delete(t.places, t.entries[last].Source)
	return last
}

func (t *OffenderTable) unlink(i int) {
	e := &t.entries[i]
	t.entries[e.previous].next = e.next
	t.entries[e.next].previous = e.previous
}

func (t *OffenderTable) linkFirst(i int) {
	first := t.entries[0].next
	t.entries[i].previous, t.entries[i].next = 0, first
	t.entries[first].previous = i
	t.entries[0].next = i
}

// Network returns the address, or the network of an IPv6 address that belongs
// to one customer (RFC 6177): whoever has one address of it has them all.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	network, _ := addr.Prefix(bits) // without the zone; of an invalid address, the zero Prefix
	return network
}
