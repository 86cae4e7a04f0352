package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/benchmarks/firewall"
	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// waf compares two APIs of one process of which a web ACL protects the one, and the
// Core Rule Set in package waf with the engine alone, within this process.
func waf(ctx context.Context, b *bench) ([]report.Figure, error) {
	figures, err := hundredRules(ctx, b)
	if err != nil || b.selfCheck {
		return figures, err
	}
	more, err := coreRuleSet(ctx, b)
	return append(figures, more...), err
}

func hundredRules(ctx context.Context, b *bench) ([]report.Figure, error) {
	const without, path = "without", "/" + rivals.Stage + "/small?page=2&limit=50&sort=-created_at&filter=price"
	site := standard(b.backend)
	protected := site.APIs[0]
	acl := firewall.HundredRules()
	protected.Name, protected.WebACL = "protected", &acl
	site.APIs = append(site.APIs, protected)
	srv, err := b.start(ctx, b.tidegate, site, "/"+rivals.Stage+"/small")
	if err != nil {
		return nil, err
	}
	if !b.selfCheck {
		if err := refuses(ctx, srv.URL+path+"&"+firewall.Probe, srv.Hosts[1]); err != nil {
			return nil, fmt.Errorf("the web ACL: %w", err)
		}
	}
	err = b.compareCPU(ctx, []turn{
		{b.tidegate.Name, srv, load.Wrk{URL: srv.URL + path, Lua: browser(srv.Hosts[1])}},
		{without, srv, load.Wrk{URL: srv.URL + path, Lua: browser(srv.Hosts[0])}},
	})
	if err != nil {
		return nil, err
	}
	f, err := report.Ratio("rules_cpu_vs_without", b.samples, cpuMeasure, b.tidegate.Name, without)
	return []report.Figure{f}, err
}

// browser is the Lua that sends what a browser sends to the API at that host.
func browser(host string) string {
	return headers(host, "") + `wrk.headers['User-Agent'] = 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'
wrk.headers['Accept'] = 'application/json'
wrk.headers['Accept-Language'] = 'en-US,en;q=0.5'
wrk.headers['Referer'] = 'https://shop.example.com/orders'
wrk.headers['Cookie'] = 'session=9f86d081884c7d65; theme=dark'
`
}

const inspectMeasure = "cpu_us_per_inspection"

func inspectorName(i firewall.Inspector) string { return i.Name }

func coreRuleSet(ctx context.Context, b *bench) ([]report.Figure, error) {
	inspectors, err := firewall.Inspectors()
	if err != nil {
		return nil, err
	}
	measure := func(d time.Duration) func(int, firewall.Inspector) (map[string]float64, error) {
		return func(_ int, i firewall.Inspector) (map[string]float64, error) {
			nanos, err := i.CPU(d)
			return map[string]float64{inspectMeasure: nanos / 1e3}, err
		}
	}
	for _, i := range inspectors { // warm up
		if _, err := measure(warmUp/5)(0, i); err != nil {
			return nil, err
		}
	}
	if err := interleave(ctx, b, inspectors, inspectorName, measure(b.window/4)); err != nil {
		return nil, err
	}
	ours, err := report.Ratio("crs_vs_coraza", b.samples, inspectMeasure, firewall.Tidegate, firewall.Coraza)
	if err != nil {
		return nil, err
	}
	defaults, err := report.Ratio("crs_vs_coraza_unfiltered", b.samples, inspectMeasure, firewall.Tidegate, firewall.CorazaUnfiltered)
	return []report.Figure{ours, defaults}, err
}
