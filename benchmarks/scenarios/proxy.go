package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

func proxy(ctx context.Context, b *bench) ([]report.Figure, error) {
	return closedLoop(ctx, b, standard(b.backend), "/prod/small", "",
		versus{rivals.Nginx, "cpu_vs_nginx"}, versus{rivals.HAProxy, "cpu_vs_haproxy"}, versus{rivals.Caddy, "cpu_vs_caddy"})
}

func proxy10k(ctx context.Context, b *bench) ([]report.Figure, error) {
	return closedLoop(ctx, b, standard(b.backend), "/prod/10k", "", versus{rivals.Nginx, "cpu_vs_nginx"})
}

func proxyPost(ctx context.Context, b *bench) ([]report.Figure, error) {
	lua := fmt.Sprintf("wrk.method = 'POST'\nwrk.body = '%s'\nwrk.headers['Content-Type'] = 'text/plain'\n", strings.Repeat("x", 1024))
	return closedLoop(ctx, b, standard(b.backend), "/prod/post", lua, versus{rivals.Nginx, "cpu_vs_nginx"})
}

func proxyTLS(ctx context.Context, b *bench) ([]report.Figure, error) {
	site := standard(b.backend)
	var err error
	if site.Certificate, err = rivals.SelfSigned(b.dir); err != nil {
		return nil, err
	}
	return closedLoop(ctx, b, site, "/prod/small", "", versus{rivals.Nginx, "cpu_vs_nginx"})
}

func mock(ctx context.Context, b *bench) ([]report.Figure, error) {
	return closedLoop(ctx, b, standard(b.backend), "/prod/mock", "", versus{rivals.Nginx, "cpu_vs_nginx_return"})
}
