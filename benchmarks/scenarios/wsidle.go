package scenarios

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/benchmarks/sockets"
)

const memoryMeasure = "bytes_per_conn"

// socketSite is a WebSocket API that takes every connection, beside a REST API
// that says when the gateway is there.
func socketSite(backend *rivals.Server) rivals.Site {
	site := standard(backend)
	site.WebSocketAPI = true
	return site
}

// crowd is so many WebSocket clients of a server. Tidegate has a host name for
// its WebSocket API.
func crowd(s *rivals.Server, clients int, hello string) load.Crowd {
	return load.Crowd{
		Socket:  load.Socket{Address: s.Address(), Host: s.Hosts[len(s.Hosts)-1], Path: "/" + rivals.Stage, Hello: hello},
		Clients: clients,
	}
}

func wsIdle(ctx context.Context, b *bench) ([]report.Figure, error) {
	return b.idleSockets(ctx, idleConnections)
}

// idleSockets starts every server anew in each round, as idle does. In a self
// check the server that Tidegate is compared with is there twice.
func (b *bench) idleSockets(ctx context.Context, clients int) ([]report.Figure, error) {
	if err := raiseDescriptors(); err != nil {
		return nil, err
	}
	plain := rivals.FastHTTPWebSocket(1)
	if b.selfCheck {
		b.tidegate = plain.As(b.tidegate.Name)
	}
	err := interleave(ctx, b, []rivals.Rival{b.tidegate, plain, rivals.Nbio, rivals.Gobwas}, func(r rivals.Rival) string { return r.Name },
		func(_ int, r rivals.Rival) (map[string]float64, error) { return b.restSockets(ctx, r, clients) })
	if err != nil {
		return nil, err
	}
	figures := []report.Figure{report.Median("bytes_per_conn", b.samples, memoryMeasure, b.tidegate.Name)}
	f, err := report.Ratio("vs_fasthttp_websocket", b.samples, memoryMeasure, b.tidegate.Name, plain.Name)
	figures = append(figures, f)
	for _, name := range []string{sockets.Nbio, sockets.Gobwas} {
		figures = append(figures, report.Median("bytes_per_conn_"+name, b.samples, memoryMeasure, name))
	}
	return figures, err
}

// restSockets measures a fresh server before its WebSockets, and after each has
// had a message answered and all have rested for the window.
func (b *bench) restSockets(ctx context.Context, r rivals.Rival, clients int) (map[string]float64, error) {
	srv, err := b.start(ctx, r, socketSite(b.backend), "/"+rivals.Stage+"/mock")
	if err != nil {
		return nil, err
	}
	defer srv.Stop()
	if err := pause(ctx, b.settle); err != nil {
		return nil, err
	}
	before, err := memory(srv)
	if err != nil {
		return nil, err
	}
	all, err := crowd(srv, clients, rivals.SocketHello).Start(ctx)
	if err != nil {
		return nil, err
	}
	defer all.Stop()
	if err := pause(ctx, b.window); err != nil {
		return nil, err
	}
	after, err := memory(srv)
	if err != nil {
		return nil, err
	}
	switch open, err := all.Open(); {
	case err != nil:
		return nil, err
	case open != clients:
		return nil, fmt.Errorf("%d of %d idle WebSockets were closed", clients-open, clients)
	}
	return map[string]float64{
		memoryMeasure:         float64(after-before) / float64(clients),
		"memory_before_bytes": float64(before),
		"memory_after_bytes":  float64(after),
	}, nil
}
