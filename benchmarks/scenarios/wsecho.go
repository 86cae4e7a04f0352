package scenarios

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/procstat"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	messageMeasure = "cpu_us_per_message"
	messageBytes   = 128
)

// through is a gateway and the clients of a WebSocket that it passes through.
type through struct {
	server  *rivals.Server
	clients *load.Clients
}

// wsEcho compares what it costs to pass a message to a backend and its echo back.
func wsEcho(ctx context.Context, b *bench) ([]report.Figure, error) {
	backend, err := b.start(ctx, rivals.EchoBackend, rivals.Site{}, "/")
	if err != nil {
		return nil, err
	}
	const path = "/socket"
	site := rivals.Site{Backend: backend.Address(), APIs: []rivals.API{{Name: "bench", Routes: []rivals.Route{
		{Method: "GET", Path: "/small", Target: "/small"},
		{Method: "GET", Path: path, Target: path, WebSocket: true},
	}}}}
	var turns []through
	for _, r := range []rivals.Rival{b.tidegate, rivals.Nginx, rivals.HAProxy} {
		srv, err := b.start(ctx, r, site, "/"+rivals.Stage+"/small")
		if err != nil {
			return nil, err
		}
		clients, err := load.Crowd{
			Socket: load.Socket{Address: srv.Address(), Path: "/" + rivals.Stage + path}, Clients: connections,
		}.Start(ctx)
		if err != nil {
			return nil, err
		}
		defer clients.Stop()
		if _, err := clients.Echo(messageBytes, b.window); err != nil {
			return nil, err
		}
		turns = append(turns, through{srv, clients})
	}
	err = interleave(ctx, b, turns, func(t through) string { return t.server.Name },
		func(_ int, t through) (map[string]float64, error) { return t.echo(b.window) })
	if err != nil {
		return nil, err
	}
	versusNginx, err := report.Ratio("cpu_vs_nginx", b.samples, messageMeasure, b.tidegate.Name, rivals.NginxName)
	if err != nil {
		return nil, err
	}
	versusHAProxy, err := report.Ratio("cpu_vs_haproxy", b.samples, messageMeasure, b.tidegate.Name, rivals.HAProxyName)
	return []report.Figure{versusNginx, versusHAProxy}, err
}

// echo measures a turn.
func (t through) echo(window time.Duration) (map[string]float64, error) {
	pids, err := t.server.PIDs()
	if err != nil {
		return nil, err
	}
	before, err := procstat.CPU(pids)
	if err != nil {
		return nil, err
	}
	s, err := t.clients.Echo(messageBytes, window)
	if err != nil {
		return nil, err
	}
	after, err := procstat.CPU(pids)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		messageMeasure:        float64((after - before).Microseconds()) / float64(s.Messages),
		"messages_per_second": float64(s.Messages) / s.Micros * 1e6,
		"p50_us":              s.P50,
		"p99_us":              s.P99,
	}, nil
}
