// Package pipeline takes a request from its head to the last byte of its
// answer: route, integrate, answer, account for it. Serve reads as these steps,
// straight down; every request leaves through finish, and every answer that the
// gateway makes itself is a Reason of the one table in reject.go.
//
// All of it runs to completion on the event loop that read the request.
package pipeline
