package scenarios

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	deployRoutes = 10_000
	deployRate   = 2_000 // requests per second while deploying
)

func deploy(ctx context.Context, b *bench) ([]report.Figure, error) {
	var servers []*rivals.Server
	for _, r := range []rivals.Rival{b.tidegate, rivals.Nginx} {
		site := rivals.Site{Backend: b.backend.Address(), APIs: []rivals.API{revision(0)}}
		srv, err := b.start(ctx, r, site, routePath(0))
		if err != nil {
			return nil, err
		}
		servers = append(servers, srv)
	}
	err := interleave(ctx, b, servers, serverName, func(round int, s *rivals.Server) (map[string]float64, error) {
		return b.swap(ctx, s, round+1)
	})
	if err != nil {
		return nil, err
	}
	ratio, err := report.Ratio("swap_vs_nginx_reload", b.samples, "swap_ms", b.tidegate.Name, rivals.NginxName)
	return []report.Figure{ratio, report.Sum("failed", b.samples, "failed", b.tidegate.Name)}, err
}

// revision makes the API whose routes all lead to that revision at the backend.
func revision(n int) rivals.API {
	api := rivals.API{Name: "bench", Routes: make([]rivals.Route, deployRoutes)}
	for i := range api.Routes {
		api.Routes[i] = rivals.Route{Method: "GET", Path: fmt.Sprintf("/r/%05d", i), Target: fmt.Sprintf("/revision/%d/%05d", n, i)}
	}
	return api
}

func routePath(i int) string { return fmt.Sprintf("/%s/r/%05d", rivals.Stage, i) }

// swap brings the server to revision n under load. The definition is handed
// over first, so swap_ms is what a deployment of it takes: nginx parses its
// file within that time, Tidegate has parsed the document in put_ms.
func (b *bench) swap(ctx context.Context, s *rivals.Server, n int) (map[string]float64, error) {
	l, err := load.OpenLoop{
		Address: s.Address(), Path: routePath(deployRoutes / 2), Connections: 16,
		Rate: deployRate, Duration: time.Minute,
	}.Start(ctx)
	if err != nil {
		return nil, err
	}
	putting, swapping, err := b.republish(ctx, s, n)
	summary, loadErr := l.Stop()
	if err != nil {
		return nil, err
	}
	if loadErr != nil {
		return nil, loadErr
	}
	if summary.Failed > 0 {
		b.logf("%s: %d requests failed, the first one: %s", s.Name, summary.Failed, summary.Error)
	}
	return map[string]float64{
		"swap_ms": float64(swapping.Microseconds()) / 1e3, "put_ms": float64(putting.Microseconds()) / 1e3,
		"failed": float64(summary.Failed), "load_p99_us": summary.P99, "load_max_us": summary.Max,
	}, nil
}

// republish hands revision n over, publishes it, and watches for it on new
// connections. Half the window of load precedes, and half follows.
func (b *bench) republish(ctx context.Context, s *rivals.Server, n int) (putting, swapping time.Duration, err error) {
	if err := pause(ctx, b.window/2); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := s.Republisher.Put(ctx, revision(n)); err != nil {
		return 0, 0, err
	}
	putting = time.Since(began)

	published := make(chan error, 1)
	began = time.Now()
	go func() { published <- s.Republisher.Publish(ctx) }()
	shown, watchErr := watch(ctx, s.URL+routePath(deployRoutes-1), fmt.Sprintf("revision %d\n", n))
	if err := <-published; err != nil {
		return 0, 0, err
	}
	if watchErr != nil {
		return 0, 0, watchErr
	}
	return putting, shown.Sub(began), pause(ctx, b.window/2)
}

// watch asks over a new connection every millisecond until the answer is want,
// and returns when that answer was there.
func watch(ctx context.Context, url, want string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var last string
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return time.Time{}, err
		}
		// A failed probe is asked again: the load counts failures.
		if resp, err := client.Do(req); err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if last = string(body); last == want {
				return time.Now(), nil
			}
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return time.Time{}, fmt.Errorf("%s never answered %q; its last answer was %.100q: %w", url, strings.TrimSpace(want), last, err)
		}
	}
}
