package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

func TestTargetsCommand(t *testing.T) {
	f := newFixture(t)
	if out := f.must(t, "targets", "--json"); out != "[]\n" {
		t.Errorf("nothing: %q", out)
	}
	until := noon.Add(time.Minute)
	f.upstream = []control.UpstreamStatus{
		{APIID: "a1", APIName: "pets", InFlight: 3, MaxInFlight: 100, Waiting: 1, MaxWaiting: 50, BufferedBytes: 10, MaxBufferedBytes: 1000, Integrations: []control.TargetGroup{
			{Endpoint: "b:80", Breaker: "closed", Targets: []control.TargetStatus{
				{Address: "10.0.0.1:80", State: "up", Cause: "5 requests in a row failed", Requests: 7},
				{Address: "10.0.0.2:80", State: "ejected", Cause: "5 requests in a row failed", Until: &until, Requests: 9, Failures: 5, Retries: 4},
				{Address: "10.0.0.3:80", State: "unhealthy", Cause: "its health check fails", HealthCheck: "it answered 500"},
			}},
			{Endpoint: "c:80", Breaker: "open", Cause: "20 of 20 requests failed", Until: &until, Targets: []control.TargetStatus{{Address: "10.0.0.4:80", State: "up"}}},
			{Endpoint: "d:80", Breaker: "closed"},
		}},
	}
	out := f.must(t, "targets")
	for _, want := range []string{
		"pets (a1): 3 of 100 requests in flight, 1 of 50 waiting, 10 of 1000 bytes\n",
		"b:80 closed 10.0.0.1:80 up 7 0 0 - -\n",
		"b:80 closed 10.0.0.2:80 ejected 9 5 4 5 requests in a row failed 2026-03-04 12:01:00Z\n",
		"b:80 closed 10.0.0.3:80 unhealthy 0 0 0 it answered 500 -\n",
		"c:80 open 10.0.0.4:80 up 0 0 0 20 of 20 requests failed 2026-03-04 12:01:00Z\n",
		"d:80 closed - unresolved - - - - -\n",
	} {
		if !strings.Contains(squeezed(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// squeezed has one space between words.
func squeezed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "\n")
}
