package deploy

import (
	"slices"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/definition"
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

// Snapshot is every live stage at one moment. It is immutable; any number of
// goroutines may read it. A request loads one and keeps it to its end.
type Snapshot struct {
	Generation uint64

	// Account is the account's limit, in force with Commit.
	Account throttle.Rate

	table   *route.Table[place]
	stages  map[definition.StageKey]*Stage
	plans   map[string]plan     // by id
	webACLs map[string]*waf.ACL // by id
}

// place is where a host and a path lead to.
type place struct {
	stage     *Stage // nil when it does not exist
	mutualTLS bool   // of the domain
}

// Find returns the stage for a host (lower case, without port) and a path, and
// the rest of the path. With mutualTLS the domain is for clients with
// certificates alone. It is false where AWS answers Forbidden.
func (s *Snapshot) Find(host, path []byte) (stage *Stage, rest []byte, mutualTLS, ok bool) {
	p, rest, ok := s.table.Lookup(host, path)
	return p.stage, rest, p.mutualTLS, ok && p.stage != nil
}

// Upstream adds the groups of targets in use.
func (s *Snapshot) Upstream(used *upstream.InUse) {
	for _, stage := range s.stages {
		for _, g := range stage.groups {
			used.Groups[g] = true
		}
		if stage.Cap != nil {
			used.Caps[stage.Cap] = true
		}
	}
}

// Authorizers adds the authorizers in use.
func (s *Snapshot) Authorizers(used *auth.InUse) {
	for _, stage := range s.stages {
		stage.guards.AddTo(used)
	}
}

// Commit puts the limits of the snapshot, which begins to serve, in force. now
// is that of the event loops.
func (s *Snapshot) Commit(now int64, stores Stores) {
	for _, stage := range s.stages {
		if stage.Cap != nil {
			stage.Cap.SetLimit(int64(stage.source.stage.MaxInFlight))
		}
	}
	stores.Throttle.Commit(now, s.Account, limitsOf(s.stages))
	plans := make([]*usage.Plan, 0, len(s.plans))
	for _, p := range s.plans {
		plans = append(plans, p.Plan)
	}
	stores.Usage.Enforce(plans, now)
}

func limitsOf(stages map[definition.StageKey]*Stage) []*throttle.Limits {
	limits := make([]*throttle.Limits, 0, len(stages))
	for _, stage := range stages {
		limits = append(limits, stage.limits)
	}
	return limits
}

// Caches adds the caches of stages in use to set.
func (s *Snapshot) Caches(set map[*cache.Stage]bool) {
	for _, stage := range s.stages {
		if stage.caching != nil {
			set[stage.caching.Stage()] = true
		}
	}
}

// Stage is a compiled stage: one deployment with the stage's variables.
type Stage struct {
	// What every request reads comes first, as in Method.
	MaxTarget     int               // bytes of a request target
	Private       bool              // for private listeners alone
	HideLimits    bool              // no Retry-After and RateLimit fields
	Priority      overload.Priority // of methods that have none of their own
	KeyFromHeader bool              // else the authorizer names the API key
	WAF           *waf.ACL          // nil when no web ACL protects the stage
	Sockets       *Sockets          // of a WebSocket API, which has no Methods; else nil
	Methods       *route.Tree[*Method]
	Metrics       *telemetry.Stage   // of Methods
	Plans         *usage.StagePlans  // nil when no usage plan has the stage
	PlanMetrics   []*telemetry.Plan  // by the number of the plan
	Cap           *upstream.Cap      // of its requests to integrations; nil when it has none of its own
	SocketMetrics *telemetry.Sockets // of Sockets

	APIID        string
	AccountID    string
	APIName      string
	Name         string
	DeploymentID string

	guards    *auth.Stage
	Variables map[string]string

	caching *cache.Policy // nil when the stage has no cache
	limits  *throttle.Limits
	groups  map[upstream.Key]*upstream.Group
	source  source
}

// source is what a Stage was compiled from; the same source need not be
// compiled again.
type source struct {
	stage      *definition.Stage
	deployment *definition.Deployment
	apiName    string
	account    throttle.Rate // inherited
	plans      []*usage.Plan // that have the stage
}

func (s *source) equal(other *source) bool {
	return s.stage == other.stage && s.deployment == other.deployment && s.apiName == other.apiName &&
		s.account == other.account && slices.Equal(s.plans, other.plans)
}

// Method is a compiled method: a mock, or else a proxy.
type Method struct {
	// What every request reads is in one line of the CPU's cache: a host can
	// have very many methods.
	Mock          *mock.Mock
	Targets       *upstream.Group // of Proxy; nil if it has no endpoint
	Cache         *cache.Method   // nil when nothing is cached
	Guard         *auth.Guard     // nil when anybody may call it
	Throttle      throttle.Method
	TimeoutMillis int
	KeyRequired   bool
	Role          Role
	Priority      overload.Priority

	Proxy        proxy.Program
	ResourcePath string
	ResourceID   string
	Params       []string        // names of the path's parameters, in order
	Overrides    usage.Overrides // by usage plans
}

// Role is what a method does besides answering requests.
type Role uint8

// Roles.
const (
	Answers  Role = iota // nothing
	Connects             // it begins a WebSocket: of a WebSocket API, or passed on by Proxy
	Manages              // it reaches the connections of a WebSocket API
)

// Stage returns the stage with a key, nil if nothing serves there.
func (s *Snapshot) Stage(key definition.StageKey) *Stage { return s.stages[key] }
