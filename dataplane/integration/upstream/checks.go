package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

// Check says how the targets of a group are asked whether they are well, besides
// what their requests tell. The zero Check is none.
type Check struct {
	Path      string // and query
	Interval  time.Duration
	Timeout   time.Duration // of each
	Healthy   int           // so many in a row bring a target back
	Unhealthy int           // and so many take it out
}

// startChecks begins the checks of a group that has some.
func (g *Group) startChecks() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.Check == (Check{}) || g.stopChecks != nil || g.retired {
		return
	}
	var ctx context.Context
	ctx, g.stopChecks = context.WithCancel(g.store.ctx)
	go g.check(ctx)
}

// check asks all targets again and again.
func (g *Group) check(ctx context.Context) {
	ticker := time.NewTicker(g.Check.Interval)
	defer ticker.Stop()
	for {
		g.checkAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// checkAll asks every target once, and judges.
func (g *Group) checkAll(ctx context.Context) {
	g.use()
	targets := g.known()
	if targets == nil {
		g.lookup()
		targets = g.known()
	}
	results := make([]string, len(targets))
	var asked sync.WaitGroup
	for i, t := range targets {
		asked.Go(func() {
			if err := g.ask(ctx, t); err != nil {
				results[i] = err.Error()
			}
		})
	}
	asked.Wait()
	if ctx.Err() != nil {
		return
	}
	g.mu.Lock()
	now := loop.Now()
	for i, t := range targets {
		if h := g.healthOf(t); h != nil {
			h.Checked(now, results[i], g.Check.Healthy, g.Check.Unhealthy)
		}
	}
	g.look(now)
	quiet := g.health.Quiet()
	g.mu.Unlock()
	if !quiet { // the judge ends ejections
		g.alarm()
	}
}

// ask asks a target on a connection of its own. Nothing is wrong with a target that
// answers from 200 to 399.
func (g *Group) ask(ctx context.Context, t *Target) error {
	ctx, cancel := context.WithTimeout(ctx, g.Check.Timeout)
	defer cancel()
	url, standard := "http://", 80
	if g.TLS {
		url, standard = "https://", 443
	}
	host := g.Host
	if net.ParseIP(host) != nil || int(g.Port) != standard {
		host = net.JoinHostPort(g.Host, strconv.Itoa(int(g.Port)))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+host+g.Check.Path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "Tidegate-HealthCheck")
	var config *tls.Config
	if g.tls != nil {
		config = g.tls.Clone()
	}
	answer, err := (&http.Transport{
		DisableKeepAlives: true, TLSClientConfig: config, Proxy: nil,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", t.Addr.String())
		},
	}).RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return nil
}
