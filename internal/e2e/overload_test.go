package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestR2Overload: at five times what the host takes, what it serves is nine tenths
// of that at least; the rest is refused at once and the admin listener answers, and
// afterwards all is as before (R2). What bounds it here are the requests in flight.
func TestR2Overload(t *testing.T) {
	const latency, inFlight, factor = 400 * time.Millisecond, 40, 5
	b := gatetest.Answering(t, func(*http.Request) string {
		time.Sleep(latency)
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	d := start(t, host{more: fmt.Sprintf("workers: 2\nlimits: {in_flight: %d}\noverload: {delay: {start: 0s, full: 0s}}", inFlight)})
	d.deploy("prod", gatetest.ProxyAll(b.Addr, 29000), nil)
	capacity := inFlight * 9 / 10 // the rest is for requests of high priority
	during := span(4*time.Second, time.Minute)

	before := load(d.addr, "/prod/x", capacity, 0, during)
	if before.byStatus[503] > 0 || before.failed > 0 {
		t.Fatalf("at capacity: %v, %d failed: %v", before.byStatus, before.failed, before.err)
	}
	admin := make(chan time.Duration)
	stop := make(chan struct{})
	go func() { admin <- slowestAdmin(t, d, stop) }()
	over := load(d.addr, "/prod/x", factor*capacity, latency, during) // those that wait for none offer five times as much
	close(stop)
	slowest := <-admin
	after := load(d.addr, "/prod/x", capacity, 0, during/2)

	offered := 0.0
	for status := range over.byStatus {
		offered += over.rate(status)
	}
	goodput := percent(over.rate(200), before.rate(200))
	found(t, "R2", "in flight: capacity %.0f/s; offered %.0f/s, served %.0f/s (%s), refused %.0f/s in %s at p99; operators answered within %s; then %.0f/s",
		before.rate(200), offered, over.rate(200), goodput, over.rate(503), tenths(over.quantile(503, 0.99)), tenths(slowest), after.rate(200))
	if over.failed > 0 || len(over.byStatus) != 2 {
		t.Errorf("overloaded: %v, %d failed: %v", over.byStatus, over.failed, over.err)
	}
	if over.rate(200) < 0.9*before.rate(200) {
		t.Errorf("%s of what was served before", goodput)
	}
	if over.quantile(503, 0.99) > over.quantile(200, 0.5) {
		t.Errorf("refusals take %s, answers %s", over.quantile(503, 0.99), over.quantile(200, 0.5))
	}
	if after.rate(200) < 0.9*before.rate(200) || after.byStatus[503] > 0 || after.failed > 0 {
		t.Errorf("afterwards %v, %.0f/s, %.0f/s before", after.byStatus, after.rate(200), before.rate(200))
	}
	if n := d.metric("tidegate_shed_requests_total"); int(n) < over.byStatus[503] {
		t.Errorf("%g requests were counted as shed, %d were refused", n, over.byStatus[503])
	}
}

// slowestAdmin asks the admin listener again and again until stop, and returns how
// long the slowest answer took.
func slowestAdmin(t *testing.T, d *daemon, stop chan struct{}) (slowest time.Duration) {
	for {
		select {
		case <-stop:
			return slowest
		case <-time.After(100 * time.Millisecond):
		}
		began := time.Now()
		resp, err := adminClient.Get("http://" + d.admin + "/readyz")
		if err != nil {
			t.Errorf("admin listener: %v", err)
			continue
		}
		_ = resp.Body.Close()
		slowest = max(slowest, time.Since(began))
	}
}

// prioritized is an API of mocks with a method of each priority.
func prioritized() string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.1\ninfo: {title: test, version: \"1\"}\npaths:\n")
	for _, p := range []string{"low", "normal", "high"} {
		fmt.Fprintf(&b, `  /%s:
    get: {x-tidegate-priority: %[1]s, responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: '%[1]s'}}}}}
`, p)
	}
	return b.String()
}

// TestPriorityOnTheCPU: while five times as many clients of low priority as keep the
// CPU busy ask for all they can get, each of them is refused once a second at most, so
// that the CPU is for answers, and those of high priority are served everything. How
// much is served in a second says as much of what else the machine does. The
// daemon is nice, for its clients cost more than its answers, and would be what is busy.
func TestPriorityOnTheCPU(t *testing.T) {
	const clients, factor = 200, 5
	d := prepare(t, host{more: "workers: 1\noverload: {delay: {start: 500us, full: 3ms}}"})
	d.run("nice", "-n", "19")
	d.waitReady()
	d.deploy("prod", prioritized(), nil)
	during := span(4*time.Second, time.Minute)
	cost := func(served *outcome, used time.Duration) time.Duration {
		return used / time.Duration(max(1, served.byStatus[200]))
	}
	idle := d.cpuTime()
	before := load(d.addr, "/prod/low", clients, 0, during)
	busy := d.cpuTime()
	var low, high *outcome
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); low = load(d.addr, "/prod/low", factor*clients, 0, during) }()
	go func() { defer wg.Done(); high = load(d.addr, "/prod/high", 8, 10*time.Millisecond, during) }()
	wg.Wait()
	costBefore, costAfter := cost(before, busy-idle), cost(low, d.cpuTime()-busy)
	goodput := percent(low.rate(200), before.rate(200))
	found(t, "R2", "CPU: low priority %v at %s each, then %v (%s) at %s each, p50 %s; high priority %v, p50 %s, p99 %s", before.byStatus, tenths(costBefore), low.byStatus, goodput, tenths(costAfter),
		tenths(low.quantile(200, 0.5)), high.byStatus, tenths(high.quantile(200, 0.5)), tenths(high.quantile(200, 0.99)))
	if most := factor * clients * int(during/time.Second+2); low.byStatus[503] == 0 || low.byStatus[503] > most {
		t.Errorf("%d were refused, want some and at most %d", low.byStatus[503], most)
	}
	if low.failed > 0 || high.byStatus[503] > 0 || high.failed > 0 || high.byStatus[200] == 0 {
		t.Errorf("high priority: %v, %d failed: %v; low: %d failed: %v", high.byStatus, high.failed, high.err, low.failed, low.err)
	}
}
