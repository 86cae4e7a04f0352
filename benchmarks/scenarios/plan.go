package scenarios

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// planKey is the API key of the scenario, as long as those that are generated.
const planKey = "benchmarksbenchmarksbenchmarks0123456789"

// plan compares two APIs of one process that differ in their limits only. The
// second of the bare ones gets the key as well, which it has no use for: what
// remains between that and the first is the limits' alone.
func plan(ctx context.Context, b *bench) ([]report.Figure, error) {
	const bare, bareWithKey, path = "bare", "bare-with-key", "/" + rivals.Stage + "/small"
	srv, err := b.start(ctx, b.tidegate, planSite(b.backend), path)
	if err != nil {
		return nil, err
	}
	if !b.selfCheck {
		if err := refuses(ctx, srv.URL+path, srv.Hosts[1]); err != nil {
			return nil, err
		}
	}
	err = b.compareCPU(ctx, []turn{
		{b.tidegate.Name, srv, load.Wrk{URL: srv.URL + path, Lua: headers(srv.Hosts[1], planKey)}},
		{bare, srv, load.Wrk{URL: srv.URL + path, Lua: headers(srv.Hosts[0], "")}},
		{bareWithKey, srv, load.Wrk{URL: srv.URL + path, Lua: headers(srv.Hosts[0], planKey)}},
	})
	if err != nil {
		return nil, err
	}
	whole, err := report.Ratio("cpu_vs_bare", b.samples, cpuMeasure, b.tidegate.Name, bare)
	if err != nil {
		return nil, err
	}
	limits, err := report.Ratio("cpu_vs_bare_with_key", b.samples, cpuMeasure, b.tidegate.Name, bareWithKey)
	return []report.Figure{whole, limits}, err
}

// planSite is the same API twice, first without a key.
func planSite(backend *rivals.Server) rivals.Site {
	site := standard(backend)
	limited := site.APIs[0]
	limited.Name, limited.Key = "limited", planKey
	site.APIs = append(site.APIs, limited)
	return site
}

// refuses is an error unless the API at that host refuses requests without a
// key: nothing else would show that its limits are in force.
func refuses(ctx context.Context, url, host string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		return fmt.Errorf("a request without the API key is answered with status %d, not 403: the plan is not in force", resp.StatusCode)
	}
	return nil
}

// headers is the Lua that sends GETs to the API at that host, with a key if
// there is one.
func headers(host, key string) string {
	lua := fmt.Sprintf("wrk.headers['Host'] = '%s'\n", host)
	if key != "" {
		lua += fmt.Sprintf("wrk.headers['X-Api-Key'] = '%s'\n", key)
	}
	return lua
}
