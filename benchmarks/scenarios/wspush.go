package scenarios

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	pushMeasure  = "messages_per_second"
	pushClients  = 10_000
	pushRounds   = 10 // that are pushed before any has arrived
	pushCallers  = 32 // of calls for one client each
	oneByOneName = "tidegate, call per client"
	alone        = ", one message" // in a name: nothing else is pushed before it has arrived
)

// pushing is a server, its clients, and how it is told to push.
type pushing struct {
	name     string
	server   *rivals.Server
	clients  *load.Clients
	messages int  // for each client
	oneByOne bool // by a call for each client
}

func wsPush(ctx context.Context, b *bench) ([]report.Figure, error) {
	if err := raiseDescriptors(); err != nil {
		return nil, err
	}
	return b.pushToAll(ctx, pushClients)
}

// pushToAll has all servers push to all of their clients. Each may use all cores.
// In a self check the plain server takes Tidegate's place, and has no ids for
// calls per client.
func (b *bench) pushToAll(ctx context.Context, clients int) ([]report.Figure, error) {
	cores := runtime.NumCPU()
	plain, shared := rivals.FastHTTPWebSocket(1), rivals.FastHTTPWebSocket(cores)
	shared.Name = fmt.Sprintf("%s, %d writers", shared.Name, cores)
	if b.selfCheck {
		b.tidegate = plain.As(b.tidegate.Name)
	}
	site := socketSite(b.backend)
	site.Workers = cores
	var turns []pushing
	for _, r := range []rivals.Rival{b.tidegate, plain, shared} {
		srv, err := b.start(ctx, r, site, "/"+rivals.Stage+"/mock")
		if err != nil {
			return nil, err
		}
		all, err := crowd(srv, clients, rivals.SocketWhoAmI).Start(ctx)
		if err != nil {
			return nil, err
		}
		defer all.Stop()
		turns = append(turns, pushing{r.Name, srv, all, pushRounds, false}, pushing{r.Name + alone, srv, all, 1, false})
		if len(all.IDs) > 0 {
			turns = append(turns, pushing{oneByOneName, srv, all, 1, true})
		}
	}
	for _, t := range turns { // to warm up
		if _, err := t.measure(ctx, clients); err != nil {
			return nil, err
		}
	}
	err := interleave(ctx, b, turns, func(t pushing) string { return t.name },
		func(_ int, t pushing) (map[string]float64, error) { return t.measure(ctx, clients) })
	if err != nil {
		return nil, err
	}
	return b.pushFigures(plain.Name, shared.Name)
}

// measure has each client sent messages.
func (t pushing) measure(ctx context.Context, clients int) (map[string]float64, error) {
	var calls []func() error
	if t.oneByOne {
		for _, id := range t.clients.IDs {
			calls = append(calls, func() error { return t.server.Pusher.ToOne(ctx, id, load.Stamp(messageBytes)) })
		}
	} else {
		for range t.messages {
			calls = append(calls, func() error { return t.server.Pusher.ToAll(ctx, load.Stamp(messageBytes)) })
		}
	}
	if err := t.clients.Expect(clients * t.messages); err != nil {
		return nil, err
	}
	var callers errgroup.Group
	callers.SetLimit(pushCallers)
	for _, call := range calls {
		callers.Go(call)
	}
	if err := callers.Wait(); err != nil {
		return nil, err
	}
	s, err := t.clients.Pushed()
	if err != nil {
		return nil, err
	}
	return map[string]float64{pushMeasure: s.MessagesPerSecond(), "p50_us": s.P50, "p99_us": s.P99}, nil
}

// pushFigures compare Tidegate with the better of the two plain servers.
func (b *bench) pushFigures(plain, shared string) ([]report.Figure, error) {
	var figures []report.Figure
	for _, c := range []struct {
		name, measure, kind string
		most                bool // the better rival is that with more
	}{
		{"messages_per_s_vs_fasthttp_websocket", pushMeasure, "", true},
		{"p99_vs_fasthttp_websocket", "p99_us", "", false},
		{"messages_per_s_alone_vs_fasthttp_websocket", pushMeasure, alone, true},
		{"p99_alone_vs_fasthttp_websocket", "p99_us", alone, false},
	} {
		one, err := report.Ratio(c.name, b.samples, c.measure, b.tidegate.Name+c.kind, plain+c.kind)
		if err != nil {
			return nil, err
		}
		other, err := report.Ratio(c.name, b.samples, c.measure, b.tidegate.Name+c.kind, shared+c.kind)
		if err != nil {
			return nil, err
		}
		if other.Value < one.Value == c.most {
			one = other
		}
		figures = append(figures, one)
	}
	if len(report.Values(b.samples, oneByOneName, pushMeasure)) > 0 {
		figures = append(figures, report.Median("messages_per_s_by_call_per_client", b.samples, pushMeasure, oneByOneName))
	}
	return figures, nil
}
