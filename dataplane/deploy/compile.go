package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/mock"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/route"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// Domain maps base paths of a host name to APIs.
type Domain struct {
	Name      string // exact, "*.example.com", or "*"
	Mappings  []Mapping
	MutualTLS bool // for clients with certificates alone
}

// Mapping sends a base path to a stage of an API.
type Mapping struct {
	BasePath string
	API      string // id or name
	Stage    string // empty: the next path segment names it
}

// Host is what a host adds to the definitions.
type Host struct {
	auth.Host     // where its ARNs are
	GatewayDomain string
	Domains       []Domain
	MaxURL        int           // bytes of a request target of a regional API
	Account       throttle.Rate // limit shared by all APIs, unless the catalog has one

	TrustedProxies []netip.Prefix // whose word on forwarded addresses counts
}

// Stores are what compiled parts refer to and what outlives them.
type Stores struct {
	Upstream *upstream.Store
	Registry *telemetry.Registry
	Throttle *throttle.Store
	Usage    *usage.Store
	Caches   *cache.Stages
	Auth     auth.Stores
	WAF      *waf.Store
	Geo      *waf.Geo // nil: no rule may go by places
}

// maxURLEdge bounds the request target of edge and private APIs, in bytes.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const maxURLEdge = 8192

// Compile makes the Snapshot of a catalog. Stages that have not changed since
// previous, which may be nil, are taken from it. An error names the stage and
// the method that cannot be served.
func Compile(c *definition.Catalog, host Host, stores Stores, previous *Snapshot) (*Snapshot, error) {
	s := &Snapshot{Generation: 1, Account: accountRate(c, host), stages: make(map[definition.StageKey]*Stage, len(c.Stages))}
	if previous != nil {
		s.Generation = previous.Generation + 1
	}
	if err := s.compilePlans(c, stores.Usage, previous); err != nil {
		return nil, err
	}
	if err := s.compileWebACLs(c, host, stores, previous); err != nil {
		return nil, err
	}
	plans := s.plansByStage()
	for key, stage := range c.Stages {
		api := c.APIs[key.APIID]
		if api == nil {
			return nil, fmt.Errorf("stage %q: API %s does not exist", key.Stage, key.APIID)
		}
		d := c.Deployments[definition.DeploymentKey{APIID: key.APIID, ID: stage.DeploymentID}]
		if d == nil {
			return nil, fmt.Errorf("API %s: stage %q: deployment %q does not exist", key.APIID, key.Stage, stage.DeploymentID)
		}
		acl := s.webACLs[stage.WebACLID]
		if acl == nil && stage.WebACLID != "" {
			return nil, fmt.Errorf("API %s: stage %q: web ACL %q does not exist", key.APIID, key.Stage, stage.WebACLID)
		}
		from := source{stage, d, api.Name, s.Account, plans[key]}
		if previous != nil {
			if same := previous.stages[key]; same != nil && same.source.equal(&from) {
				s.stages[key] = same.with(acl)
				continue
			}
		}
		compiled, err := compileStage(from, host, stores)
		if err != nil {
			return nil, fmt.Errorf("API %s: stage %q: %w", key.APIID, key.Stage, err)
		}
		compiled.WAF = acl
		s.stages[key] = compiled
	}
	if err := throttle.CheckGuarantees(s.Account, limitsOf(s.stages)); err != nil {
		return nil, err
	}
	var err error
	s.table, err = compileTable(c, host, s.stages)
	return s, err
}

func compileStage(from source, host Host, stores Stores) (*Stage, error) {
	body := from.deployment.Body
	s := &Stage{
		AccountID: host.AccountID, Variables: from.stage.Variables,
		APIID: from.stage.APIID, APIName: from.apiName, Name: from.stage.Name, DeploymentID: from.deployment.ID,
		MaxTarget: min(maxURLEdge, host.MaxURL), HideLimits: from.stage.HideLimits,
		Private:       body.EndpointType == definition.EndpointPrivate,
		KeyFromHeader: body.APIKeySource != definition.KeySourceAuthorizer,
		groups:        map[upstream.Key]*upstream.Group{},
		source:        from,
	}
	if body.EndpointType == definition.EndpointRegional {
		s.MaxTarget = host.MaxURL
	}
	switch {
	case stores.Registry == nil:
	case body.WebSocket != nil:
		s.SocketMetrics = stores.Registry.Sockets(s.APIID, s.APIName, s.Name)
	default:
		s.Metrics = stores.Registry.Stage(s.APIID, s.APIName, s.Name)
	}
	var err error
	if s.limits, err = throttle.Compile(from.stage, body.GuaranteedRate, from.account, stores.Throttle); err != nil {
		return nil, err
	}
	if s.Priority, err = overload.ParsePriority(cmp.Or(from.stage.Priority, body.Priority)); err != nil {
		return nil, err
	}
	if s.caching, err = cache.Compile(from.stage, stores.Caches); err != nil {
		return nil, err
	}
	if n := from.stage.MaxInFlight; n > 0 && stores.Upstream != nil {
		s.Cap = stores.Upstream.StageCap(s.APIID, s.Name, n)
	}
	s.joinPlans(definition.StageKey{APIID: s.APIID, Stage: s.Name}, stores)
	scope := &proxy.Scope{APIID: s.APIID, Variables: from.stage.Variables, Context: map[string]string{
		"accountId": host.AccountID, "apiId": s.APIID, "stage": s.Name, "deploymentId": s.DeploymentID,
	}}
	s.guards, err = auth.CompileStage(host.Host, stores.Auth, &authorizer.Scope{
		APIID: s.APIID, Stage: s.Name, Variables: from.stage.Variables, Context: maps.Clone(scope.Context), Function: lambda.ParseURI,
	}, body)
	if err != nil {
		return nil, err
	}
	if body.WebSocket != nil {
		return s, s.compileSockets(body.WebSocket, scope, stores)
	}
	s.Methods, err = route.Compile(body, func(res *definition.Resource, m *definition.Method) (*Method, error) {
		return s.compileMethod(res, m, scope, stores)
	})
	return s, err
}

func (s *Stage) compileMethod(res *definition.Resource, m *definition.Method, scope *proxy.Scope, stores Stores) (*Method, error) {
	in := m.Integration
	if in == nil {
		return nil, fmt.Errorf("%s %s: no integration is defined for the method", m.HTTPMethod, res.Path)
	}
	out := &Method{
		ResourcePath: res.Path, ResourceID: res.ID, TimeoutMillis: in.TimeoutMillis,
		Throttle: s.limits.Method(res.Path, m.HTTPMethod), KeyRequired: m.APIKeyRequired, Priority: s.Priority,
	}
	if m.Priority != "" {
		var err error
		if out.Priority, err = overload.ParsePriority(m.Priority); err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.HTTPMethod, res.Path, err)
		}
	}
	if m.APIKeyRequired {
		out.Overrides = s.Plans.Overrides(res.Path, m.HTTPMethod)
	}
	var err error
	if out.Guard, err = s.guards.Method(m); err != nil {
		return nil, fmt.Errorf("%s %s: %w", m.HTTPMethod, res.Path, err)
	}
	if out.Guard != nil && out.Guard.Kind == auth.Custom { // whose authorizer is told of them
		out.Params = pathParams(res.Path)
	}
	switch in.Type {
	case definition.IntegrationMock:
		out.Mock, err = mock.Compile(m, s.source.stage.Variables)
	case definition.IntegrationHTTP, definition.IntegrationHTTPProxy:
		scope.Params = pathParams(res.Path)
		scope.Context["resourcePath"], scope.Context["resourceId"] = res.Path, res.ID
		out.Proxy, err = proxy.Compile(m, scope)
		if out.Proxy.WebSocket {
			out.Role = Connects
		} else if err == nil {
			out.Cache, err = s.caching.Method(res, m, scope.Params, out.Guard.CallerFields())
		}
		if err == nil && out.Proxy.Unresolved == nil && stores.Upstream != nil {
			out.Targets = s.group(out.Proxy.Endpoint, in.HealthCheck, stores.Upstream)
		}
	default:
		err = fmt.Errorf("integration type %q is not supported", in.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", m.HTTPMethod, res.Path, err)
	}
	return out, nil
}

func (s *Stage) group(e proxy.Endpoint, check *definition.HealthCheck, store *upstream.Store) *upstream.Group {
	key := upstream.Key{APIID: s.APIID, Host: e.Host, Port: e.Port, TLS: e.TLS, Insecure: e.Insecure, Targets: e.Targets}
	if check != nil {
		key.Check = upstream.Check{
			Path: check.Path, Interval: time.Duration(check.Interval), Timeout: time.Duration(check.Timeout),
			Healthy: check.Healthy, Unhealthy: check.Unhealthy,
		}
	}
	g := s.groups[key]
	if g == nil {
		g = store.Group(key)
		s.groups[key] = g
	}
	return g
}

// pathParams returns the names of a resource path's parameters, in order.
func pathParams(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			names = append(names, strings.TrimSuffix(part[1:len(part)-1], "+"))
		}
	}
	return names
}

// compileTable makes the way from host and path to stage: the default endpoint
// of each API, and the host's own domains.
func compileTable(c *definition.Catalog, host Host, stages map[definition.StageKey]*Stage) (*route.Table[place], error) {
	byAPI := make(map[string]map[string]*Stage, len(c.APIs))
	for key, stage := range stages {
		if byAPI[key.APIID] == nil {
			byAPI[key.APIID] = map[string]*Stage{}
		}
		byAPI[key.APIID][key.Stage] = stage
	}
	domains := make(map[string]map[string]route.Mapping[place], len(byAPI)+len(host.Domains))
	for id, ofAPI := range byAPI {
		open := make(map[string]place, len(ofAPI))
		for name, stage := range ofAPI {
			if !stage.source.deployment.Body.DisableExecuteAPIEndpoint {
				open[name] = place{stage: stage}
			}
		}
		domains[id+".execute-api."+strings.ToLower(host.GatewayDomain)] = map[string]route.Mapping[place]{"": {Stages: open}}
	}
	names := apiNames(c)
	for _, d := range host.Domains {
		mappings := map[string]route.Mapping[place]{}
		for _, m := range d.Mappings {
			id := m.API
			if _, ok := c.APIs[id]; !ok {
				id = names[m.API] // not there yet, perhaps: then nothing serves
			}
			if m.Stage != "" {
				mappings[m.BasePath] = route.Mapping[place]{Stage: place{byAPI[id][m.Stage], d.MutualTLS}}
				continue
			}
			stages := make(map[string]place, len(byAPI[id]))
			for name, stage := range byAPI[id] {
				stages[name] = place{stage, d.MutualTLS}
			}
			mappings[m.BasePath] = route.Mapping[place]{Stages: stages}
		}
		domains[strings.ToLower(d.Name)] = mappings
	}
	return route.NewTable(domains)
}

// apiNames maps names to ids. Of several APIs with a name the oldest has it.
func apiNames(c *definition.Catalog) map[string]string {
	names := make(map[string]string, len(c.APIs))
	for id, api := range c.APIs {
		old, ok := names[api.Name]
		if !ok || api.CreatedDate.Before(c.APIs[old].CreatedDate) ||
			api.CreatedDate.Equal(c.APIs[old].CreatedDate) && id < old {
			names[api.Name] = id
		}
	}
	return names
}
