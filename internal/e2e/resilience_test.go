package e2e

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestR30UpstreamFaults: of three targets one refuses, resets, hangs, fails, is
// slow, cuts off or lies. It is out within 10 s, never are more than half, it is
// back within 40 s after it is well, and another API does not notice (R30).
func TestR30UpstreamFaults(t *testing.T) {
	good := nginx(t, "one", "two", "three")
	d := start(t, host{more: "upstream: {outliers: {ejection: 1s, max_ejection: 4s}}"})
	type patient struct {
		fault  string
		server *faulty
		id     string
		load   *asking
		out    time.Duration // until it was out
	}
	healthy := d.keepAsking(2, 10*time.Millisecond, d.deploy("prod", poolOf("healthy", time.Second, "", good...), nil)+".execute-api.localhost")
	var patients []*patient
	for i, fault := range []string{"refuse", "reset", "hang", "30 % unavailable", "truncate", "garbage", "slow"} {
		p := &patient{fault: fault, server: newFaulty(t)}
		p.id = d.deploy("prod", poolOf("p"+strconv.Itoa(i), 500*time.Millisecond, "", p.server.addr, good[0], good[1]), nil)
		p.load = d.keepAsking(3, 15*time.Millisecond, p.id+".execute-api.localhost")
		patients = append(patients, p)
	}
	time.Sleep(2 * time.Second)
	healthy.enter(1)
	began := time.Now()
	for _, p := range patients {
		if n := p.load.failed(); n > 0 {
			t.Errorf("%s: %d requests failed while all were well", p.fault, n)
		}
		p.server.set(t, p.fault)
	}
	look := func(p *patient) (state string) {
		states, _ := d.targetsOf(p.id)
		for addr, target := range states {
			if target.State != control.TargetUp && addr != p.server.addr {
				t.Errorf("%s: %s is %s: %s", p.fault, addr, target.State, target.Cause)
			}
		}
		return states[p.server.addr].State
	}
	ill := patients[:len(patients)-1] // who is slow does not fail
	for time.Since(began) < 10*time.Second {
		waiting := false
		for _, p := range ill {
			if state := look(p); p.out == 0 && state != control.TargetUp {
				p.out = time.Since(began)
			}
			waiting = waiting || p.out == 0
		}
		if !waiting {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(2 * time.Second) // and some trials
	slow := patients[len(patients)-1]
	states, _ := d.targetsOf(slow.id)
	if bad, other := states[slow.server.addr].Requests, states[good[0]].Requests; bad > other {
		t.Errorf("slow: %d requests, and another target %d", bad, other)
	}
	for _, p := range ill {
		if p.out == 0 {
			t.Errorf("%s: not out within 10 s", p.fault)
		}
		look(p)
		p.server.set(t, "")
	}
	well := time.Now()
	for _, p := range ill {
		eventually(t, 40*time.Second, func() error {
			if state := look(p); state != control.TargetUp {
				return fmt.Errorf("%s: still %s", p.fault, state)
			}
			return nil
		})
		found(t, "R30", "%s: out after %s, back within %s, %d answered, %d not", p.fault, tenths(p.out), tenths(time.Since(well)), p.load.ok.Load(), p.load.failed())
	}
	for _, p := range patients {
		p.load.end()
		states, _ := d.targetsOf(p.id)
		var requests, retries int64
		for _, target := range states {
			requests, retries = requests+target.Requests, retries+target.Retries
		}
		if failed := p.load.failed(); retries*5 > requests || failed*10 > requests {
			t.Errorf("%s: %d of %d requests were sent again, and %d failed", p.fault, retries, requests, failed)
		}
	}
	healthy.end()
	m0, p0 := quantiles(0, healthy)
	m1, p1 := quantiles(1, healthy)
	found(t, "R30", "another API: p50 %.2f ms, then %.2f; p99 %.2f ms, then %.2f", m0, m1, p0, p1)
	if healthy.failed() > 0 || slower(m0, m1, 2, 5) {
		t.Errorf("another API: %d requests failed, the median went from %.2f to %.2f ms", healthy.failed(), m0, m1)
	}
}

// TestR31RetryStorm: where all targets fail they see at most a fifth more requests
// than clients send, and next to none once the circuit breaker is open (R31).
func TestR31RetryStorm(t *testing.T) {
	for name, rules := range map[string]string{
		"budget":  "outliers: {failures: 0, failure_percent: 0}, breaker: {failure_percent: 0}", // nothing else holds retries back
		"breaker": "breaker: {open: 1s}",
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newFaulty(t), newFaulty(t)
			a.set(t, "unavailable")
			b.set(t, "unavailable")
			d := start(t, host{more: "upstream: {" + rules + "}"})
			id := d.deploy("prod", poolOf("test", time.Second, "", a.addr, b.addr), nil)
			load := d.keepAsking(8, 2*time.Millisecond, id+".execute-api.localhost")
			time.Sleep(4 * time.Second)
			if name == "breaker" {
				answer := d.ask("GET", "/prod/x", "")
				if _, state := d.targetsOf(id); answer.status != 503 || state == control.BreakerClosed {
					t.Errorf("%d, breaker %s", answer.status, state)
				} else if answer.errorType() == "ServiceUnavailableException" && answer.header.Get("Retry-After") == "" {
					t.Errorf("no Retry-After: %v", answer.header)
				}
				if n := d.metric(`tidegate_requests_rejected_total{reason="integration_open"}`); n == 0 {
					t.Error("nobody counted the refusals")
				}
				a.set(t, "")
				b.set(t, "")
				eventually(t, 10*time.Second, func() error {
					if answer := d.ask("GET", "/prod/x", ""); answer.status != 200 {
						return fmt.Errorf("%d", answer.status)
					}
					return nil
				})
				load.end()
				return
			}
			load.end()
			offered, saw := load.other.Load(), a.requests.Load()+b.requests.Load()
			found(t, "R31", "the targets saw %d requests of %d offered (%.2f x)", saw, offered, float64(saw)/float64(offered))
			if load.ok.Load()+load.lost.Load() > 0 || offered < 500 || float64(saw) > 1.2*float64(offered) || float64(saw) < 1.1*float64(offered) {
				t.Errorf("the targets saw %d of %d requests; %d were lost", saw, offered, load.lost.Load())
			}
		})
	}
}

// TestR32NoisyTenant: a thousand requests to an API whose backend hangs, and 20
// other APIs that do not notice. The hanging one gets what is its share, and no
// more (R32).
func TestR32NoisyTenant(t *testing.T) {
	const others, noise = 20, 1000
	good := nginx(t, "one")[0]
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	d := start(t, host{more: "upstream: {max_connections: 200, max_in_flight: 800}"})
	noisy := d.deploy("prod", poolOf("noisy", 29*time.Second, "", hanging.Addr), nil)
	var quiet []*asking
	for i := range others {
		id := d.deploy("prod", poolOf("quiet"+strconv.Itoa(i), time.Second, "", good), nil)
		quiet = append(quiet, d.keepAsking(1, 10*time.Millisecond, id+".execute-api.localhost"))
	}
	enter := func(phase int) {
		for _, a := range quiet {
			a.enter(phase)
		}
	}
	for range lesser(4, 2) {
		enter(0)
		time.Sleep(time.Second)
		enter(2)
		clients := make([]*client, noise)
		for i := range clients {
			c, err := dial(d.addr)
			if err != nil {
				t.Fatal(err)
			}
			clients[i] = c
			if err := c.send("GET /prod/x HTTP/1.1\r\nHost: " + noisy + ".execute-api.localhost\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, 10*time.Second, func() error { return d.holds(noisy, 800, 600) })
		enter(1)
		time.Sleep(time.Second)
		enter(2)
		if n := d.metric("tidegate_upstream_connections_open"); n > 200+others {
			t.Errorf("%g connections to backends", n)
		}
		for _, c := range clients { // who only closes his end may still want the answer
			_ = c.conn.(*net.TCPConn).SetLinger(0)
			_ = c.conn.Close()
		}
		eventually(t, 10*time.Second, func() error { return d.holds(noisy, 0, 0) })
	}
	if n := d.metric(`tidegate_requests_rejected_total{reason="integration_busy"}`); n != float64(lesser(4, 2)*200) {
		t.Errorf("%g requests were turned away, want %d", n, lesser(4, 2)*200)
	}
	failed := int64(0)
	for _, a := range quiet {
		a.end()
		failed += a.failed()
	}
	m0, p0 := quantiles(0, quiet...)
	m1, p1 := quantiles(1, quiet...)
	found(t, "R32", "other APIs: p50 %.2f ms, then %.2f; p99 %.2f ms, then %.2f", m0, m1, p0, p1)
	if failed > 0 || slower(m0, m1, 2, 5) || slower(p0, p1, 3, 50) { // who waits for the noisy one does so for seconds
		t.Errorf("other APIs: %d requests failed; the median went from %.2f to %.2f ms, the 99th percentile from %.2f to %.2f ms", failed, m0, m1, p0, p1)
	}
}
