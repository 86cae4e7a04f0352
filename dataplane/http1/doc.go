// Package http1 is a strict HTTP/1.0 and HTTP/1.1 codec over bytes already in
// memory: request and response heads, chunked bodies, and the pieces answers
// are written with. It does no I/O and allocates nothing in steady state.
//
// Strict means that whatever two readers could understand differently is
// refused rather than repaired: bare line feeds, folded lines, repeated or
// contradicting framing, ambiguous hosts and paths (RFC 9112 sections 2, 5, 6;
// RFC 9110 section 7). Bytes that were accepted are kept as they came, so that
// what was matched is what is forwarded.
package http1
