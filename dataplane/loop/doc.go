// Package loop runs the event loops of the data plane: one per core, each a
// netpoll poller whose callbacks run to completion on the poller's goroutine.
//
// netpoll's own connections buffer without bound, own 3 KiB while idle and
// block when a socket is full, so this package takes netpoll's poller and file
// descriptor operators and leaves its connections. A Socket is a descriptor, a
// few words, and no buffer.
//
// Everything that belongs to a Loop is touched on its goroutine alone; Post is
// the one door in from outside.
package loop
