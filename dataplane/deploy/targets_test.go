package deploy_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/throttle"
	"github.com/tidegate/tidegate/dataplane/usage"
)

// TestTargets: methods and routes have groups of the targets and checks that their
// integrations name, and a stage the bound that it sets.
func TestTargets(t *testing.T) {
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	store := upstream.NewStore([]*loop.Loop{l}, upstream.Config{MaxConnections: 1})
	defer store.Close()
	stores := deploy.Stores{Upstream: store, Throttle: throttle.NewStore(1), Usage: usage.NewStore(usage.Options{Shards: 1})}
	check := &definition.HealthCheck{Path: "/up", Interval: definition.Duration(time.Second), Timeout: definition.Duration(time.Second), Healthy: 1, Unhealthy: 2}
	method := proxied("http://h/")
	method.Integration.Targets, method.Integration.HealthCheck = []string{"${stageVariables.pool}"}, check
	c := add(&definition.Catalog{}, "api1", "pets", body("api1", map[string]*definition.Method{"/pets": method}))
	ws := definition.NewWebSocketBody("api2", definition.WebSocket{
		RouteSelectionExpression: "$request.body.action",
		Routes:                   []*definition.Route{{ID: definition.RouteID("$default"), Key: "$default", Target: definition.IntegrationTarget("int0001")}},
		Integrations: []*definition.RouteIntegration{{ID: "int0001", Type: definition.IntegrationHTTPProxy, HTTPMethod: "POST", URI: "http://h/",
			Targets: []string{"c:3"}, HealthCheck: check}},
	}, definition.Settings{})
	c = add(c, "api2", "chat", ws, "prod")
	c = c.With(definition.Change{PutStages: []*definition.Stage{
		{APIID: "api1", Name: "prod", DeploymentID: "dep001", Variables: map[string]string{"pool": "a:1,b:2"}, MaxInFlight: 7}}})
	used := upstream.InUse{Groups: map[*upstream.Group]bool{}, Caps: map[*upstream.Cap]bool{}}
	s := compile(t, c, stores, nil)
	s.Upstream(&used)
	targets := map[string]string{}
	for g := range used.Groups {
		targets[g.APIID] = g.Targets
		if want := (upstream.Check{Path: "/up", Interval: time.Second, Timeout: time.Second, Healthy: 1, Unhealthy: 2}); g.Check != want || g.Host != "h" {
			t.Errorf("%+v", g.Key)
		}
	}
	if len(targets) != 2 || targets["api1"] != "a:1,b:2" || targets["api2"] != "c:3" {
		t.Errorf("%v", targets)
	}
	limit := func(want int64) {
		t.Helper()
		for bound := range used.Caps {
			if bound.Limit() != want {
				t.Errorf("a bound of %d, want %d", bound.Limit(), want)
			}
		}
	}
	if limit(7); len(used.Caps) != 1 {
		t.Errorf("%d bounds", len(used.Caps))
	}
	// A change is in force when it is committed, and not while it may be refused.
	c = c.With(definition.Change{PutStages: []*definition.Stage{
		{APIID: "api1", Name: "prod", DeploymentID: "dep001", Variables: map[string]string{"pool": "a:1,b:2"}, MaxInFlight: 9}}})
	next := compile(t, c, stores, s)
	limit(7)
	next.Commit(loop.Now(), stores)
	limit(9)
}
