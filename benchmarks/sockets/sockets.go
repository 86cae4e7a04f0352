// Package sockets holds WebSocket servers in Go, each in a process of its own:
// what Tidegate is compared with, written as the examples of their libraries are,
// and the backend behind gateways that pass WebSockets through. Every one sends
// messages back as they come, and answers a plain GET with 200.
package sockets

import (
	"encoding/json"
	"fmt"
)

// Command is the subcommand of the bench binary that serves: it takes an [Order]
// as JSON, and ends when it is told to by a signal.
const Command = "serve-websockets"

// Names of the servers, under which samples speak of them.
const (
	FastHTTP = "fasthttp-websocket" // a goroutine that reads per connection
	Nbio     = "nbio"               // event loops, and goroutines that run handlers
	Gobwas   = "gobwas"             // one event loop, frames by gobwas/ws
)

// Modules are where the servers' WebSockets come from, by name.
var Modules = map[string]string{
	FastHTTP: "github.com/fasthttp/websocket",
	Nbio:     "github.com/lesismal/nbio",
	Gobwas:   "github.com/gobwas/ws",
}

// Order says what to serve.
type Order struct {
	Name    string // of the server
	Address string // host:port to listen on
	Writers int    // goroutines that share out the connections of a push, which FastHTTP alone has
}

// PushPath is where FastHTTP takes messages for all of its connections, as the
// bodies of POSTs. A POST is answered when its message has its place in the queue.
const PushPath = "/push"

// ServeCommand serves what the order, as JSON, says. It returns with an error only.
func ServeCommand(order string) error {
	var o Order
	if err := json.Unmarshal([]byte(order), &o); err != nil {
		return fmt.Errorf("sockets: order: %w", err)
	}
	var err error
	switch o.Name {
	case FastHTTP:
		err = serveFastHTTP(o)
	case Nbio:
		err = serveNbio(o)
	case Gobwas:
		err = serveGobwas(o)
	default:
		err = fmt.Errorf("no server %q", o.Name)
	}
	return fmt.Errorf("sockets: %w", err)
}
