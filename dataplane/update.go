package dataplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/state"
)

// Catalog implements control.Gateway.
func (g *Gateway) Catalog() *definition.Catalog { return g.catalog.Load() }

// Update implements control.Gateway: edit, compile, make durable, swap.
func (g *Gateway) Update(ctx context.Context, edit func(*definition.Catalog) (definition.Change, error)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if g.released {
		return errReleased
	}
	current := g.catalog.Load()
	change, err := edit(current)
	if err != nil {
		return err
	}
	next := current.With(change)
	principals, err := g.iam.Compile(next)
	if err != nil {
		return &definition.InvalidError{Err: err}
	}
	snapshot, err := deploy.Compile(next, deployHost(g.host.Load()), g.stores(), g.pipeline.Snapshot())
	if err != nil {
		g.undo(next)
		return &definition.InvalidError{Err: err}
	}
	err = g.store.Load().Write(change)
	var unsettled *state.UnsettledError
	if err != nil && !errors.As(err, &unsettled) {
		g.undo(next)
		return err
	}
	if err := g.applyKeys(change); err != nil {
		return &control.PartialError{Err: fmt.Errorf("the change is stored and serves after a restart: %w", err)}
	}
	g.iam.Swap(principals)
	snapshot.Commit(loop.Now(), g.stores())
	g.pipeline.Swap(snapshot)
	g.catalog.Store(next)
	g.deploys.Add(1)
	if change.PutAccount != nil {
		g.denyRules(next.Account.Deny)
	}
	g.denyIPSets(current, change)
	g.retire(snapshot)
	g.forgetStages(current, next)
	if unsettled != nil {
		return &control.PartialError{Err: unsettled}
	}
	return nil
}

// Check compiles a definition as a deployment to a stage without variables
// would, and keeps nothing of it. A method without an integration is let pass,
// since it can still get one before it is deployed.
func Check(host *configs.Host, body *definition.Body) error {
	checked := *body
	checked.Resources = nil
	for _, res := range body.Resources {
		r := *res
		r.Methods = maps.Clone(res.Methods)
		maps.DeleteFunc(r.Methods, func(_ string, m *definition.Method) bool { return m.Integration == nil })
		checked.Resources = append(checked.Resources, &r)
	}
	const id = "checked"
	catalog := (&definition.Catalog{}).With(definition.Change{
		PutAPIs:        []*definition.API{{ID: id, Name: id, Body: &checked}},
		PutDeployments: []*definition.Deployment{{ID: id, APIID: id, Body: &checked}},
		PutStages:      []*definition.Stage{{APIID: id, Name: id, DeploymentID: id}},
	})
	options, err := tokenOptions(host)
	if err != nil {
		return err
	}
	keys, err := jwt.NewKeys(options) // which issuers there may be is the host's to say
	if err != nil {
		return err
	}
	_, err = deploy.Compile(catalog, deployHost(host), deploy.Stores{Auth: auth.Stores{Keys: keys}}, nil)
	return err
}

// undo lets go of what compiling a catalog added that does not come to serve.
func (g *Gateway) undo(refused *definition.Catalog) {
	g.retire(g.pipeline.Snapshot())
	g.forgetStages(refused, g.catalog.Load())
}

// retire lets go of the backends and caches that s does not use.
func (g *Gateway) retire(s *deploy.Snapshot) {
	caches := map[*cache.Stage]bool{}
	s.Caches(caches)
	g.caches.Retain(caches)
	g.retainCallers(s)
	g.retainWAF(s)
	used := upstream.InUse{Groups: map[*upstream.Group]bool{}, Caps: map[*upstream.Cap]bool{}}
	s.Upstream(&used)
	g.upstream.Retain(used)
}

// forgetStages drops the metrics and the buckets of stages that are gone.
func (g *Gateway) forgetStages(before, after *definition.Catalog) {
	for key := range before.Stages {
		if _, ok := after.Stages[key]; !ok {
			g.registry.Forget(key.APIID, key.Stage)
			g.throttle.Forget(key)
		}
	}
}

// Status implements control.Gateway.
func (g *Gateway) Status() control.Status {
	host, catalog := g.host.Load(), g.catalog.Load()
	s := control.Status{
		Version: g.options.Version, State: g.state.Load().(string), StartedAt: g.started.UTC().Truncate(time.Millisecond),
		Region: host.Region, AccountID: host.AccountID, GatewayDomain: host.GatewayDomain,
		Workers: len(g.loops),
		APIs:    len(catalog.APIs), Deployments: len(catalog.Deployments), Stages: len(catalog.Stages),
		RequestsInFlight: int(g.pipeline.InFlight()), Requests: g.pipeline.Requests(),
	}
	for _, f := range g.fronts {
		s.Connections += int(f.Open())
	}
	s.Overload = g.overloadStatus()
	g.mu.Lock()
	warnings := g.truststoreWarnings()
	for _, l := range g.listeners {
		status := control.ListenerStatus{
			Name: l.config.Name, Address: l.address(), TLS: l.tls != nil, Endpoint: l.config.Endpoint, Connections: l.connections(),
		}
		if _, tcp := l.tcpAddr(); tcp {
			status.Refusal = l.config.RefusalInForce()
		}
		s.Listeners = append(s.Listeners, status)
	}
	g.mu.Unlock()
	s.Kept = g.stateStatus()
	s.Issuers, s.Authorizers = g.issuerStatus(), g.authorizerStatus(catalog)
	kernel := g.Gate().Status()
	s.Gate, s.Notes = &kernel, append(warnings, kernel.Notes...)
	if g.access == nil {
		s.Notes = append(s.Notes, "access log is off: set access_log.path in the host file")
	} else if err := g.access.Err(); err != nil {
		s.Notes = append(s.Notes, "access log: "+err.Error())
	}
	return s
}
