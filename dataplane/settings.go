package dataplane

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/pipeline"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
)

// The host file, as each part wants it.

func authHost(h *configs.Host) auth.Host {
	return auth.Host{Partition: "aws", Region: h.Region, AccountID: h.AccountID}
}

func deployHost(h *configs.Host) deploy.Host {
	out := deploy.Host{Host: authHost(h), GatewayDomain: h.GatewayDomain, MaxURL: h.Limits.URLBytes,
		Account: throttle.Rate{PerSecond: h.Throttle.RateLimit, Burst: h.Throttle.BurstLimit}, TrustedProxies: h.TrustedProxies}
	for _, d := range h.Domains {
		domain := deploy.Domain{Name: d.Name, MutualTLS: d.MutualTLS != nil}
		for _, m := range d.Mappings {
			domain.Mappings = append(domain.Mappings, deploy.Mapping(m))
		}
		out.Domains = append(out.Domains, domain)
	}
	return out
}

func pipelineSettings(h *configs.Host, workers int) pipeline.Settings {
	return pipeline.Settings{MaxBody: int64(h.Limits.BodyBytes), MaxResponse: int64(h.Limits.ResponseBytes), Allowed: allowances(h, workers)}
}

// loggedContext are the variables of callers in the access log, each once.
func loggedContext(h *configs.Host) []string {
	names := slices.Clone(pipeline.CallerVariables)
	for _, name := range h.AccessLog.Context {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (g *Gateway) frontConfig(h *configs.Host) front.Config {
	workers := len(g.loops)
	return front.Config{
		Limits:           http1.Limits{Target: h.Limits.URLBytes, Header: h.Limits.HeaderBytes, Count: h.Limits.HeaderCount},
		Body:             int64(h.Limits.BodyBytes),
		ConnectionBuffer: h.Limits.ConnectionBufferBytes,
		LoopBuffer:       int64(h.Limits.BufferBytes / workers),
		Connections:      (maxConnections(h) + workers - 1) / workers,
		FirstByte:        h.Timeouts.FirstByte,
		Head:             h.Timeouts.Header,
		Idle:             h.Timeouts.Idle,
		Send:             h.Timeouts.Send,
		TLSHandshake:     h.Timeouts.TLSHandshake,
		BodyMinRate:      h.Timeouts.BodyMinRate,
		Denied:           g.denied,
		PerSource:        h.Limits.ConnectionsPerSource,
		Exempt:           exempt(h),
		Overload:         &g.overload.State,
	}
}

func upstreamConfig(h *configs.Host) (upstream.Config, error) {
	u := &h.Upstream
	o, b := &u.Outliers, &u.Breaker
	c := upstream.Config{
		ConnectTimeout: u.ConnectTimeout, IdleTimeout: u.IdleTimeout, MaxConnections: u.MaxConnections, DNSRefresh: u.DNSRefresh,
		MaxInFlight: u.MaxInFlight, MaxWaiting: u.MaxWaiting, MaxBuffered: u.MaxBufferedBytes,
		FailureStatuses: u.FailureStatuses, RetryBudget: share(u.RetryPercent),
		Health: health.Rules{
			Failures: o.Failures, FailureRate: share(o.FailurePercent), MinRequests: o.MinRequests, Window: o.Window,
			Ejection: o.Ejection, MaxEjection: o.MaxEjection, MaxEjected: share(o.MaxPercent),
			Breaker: health.BreakerRules{
				FailureRate: share(b.FailurePercent), MinRequests: b.MinRequests, Single: b.SingleTargets, Open: b.Open, MaxOpen: b.MaxOpen,
			},
		},
	}
	var err error
	c.RootCAs, err = rootCAs("upstream.ca_file", h.Upstream.CAFile)
	return c, err
}

func share(percent int) float64 { return float64(percent) / 100 }

// rootCAs returns the system's authorities and those of a file, or nil for the
// system's alone if there is no file. field is where the host file names it.
func rootCAs(field, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s has no certificate in PEM form", field, file)
	}
	return pool, nil
}

// Reload applies what can change while serving: domains, limits, timeouts,
// certificates, trust stores, who is kept out, which interfaces the kernel gate and
// private listeners have, whom web ACLs believe and which database of places they go
// by, and the access log's file. On an error nothing has changed.
func (g *Gateway) Reload(next *configs.Host) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := errors.Join(restartNeeded(g.host.Load(), next), g.confined.allows(next)); err != nil {
		return err
	}
	places, err := readPlaces(next.WAF.GeoFile)
	if err != nil {
		return err
	}
	compiled := g.stores()
	compiled.Geo = places.geo
	snapshot, err := deploy.Compile(g.catalog.Load(), deployHost(next), compiled, nil)
	if err != nil {
		g.retire(g.pipeline.Snapshot())
		return err
	}
	list, err := g.readDenyList(next)
	if err != nil {
		g.retire(g.pipeline.Snapshot())
		return err
	}
	stores, err := next.Truststores()
	if err != nil {
		g.retire(g.pipeline.Snapshot())
		return err
	}
	var certificates []func()
	for _, l := range g.listeners {
		apply, err := l.reload()
		if err != nil {
			g.retire(g.pipeline.Snapshot())
			return err
		}
		certificates = append(certificates, apply)
	}
	if g.access != nil {
		if err := g.access.Reopen(); err != nil {
			g.retire(g.pipeline.Snapshot())
			return err
		}
	}
	if err := g.steerAgain(next.Listeners); err != nil { // the last that can fail
		g.retire(g.pipeline.Snapshot())
		return fmt.Errorf("private listeners: %w", err)
	}
	for _, apply := range certificates {
		apply()
	}
	g.pipeline.SetSettings(pipelineSettings(next, len(g.loops)))
	for _, f := range g.fronts {
		f.Loop.Do(func() { f.SetConfig(g.frontConfig(next)) })
	}
	g.overload.SetConfig(overloadConfig(next))
	g.reserveDescriptors(next)
	snapshot.Commit(loop.Now(), g.stores())
	g.trust(withOthers(stores, g.mutual.stores)) // whom the one snapshot or the other wants asked is asked
	g.pipeline.Swap(snapshot)
	g.trust(stores)
	g.places.Store(places)
	g.retire(snapshot)
	g.host.Store(next)
	g.guardAgain(next, list)
	return nil
}

// restartNeeded names the changes that Reload cannot make.
func restartNeeded(old, next *configs.Host) error {
	fixed := []struct {
		field     string
		old, next any
	}{
		{"region", old.Region, next.Region},
		{"account_id", old.AccountID, next.AccountID},
		{"gateway_domain", old.GatewayDomain, next.GatewayDomain},
		{"state_dir", old.StateDir, next.StateDir},
		{"workers", old.Workers, next.Workers},
		{"sandbox", old.Sandbox, next.Sandbox},
		{"listeners", fixedPart(old.Listeners), fixedPart(next.Listeners)},
		{"kernel_gate.pin_dir", old.KernelGate.PinDir, next.KernelGate.PinDir},
		{"admin", old.Admin, next.Admin},
		{"control", old.Control, next.Control},
		{"upstream", old.Upstream, next.Upstream},
		{"tokens", old.Tokens, next.Tokens},
		{"lambda", old.Lambda, next.Lambda},
		{"authorizers", old.Authorizers, next.Authorizers},
		{"waf", fixedWAF(old.WAF), fixedWAF(next.WAF)},
		{"websocket", old.WebSocket, next.WebSocket},
		{"access_log", old.AccessLog, next.AccessLog},
		{"cache", old.Cache, next.Cache},
		{"throttle.method_buckets", old.Throttle.MethodBuckets, next.Throttle.MethodBuckets},
		{"limits.integration_timeout", old.Limits.IntegrationTimeout, next.Limits.IntegrationTimeout},
	}
	for _, f := range fixed {
		if !reflect.DeepEqual(f.old, f.next) {
			return fmt.Errorf("%s has changed, which takes a restart; nothing was reloaded", f.field)
		}
	}
	return nil
}

// fixedPart is what of listeners takes a restart: all but how they refuse, and
// which interfaces lead to a private one.
func fixedPart(listeners []configs.Listener) []configs.Listener {
	fixed := slices.Clone(listeners)
	for i := range fixed {
		l := &fixed[i]
		l.Refusal = ""
		if l.Private() {
			l.Interfaces = []string{"private"}
		}
	}
	return fixed
}

// fixedWAF is what of the section takes a restart.
func fixedWAF(w configs.WAF) configs.WAF {
	w.GeoFile = ""
	return w
}

// register shows what the parts count.
func (g *Gateway) register() {
	r := g.registry
	fronts := func(of func(*front.Front) int64) func() int64 {
		return func() (n int64) {
			for _, f := range g.fronts {
				n += of(f)
			}
			return n
		}
	}
	r.GaugeFunc(telemetry.ConnectionsOpen, fronts((*front.Front).Open))
	r.GaugeFunc(telemetry.BufferedBytes, fronts((*front.Front).Buffered))
	accepted := fronts((*front.Front).Accepted)
	r.CounterFunc(telemetry.ConnectionsAccepted, func() uint64 { return uint64(accepted()) })
	g.registerUpstream()
	if g.access != nil {
		r.CounterFunc(telemetry.AccessLogLinesDropped, g.access.Dropped)
	}
	r.GaugeFunc(telemetry.SnapshotGeneration, func() int64 {
		if s := g.pipeline.Snapshot(); s != nil {
			return int64(s.Generation)
		}
		return 0
	})
	r.CounterFunc(telemetry.Deploys, g.deploys.Load)
	r.CounterFunc(telemetry.OffenderReports, g.offenders.Reported)
	r.CounterFunc(telemetry.OffenderReportsDropped, g.offenders.Dropped)
	r.CounterFunc(telemetry.UsageJournalErrors, g.journalErrors.Load)
	g.registerState()
	g.registerCallers()
	g.registerWAF()
	g.registerGuard()
	g.registerSockets()
	g.registerOverload()
}
