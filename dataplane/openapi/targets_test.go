package openapi

import (
	"reflect"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestTargets(t *testing.T) {
	result, err := Parse([]byte(integration("x-tidegate-targets: ['10.0.0.1:80', '${stageVariables.pool}'], x-tidegate-health-check: {path: /up, interval: 1s, timeout: 0.5s, healthy: 1, unhealthy: 4}")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var in *definition.Integration
	for _, r := range result.Body.Resources {
		for _, m := range r.Methods {
			in = m.Integration
		}
	}
	if want := []string{"10.0.0.1:80", "${stageVariables.pool}"}; !reflect.DeepEqual(in.Targets, want) {
		t.Errorf("%q", in.Targets)
	}
	want := definition.HealthCheck{Path: "/up", Interval: definition.Duration(time.Second), Timeout: definition.Duration(500 * time.Millisecond), Healthy: 1, Unhealthy: 4}
	if in.HealthCheck == nil || *in.HealthCheck != want {
		t.Errorf("%+v", in.HealthCheck)
	}
}
