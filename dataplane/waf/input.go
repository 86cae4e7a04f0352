package waf

import (
	"context"
	"net/netip"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Input is a request as it is inspected, and the working memory to do so. A
// worker has one and fills in its fields anew for each request; one goroutine at
// a time may use it. Nothing of the request is kept behind an inspection.
type Input struct {
	Shard   int            // number of the event loop
	Request *http1.Request // as it came, whose Path is what is routed and forwarded
	Method  []byte         // that the request is served by: what X-HTTP-Method-Override says, if it does
	Source  netip.AddrPort // of the connection

	// Of a request with a body, once that was asked for: the first ACL.BodyBytes
	// of it, and whether there is more.
	HaveBody bool
	Body     []byte
	BodyCut  bool

	// MayBlock says that the goroutine is no event loop.
	MayBlock bool

	now     int64
	source  netip.Addr // of Source, without zone, IPv4 as such
	context context.Context
	verdict Verdict
	failed  bool // the engine of managed rules did
	work    working
}

// working is the memory of inspections, which grows to what they need.
type working struct {
	request uint32 // number of the request, to tell what is known of an earlier one
	buf     []byte // transformed text
	values  [][]byte
	key     []byte // of a rate
	frames  [maxJSONDepth + 1]jsonFrame

	// What is known of the request, by the numbers of the ACL.
	views       []viewState
	sets        []setState
	forwardings []forwarding
	candidates  []uint64 // of the literals of views
}

// begin makes ready for a request.
func (in *Input) begin(a *ACL, now int64) {
	w := &in.work
	w.request++
	if w.request == 0 { // after 4 billion of them
		clear(w.views)
		clear(w.sets)
		clear(w.forwardings)
		w.request = 1
	}
	w.buf, w.values = w.buf[:0], w.values[:0]
	w.views, w.sets, w.forwardings = atLeast(w.views, len(a.views)), atLeast(w.sets, len(a.sets)), atLeast(w.forwardings, len(a.forwarders))
	w.candidates = atLeast(w.candidates, a.candidateWords)
	in.now, in.failed = now, false
	in.source = in.Source.Addr().Unmap().WithZone("")
}

func atLeast[T any](s []T, n int) []T {
	if len(s) < n {
		s = append(s, make([]T, n-len(s))...)
	}
	return s
}

// shard returns which of n shards is the goroutine's: those beside the event
// loops share the last.
func (in *Input) shard(n int) int {
	if in.MayBlock {
		return n - 1
	}
	return in.Shard
}
