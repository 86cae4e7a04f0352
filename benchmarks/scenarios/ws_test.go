package scenarios

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/benchmarks/sockets"
	"github.com/tidegate/tidegate/internal/need"
)

// checking is a self check of a scenario that starts servers.
func checking(t *testing.T, rounds int, window time.Duration) *bench {
	need.Tool(t, "nginx")
	b := &bench{
		dir: t.TempDir(), rounds: rounds, window: window, log: io.Discard, selfCheck: true,
		tidegate: rivals.Nginx.As(rivals.TidegateName),
	}
	t.Cleanup(b.stopAll)
	var err error
	if b.backend, err = b.start(t.Context(), rivals.Backend, rivals.Site{}, "/"); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestIdleWebSockets(t *testing.T) {
	b := checking(t, 1, 10*time.Millisecond)
	figures, err := b.idleSockets(t.Context(), 200)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "ws-idle", figures)
	for _, s := range b.samples {
		if sockets.Modules[s.Rival] == "" && s.Rival != rivals.TidegateName {
			t.Errorf("the module of %s is not known", s.Rival)
		}
	}
	plain, lean := report.Values(b.samples, sockets.FastHTTP, memoryMeasure), report.Values(b.samples, sockets.Gobwas, memoryMeasure)
	if plain[0] < 2*lean[0] {
		t.Errorf("a WebSocket takes %v bytes with a goroutine, and %v without", plain[0], lean[0])
	}
}

func TestEchoThroughGateways(t *testing.T) {
	need.Tool(t, "haproxy")
	b := checking(t, 2, 100*time.Millisecond)
	figures, err := wsEcho(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "ws-echo", figures)
	for _, s := range b.samples {
		if s.Values["messages_per_second"] < 100 || s.Values["p50_us"] <= 0 {
			t.Errorf("%s: %v", s.Rival, s.Values)
		}
	}
}

func TestPushes(t *testing.T) {
	b := checking(t, 2, 0)
	figures, err := b.pushToAll(t.Context(), 50)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "ws-push", figures)
	if want := 2 * 6; len(b.samples) != want {
		t.Errorf("%d samples, want %d", len(b.samples), want)
	}
}

// The better rival is the one that counts.
func TestPushFigures(t *testing.T) {
	b := &bench{tidegate: rivals.Rival{Name: "t"}}
	for rival, values := range map[string][2]float64{"t": {100, 10}, "plain": {50, 20}, "shared": {80, 40}} {
		for _, kind := range []string{"", alone} {
			b.samples = append(b.samples, report.Sample{Rival: rival + kind, Values: map[string]float64{pushMeasure: values[0], "p99_us": values[1]}})
		}
	}
	figures, err := b.pushFigures("plain", "shared")
	if err != nil || len(figures) != 4 || figures[0].Value != 1.25 || figures[1].Value != 0.5 {
		t.Errorf("%+v, %v", figures, err)
	}
}

func TestConnectsBesideRequests(t *testing.T) {
	b := checking(t, 1, 0)
	srv, err := b.start(t.Context(), rivals.FastHTTPWebSocket(1), rivals.Site{}, "/")
	if err != nil {
		t.Fatal(err)
	}
	clients, err := crowd(srv, 0, "").Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Stop()
	for range 2 {
		values, err := besideConnects(t.Context(), clients, load.OpenLoop{
			Address: srv.Address(), Path: "/", Connections: 2, Rate: 200, Duration: 100 * time.Millisecond,
		})
		if err != nil || values["p99_us"] <= 0 || values["connect_p99_us"] <= 0 {
			t.Errorf("%v, %v", values, err)
		}
	}
	if open, err := clients.Open(); open != 100 || err != nil {
		t.Errorf("%d are open, %v", open, err)
	}
}
