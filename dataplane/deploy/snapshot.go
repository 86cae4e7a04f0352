package deploy

import (
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/integration/mock"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/route"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// Snapshot is every live stage at one moment. It is immutable; any number of
// goroutines may read it. A request loads one and keeps it to its end.
type Snapshot struct {
	Generation uint64

	table  *route.Table[*Stage]
	stages map[definition.StageKey]*Stage
}

// Find returns the stage for a host (lower case, without port) and a path, and
// the rest of the path. It is false where AWS answers Forbidden.
func (s *Snapshot) Find(host, path []byte) (stage *Stage, rest []byte, ok bool) {
	stage, rest, ok = s.table.Lookup(host, path)
	return stage, rest, ok && stage != nil
}

// Targets adds the upstream targets in use to set.
func (s *Snapshot) Targets(set map[*upstream.Target]bool) {
	for _, stage := range s.stages {
		for _, t := range stage.targets {
			set[t] = true
		}
	}
}

// Stage is a compiled stage: one deployment with the stage's variables.
type Stage struct {
	APIID        string
	APIName      string
	Name         string
	DeploymentID string
	MaxTarget    int // bytes of a request target
	Methods      *route.Tree[*Method]
	Metrics      *telemetry.Stage

	targets map[upstream.Key]*upstream.Target
	source  source
}

// source is what a Stage was compiled from; the same source need not be
// compiled again.
type source struct {
	stage      *definition.Stage
	deployment *definition.Deployment
	apiName    string
}

// Method is a compiled method: a mock, or else a proxy.
type Method struct {
	Mock          *mock.Mock
	Target        *upstream.Target // of Proxy; nil if it has no endpoint
	TimeoutMillis int
	Proxy         proxy.Program
	ResourcePath  string
}
