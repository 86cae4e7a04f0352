// Package dataplane assembles the gateway: immutable parts compiled from what
// is deployed, and the stores that outlive them, on one event loop per core.
//
// A control operation goes edit, compile, make durable, swap; each step can
// refuse, and then everything is as it was.
package dataplane

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/pipeline"
	"github.com/tidegate/tidegate/dataplane/sentence"
	"github.com/tidegate/tidegate/dataplane/state"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/dataplane/waf"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// Options are what a Gateway gets besides its host file.
type Options struct {
	Logger    *slog.Logger
	Version   string
	Inherited map[string]*os.File // open listening sockets, by listener name

	// Predecessor has the sockets of the process that this one takes over from.
	Predecessor []Socket
	Stderr      io.Writer

	// DropPrivileges says that the process is the gateway's own: after Start it
	// keeps no more capabilities than a reload needs, and the kernel denies it the
	// system calls that it never makes.
	DropPrivileges bool

	// Upgrade starts a process that takes over, and returns when it serves. Nil:
	// there is no such thing.
	Upgrade func(context.Context) (control.Successor, error)
}

// Gateway is the whole data plane of a host. Its methods may be called from any
// goroutine.
type Gateway struct {
	options Options
	log     *slog.Logger
	started time.Time
	host    atomic.Pointer[configs.Host]
	state   atomic.Value // control.StateStarting, …

	// Stores.
	store       atomic.Pointer[state.Store]
	upstream    *upstream.Store
	throttle    *throttle.Store
	usage       *usage.Store
	iam         *iam.Store // who signs with which access key
	tokens      *jwt.Keys  // of the issuers of tokens
	lambda      *lambda.Client
	hub         *websocket.Hub
	mutual      mutualTLS
	authorizers *authorizer.Store
	caches      *cache.Stages
	waf         *waf.Store
	places      atomic.Pointer[places]
	journal     atomic.Pointer[usage.Journal] // nil until New has made it
	registry    *telemetry.Registry
	access      *telemetry.AccessLog // nil for none

	overload *overload.Monitor
	shed     *telemetry.Counters // by overload.Priority

	offenders     *telemetry.Offenders
	offenderTable *telemetry.OffenderTable
	journalErrors atomic.Uint64
	copyError     atomic.Pointer[string] // of the last copy of the state file; nil for none
	stop, watched chan struct{}          // of watchOffenders

	gate      *kernelGate
	pins      *os.File // the lock of their folder; nil for none
	confined  confinement
	judge     *sentence.Judge
	suspects  *telemetry.Suspects
	verdicts  sparingLog
	denials   atomic.Pointer[denials]
	tracing   atomic.Bool
	measured  measured
	steer     *steer.Steer // nil without private listeners, or the means
	unsteered string       // why private listeners are bound to interfaces instead
	unkeep    chan struct{}
	keeping   sync.WaitGroup
	denyList  []netip.Prefix // of the host file; of g.mu

	loops    []*loop.Loop
	fronts   []*front.Front
	pipeline *pipeline.Pipeline

	mu        sync.Mutex // one change at a time
	released  bool       // another process has what only one can have
	catalog   atomic.Pointer[definition.Catalog]
	deploys   atomic.Uint64
	listeners []*listener
	control   *control.Server
	admin     *telemetry.AdminServer

	adminListener net.Listener // nil for none
	inherited     map[string]*os.File

	closing sync.Once
}

// open is New without a second try.
func open(host *configs.Host, o Options) (_ *Gateway, err error) {
	g := &Gateway{options: o, log: o.Logger, started: time.Now(), stop: make(chan struct{}), watched: make(chan struct{}), unkeep: make(chan struct{})}
	g.gate, g.verdicts.log = newKernelGate(g.log), g.log
	g.host.Store(host)
	g.inherit(host)
	g.state.Store(control.StateStarting)
	defer func() {
		if err != nil {
			_ = g.Close()
		}
	}()
	store, err := state.Open(host.StateDir)
	if err != nil {
		return nil, err
	}
	g.store.Store(store)
	catalog, err := store.Load()
	if err != nil {
		return nil, err
	}
	g.catalog.Store(catalog)
	if err := g.loadPrincipals(host.AccountID, catalog); err != nil {
		return nil, err
	}
	if g.denyList, err = g.readDenyList(host); err != nil {
		return nil, err
	}
	g.denyLists(host)
	if err := g.makeLoops(host); err != nil {
		return nil, err
	}
	if err := g.makeCallers(host); err != nil {
		return nil, err
	}
	if err := g.makePipeline(host); err != nil {
		return nil, err
	}
	g.register()
	if err := g.startMutualTLS(host); err != nil {
		return nil, err
	}
	snapshot, err := deploy.Compile(catalog, deployHost(host), g.stores(), nil)
	if err != nil {
		return nil, fmt.Errorf("compile what is deployed: %w", err)
	}
	snapshot.Commit(loop.Now(), g.stores())
	if err := g.loadUsage(host); err != nil { // by the plans in force
		return nil, err
	}
	g.pipeline.Swap(snapshot)
	g.retainCallers(snapshot)
	go g.watchOffenders()
	g.keepState(store)
	g.keeping.Go(g.watchPlaces)
	g.overload.Start()
	return g, nil
}

func (g *Gateway) makeLoops(host *configs.Host) error {
	workers := host.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for id := range workers {
		l, err := loop.New(id)
		if err != nil {
			return err
		}
		g.loops = append(g.loops, l)
	}
	return nil
}

// makePipeline makes the stores and gives every event loop its part of the
// pipeline.
func (g *Gateway) makePipeline(host *configs.Host) error {
	workers := len(g.loops)
	config, err := upstreamConfig(host)
	if err != nil {
		return err
	}
	g.upstream = upstream.NewStore(g.loops, config)
	g.registry = telemetry.NewRegistry(workers, g.options.Version)
	if host.AccessLog.Path != "" {
		if g.access, err = telemetry.OpenAccessLog(host.AccessLog.Path, workers, loggedContext(host)...); err != nil {
			return err
		}
	}
	g.throttle = throttle.NewStore(workers)
	g.caches = cache.NewStages(cache.Options{
		StageBytes: host.Cache.StageBytes, SaveDir: host.Cache.SaveDir, Secret: g.store.Load().CacheSecret(),
		Now: loop.Now, Wall: func() int64 { return time.Now().UnixNano() },
	})
	if err := g.caches.Prepare(); err != nil {
		return err
	}
	if err := g.makeWAF(host); err != nil {
		return err
	}
	g.usage = usage.NewStore(usage.Options{Secret: g.store.Load().Secret(), Shards: workers, MethodBuckets: host.Throttle.MethodBuckets})
	g.offenders, g.offenderTable = telemetry.NewOffenders(workers), telemetry.NewOffenderTable()
	g.suspects = telemetry.NewSuspects()
	g.judge = sentence.NewJudge(sentenceRules(host), g.suspects, g.condemn)
	if err := g.makeHub(host); err != nil {
		return err
	}
	g.makeOverload(host)
	g.shed = g.registry.Counters(telemetry.ShedRequests, overload.PriorityNames[:])
	throttled := g.registry.Counters(telemetry.ThrottledRequests, telemetry.ThrottleLimits)
	g.pipeline = pipeline.New(pipelineSettings(host, workers), pipeline.Admission{
		Throttle: g.throttle, Usage: g.usage, Offenders: g.offenders, Suspects: g.suspects,
		IAM:         sigv4.New(sigv4.Config{Region: host.Region, Credentials: g.iam}),
		TokenChecks: g.registry.Counters(telemetry.TokenChecks, jwt.Labels()),
		Throttled:   throttled,
		Guaranteed:  g.registry.Counter(telemetry.GuaranteedRequests),
		Overload:    &g.overload.State, Shed: g.shed,
	}, g.makeSessions(host, throttled), g.access,
		g.registry.Counters(telemetry.RequestsRejected, pipeline.Labels()))
	for _, l := range g.loops {
		w := g.pipeline.Worker(l)
		g.fronts = append(g.fronts, front.New(l, g.frontConfig(host), w.Handler))
	}
	return nil
}

func (g *Gateway) stores() deploy.Stores {
	return deploy.Stores{Upstream: g.upstream, Registry: g.registry, Throttle: g.throttle, Usage: g.usage, Caches: g.caches, Auth: g.authStores(),
		WAF: g.waf, Geo: g.places.Load().geo}
}

// Start opens the listeners, the control socket and the admin listener. After
// it returns nil the gateway serves.
func (g *Gateway) Start() error {
	host := g.host.Load()
	if err := g.startControl(host); err != nil {
		return err
	}
	if err := g.startAdmin(host); err != nil {
		return err
	}
	if err := g.startGuarded(host); err != nil {
		return err
	}
	g.state.Store(control.StateReady)
	return nil
}

func (g *Gateway) startControl(host *configs.Host) error {
	g.control = control.NewServer(g, control.Options{
		Socket: host.Control.Socket, Mode: host.Control.Mode, Group: host.Control.Group, ReadGroup: host.Control.ReadGroup,
		Version: g.options.Version, Region: host.Region, AccountID: host.AccountID, GatewayDomain: host.GatewayDomain,
		MaxTimeoutMillis: int(host.Limits.IntegrationTimeout.Milliseconds()),
		DrainTimeout:     host.Timeouts.Drain, Logger: g.log,
		Check:           func(body *definition.Body) error { return Check(g.host.Load(), body) },
		CheckAuthorizer: func(a *definition.Authorizer) error { return auth.CheckAuthorizer(a, g.authStores(), lambda.ParseURI) },
		CheckPolicy: func(apiID, document string) error {
			_, err := auth.CompilePolicy(authHost(g.host.Load()), apiID, document)
			return err
		},
	})
	if err := g.control.Listen(); err != nil {
		return err
	}
	go func() {
		if err := g.control.Serve(); err != nil {
			g.log.Error("control socket", "error", err)
		}
	}()
	return nil
}

func (g *Gateway) startAdmin(host *configs.Host) error {
	if host.Admin.Address == "" {
		return nil
	}
	ln, err := g.openAdmin(host)
	if err != nil {
		return fmt.Errorf("admin listener: %w", err)
	}
	g.adminListener = ln
	g.admin = telemetry.NewAdminServer(telemetry.AdminOptions{
		Metrics: g.registry, Healthy: g.Healthy, Ready: g.ready, Logger: g.log,
	})
	go func() {
		if err := g.admin.Serve(ln); err != nil {
			g.log.Error("admin listener", "error", err)
		}
	}()
	return nil
}

// openAdmin opens the admin listener, or takes the predecessor's.
func (g *Gateway) openAdmin(host *configs.Host) (net.Listener, error) {
	file := g.inherited[adminSocket]
	if file == nil {
		return listenTCP(host.Admin.Address, false)
	}
	defer file.Close()
	return net.FileListener(file)
}

// Healthy reports whether every event loop answers.
func (g *Gateway) Healthy() error {
	for _, l := range g.loops {
		if !l.Responds(healthTimeout) {
			return fmt.Errorf("event loop %d has not answered for %s", l.ID, healthTimeout)
		}
	}
	return nil
}

const healthTimeout = 2 * time.Second

func (g *Gateway) ready() error {
	if s := g.state.Load(); s != control.StateReady {
		return fmt.Errorf("the gateway is %s", s)
	}
	return nil
}
