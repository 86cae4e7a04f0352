package front

import (
	"net/netip"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/overload"
)

// Config bounds what clients can take, in bytes and in time.
type Config struct {
	Limits           http1.Limits
	Body             int64 // bytes of a request body
	ConnectionBuffer int   // bytes waiting to be sent to one client
	LoopBuffer       int64 // bytes held for all connections of one loop
	Connections      int   // open at once on one loop

	FirstByte    time.Duration // from accept
	Head         time.Duration // from the first byte of a request
	Idle         time.Duration // between requests
	Send         time.Duration // without the client taking a byte
	TLSHandshake time.Duration
	BodyMinRate  int // bytes per second, after a grace of bodyGrace

	// Denied says at accept whether a source is kept out: a cleartext connection
	// of such a one gets an answer from its handler, any other a reset. nil keeps
	// nobody out. It is called on the event loops and must not block.
	Denied func(source netip.Addr) bool

	PerSource int                          // connections of one source open at once, on all loops; 0: any number
	Exempt    func(source netip.Addr) bool // from PerSource and Rest; nil: nobody

	Overload *overload.State // nil: the host never has too much to do
}

// Fixed times and sizes.
const (
	bodyGrace    = 5 * time.Second
	lingerTime   = 2 * time.Second
	acceptPause  = 100 * time.Millisecond
	inBuffer     = 4 << 10  // first size of a request's buffer
	keptBuffer   = 16 << 10 // largest buffer kept for the next request
	discardLimit = 64 << 10 // of a body that nobody wants, to save the connection
	acceptBatch  = 64
	hurryBatch   = 4096            // idle connections looked at in one tick
	leastTimeout = 1 * time.Second // of those that overload shortens
)
