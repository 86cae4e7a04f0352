// Package overload says how near the host is to what it can bear, and what it
// does about that.
//
// A Monitor samples four signals off the event loops: memory, the delay of
// events, descriptors, and requests in flight. Each gives a level from 0, at its
// start threshold, to 1, at its full one. What follows is published in one word
// that every event loop may load for next to nothing:
//
//	memory, descriptors:         shorter timeouts -> no keep-alive -> no new connections
//	memory, descriptors, delay:  503 for low priorities -> 503 for normal ones
//
// Requests in flight are bounded by each event loop itself, exactly and at once:
// see Allowance.
package overload
