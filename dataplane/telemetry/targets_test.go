package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUpstream(t *testing.T) {
	r := NewRegistry(1, "v")
	target := UpstreamTarget{Endpoint: "b:80", Address: "10.0.0.1:80", Up: true, Requests: 5, Failures: 2, Retries: 1}
	out := target
	out.Up, out.Open = false, true
	r.UpstreamFunc(func() []Upstream {
		return []Upstream{{APIID: "a", APIName: "pets", InFlight: 3, Waiting: 1, Targets: []UpstreamTarget{target, out}}}
	})
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`tidegate_upstream_requests_in_flight{api="a",api_name="pets"} 3`,
		`tidegate_upstream_requests_waiting{api="a",api_name="pets"} 1`,
		`tidegate_upstream_breaker_open{api="a",api_name="pets",endpoint="b:80"} 1`,
		`tidegate_upstream_target_up{api="a",api_name="pets",endpoint="b:80",target="10.0.0.1:80"} 0`,
		`tidegate_upstream_target_requests_total{api="a",api_name="pets",endpoint="b:80",target="10.0.0.1:80"} 10`,
		`tidegate_upstream_target_failures_total{api="a",api_name="pets",endpoint="b:80",target="10.0.0.1:80"} 4`,
		`tidegate_upstream_target_retries_total{api="a",api_name="pets",endpoint="b:80",target="10.0.0.1:80"} 2`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}
