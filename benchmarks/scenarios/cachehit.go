package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// cachedKeys is how many different answers are asked for when there is more
// than one: fewer than a warm-up has requests.
const cachedKeys = 1_000

// cacheHit compares hits of one answer of 512 bytes, and of 1,000 that are
// told apart by a path parameter.
func cacheHit(ctx context.Context, b *bench) ([]report.Figure, error) {
	const many = "-1k-keys"
	contestants, err := b.startCaches(ctx, b.tidegate, rivals.Nginx, rivals.Varnish)
	if err != nil {
		return nil, err
	}
	var turns []turn
	for _, srv := range contestants {
		turns = append(turns, turn{srv.Name, srv, load.Wrk{URL: srv.URL + "/" + rivals.Stage + "/512"}})
	}
	for _, srv := range contestants {
		turns = append(turns, turn{srv.Name + many, srv, load.Wrk{URL: srv.URL, Lua: everyKey()}})
	}
	if err := b.compareHits(ctx, turns); err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, f := range []struct{ figure, one, other string }{
		{"cpu_vs_nginx", b.tidegate.Name, rivals.NginxName},
		{"cpu_vs_varnish", b.tidegate.Name, rivals.VarnishName},
		{"cpu_vs_nginx_1k_keys", b.tidegate.Name + many, rivals.NginxName + many},
		{"cpu_vs_varnish_1k_keys", b.tidegate.Name + many, rivals.VarnishName + many},
	} {
		ratio, err := report.Ratio(f.figure, b.samples, cpuMeasure, f.one, f.other)
		if err != nil {
			return nil, err
		}
		figures = append(figures, ratio)
	}
	return figures, nil
}

// cacheHit10k is cacheHit with one answer of 10 KiB.
func cacheHit10k(ctx context.Context, b *bench) ([]report.Figure, error) {
	contestants, err := b.startCaches(ctx, b.tidegate, rivals.Nginx, rivals.Varnish)
	if err != nil {
		return nil, err
	}
	var turns []turn
	for _, srv := range contestants {
		turns = append(turns, turn{srv.Name, srv, load.Wrk{URL: srv.URL + "/" + rivals.Stage + "/10k"}})
	}
	if err := b.compareHits(ctx, turns); err != nil {
		return nil, err
	}
	nginx, err := report.Ratio("cpu_vs_nginx", b.samples, cpuMeasure, b.tidegate.Name, rivals.NginxName)
	if err != nil {
		return nil, err
	}
	varnish, err := report.Ratio("cpu_vs_varnish", b.samples, cpuMeasure, b.tidegate.Name, rivals.VarnishName)
	return []report.Figure{nginx, varnish}, err
}

// startCaches starts rivals that cache what they proxy.
func (b *bench) startCaches(ctx context.Context, rs ...rivals.Rival) ([]*rivals.Server, error) {
	site := rivals.Site{Backend: b.backend.Address(), APIs: []rivals.API{{Name: "bench", Cached: true, Routes: []rivals.Route{
		{Method: "GET", Path: "/512", Target: "/512"},
		{Method: "GET", Path: "/512/{id}", Target: "/512/{id}"},
		{Method: "GET", Path: "/10k", Target: "/10k"},
	}}}}
	var started []*rivals.Server
	for _, r := range rs {
		srv, err := b.start(ctx, r, site, "/"+rivals.Stage+"/512")
		if err != nil {
			return nil, err
		}
		started = append(started, srv)
	}
	return started, nil
}

// everyKey is the Lua that asks for one answer after the other, so that any
// cachedKeys requests are for all of them.
func everyKey() string {
	return strings.NewReplacer("COUNT", fmt.Sprint(cachedKeys), "STAGE", rivals.Stage).Replace(`
local requests, at = {}, 0
init = function(args)
  for i = 1, COUNT do
    requests[i] = wrk.format("GET", string.format("/STAGE/512/%06d", i))
  end
end
request = function()
  at = at % COUNT + 1
  return requests[at]
end
`)
}

// compareHits is compareCPU of requests that no longer reach the backend once
// the servers are warm.
func (b *bench) compareHits(ctx context.Context, turns []turn) error {
	if err := b.warm(ctx, turns); err != nil {
		return err
	}
	return interleave(ctx, b, turns, turnName, func(_ int, t turn) (map[string]float64, error) {
		before, err := rivals.Requests(ctx, b.backend)
		if err != nil {
			return nil, err
		}
		values, err := t.measure(ctx)
		if err != nil {
			return nil, err
		}
		after, err := rivals.Requests(ctx, b.backend)
		if err != nil {
			return nil, err
		}
		if missed := after - before - 1; missed != 0 { // but for the second question
			return nil, fmt.Errorf("%d requests reached the backend: not all were hits", missed)
		}
		values["hits_per_second"] = values[throughputMeasure]
		delete(values, throughputMeasure)
		return values, nil
	})
}
