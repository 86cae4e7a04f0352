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
	Method  []byte         // that the request is served by, if X-HTTP-Method-Override names another; else nil
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
	toolong bool // what is next would keep an event loop too long
	work    working
}

// working is the memory of inspections, which grows to what they need.
type working struct {
	request uint32 // number of the request, to tell what is known of an earlier one
	effort  int    // bytes that regular expressions have read
	buf     []byte // transformed text
	values  [][]byte
	key     []byte // of a rate
	frames  [maxJSONDepth + 1]jsonFrame

	// What is known of the request, by the numbers of the ACL.
	views       []viewState
	sets        bitset // that hold the source, of the request setsOf
	setsOf      uint32
	forwardings []forwarding
	candidates  []uint64 // of the literals of views

	memberships []membership
}

// begin makes ready for a request.
func (in *Input) begin(a *ACL, now int64) {
	w := &in.work
	w.request++
	if w.request == 0 { // after 4 billion of them
		clear(w.views)
		w.setsOf = 0
		clear(w.forwardings)
		w.request = 1
	}
	w.buf, w.values = w.buf[:0], w.values[:0]
	w.views, w.forwardings = atLeast(w.views, len(a.views)), atLeast(w.forwardings, len(a.forwarders))
	w.candidates = atLeast(w.candidates, a.candidateWords)
	w.effort = 0
	in.now, in.failed, in.toolong = now, false, false
	in.source = in.Source.Addr().Unmap().WithZone("")
}

func atLeast[T any](s []T, n int) []T {
	if len(s) < n {
		s = append(s, make([]T, n-len(s))...)
	}
	return s
}

// method is the one that the request is served by, so that no rule is evaded by
// naming another in the request line.
func (in *Input) method() []byte {
	if in.Method != nil {
		return in.Method
	}
	return in.Request.Method
}

// maxEffort is how many bytes regular expressions may read on an event loop for
// one request: a millisecond or so. Benign requests are far from it, since what an
// expression needs is looked for before.
const maxEffort = 8 << 10

// spend accounts for bytes that a regular expression is about to read. It is false
// if that is better done on a goroutine, which begins anew with the rule.
func (in *Input) spend(n int) bool {
	in.work.effort += n
	if in.work.effort > maxEffort && !in.MayBlock {
		in.toolong = true
	}
	return !in.toolong
}

// shard returns which of n shards is the goroutine's: those beside the event
// loops share the last.
func (in *Input) shard(n int) int {
	if in.MayBlock {
		return n - 1
	}
	return in.Shard
}
