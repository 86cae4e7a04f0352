// Package front is the side of the gateway that clients see: it accepts
// connections, reads requests strictly, keeps time, and hands each request to a
// Handler on the event loop that read it.
//
// A connection that is idle is a Conn of some hundred bytes and a registration
// with the poller: no goroutine, no buffer. The bytes of a request live in an
// Exchange, which the connection borrows from its loop from the first byte of a
// request to the last byte of the answer.
//
//	accept -> idle -> head -> serving -> idle …
//	                   |         |
//	                 refuse -> lingering -> closed
package front
