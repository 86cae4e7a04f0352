package rivals

import (
	"context"
	"encoding/json"
	"os"

	"github.com/tidegate/tidegate/benchmarks/sockets"
)

// WebSocket servers of package sockets, which answer on all paths.
var (
	Nbio   = goServer(sockets.Order{Name: sockets.Nbio})
	Gobwas = goServer(sockets.Order{Name: sockets.Gobwas})
)

// EchoBackend is the WebSocket server behind gateways that pass WebSockets
// through. It serves every path, and answers what is no wish for a WebSocket with
// 200.
var EchoBackend = Gobwas.As("echo backend")

// FastHTTPWebSocket is the plain server of fasthttp/websocket, in which so many
// goroutines share out the connections of a push.
func FastHTTPWebSocket(writers int) Rival {
	return goServer(sockets.Order{Name: sockets.FastHTTP, Writers: writers})
}

// goServer is a server of package sockets: this binary, running its subcommand.
func goServer(o sockets.Order) Rival {
	return Rival{Name: o.Name, start: func(_ context.Context, dir string, s Site) (*Server, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		if o.Address, err = s.freeAddress(); err != nil {
			return nil, err
		}
		order, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		proc, err := s.launch(dir, nil, self, sockets.Command, string(order))
		if err != nil {
			return nil, err
		}
		url := "http://" + o.Address
		srv := &Server{URL: url, Hosts: []string{o.Address}, proc: proc}
		if o.Name == sockets.FastHTTP {
			srv.Pusher = unsignedPusher(url + sockets.PushPath)
		}
		return srv, nil
	}}
}
