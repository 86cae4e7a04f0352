package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// faulty is a server that is well, or not as it is told.
type faulty struct {
	addr     string
	requests atomic.Int64
	fault    atomic.Value // string; empty is well

	mu    sync.Mutex
	ln    net.Listener // nil while connections are refused
	conns map[net.Conn]bool
}

func newFaulty(t testing.TB) *faulty {
	t.Helper()
	f := &faulty{addr: freeAddr(t), conns: map[net.Conn]bool{}}
	f.set(t, "")
	t.Cleanup(func() { f.set(t, "refuse") })
	return f
}

// set has the server do something else from now on, on all connections.
func (f *faulty) set(t testing.TB, fault string) {
	f.fault.Store(fault)
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
	switch {
	case fault == "refuse":
		_ = f.ln.Close()
		f.ln = nil
	case f.ln == nil:
		ln, err := net.Listen("tcp", f.addr)
		if err != nil {
			t.Error(err)
			return
		}
		f.ln = ln
		go f.accept(ln)
	}
}

func (f *faulty) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[conn] = true
		f.mu.Unlock()
		go func() {
			f.serve(conn)
			_ = conn.Close()
			f.mu.Lock()
			delete(f.conns, conn)
			f.mu.Unlock()
		}()
	}
}

func (f *faulty) serve(conn net.Conn) {
	const well = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
	br := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		n, answer := f.requests.Add(1), well
		switch f.fault.Load().(string) {
		case "reset":
			_ = conn.(*net.TCPConn).SetLinger(0)
			return
		case "hang":
			_, _ = io.Copy(io.Discard, conn)
			return
		case "unavailable":
			answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
		case "30 % unavailable":
			if n%10 < 3 {
				answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
			}
		case "slow":
			time.Sleep(50 * time.Millisecond)
		case "truncate":
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
			return
		case "garbage":
			answer = "garbage\r\n\r\n"
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

// poolOf is an API whose GET /x goes to targets.
func poolOf(title string, timeout time.Duration, more string, targets ...string) string {
	return fmt.Sprintf(`openapi: 3.0.1
info: {title: %s, version: "1"}
paths:
  /x:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, timeoutInMillis: %d, uri: "http://pool.test/", x-tidegate-targets: ["%s"]%s}
`, title, timeout.Milliseconds(), strings.Join(targets, `", "`), more)
}

// asking is requests to an API, one after the other on each of some connections,
// whatever becomes of them.
type asking struct {
	ok, other, lost atomic.Int64
	stop            chan struct{}
	all             sync.WaitGroup

	mu    sync.Mutex
	phase int
	took  [3][]time.Duration // of those that were answered 200, by phase: without, with, between
}

func (d *daemon) keepAsking(connections int, every time.Duration, host string) *asking {
	a := &asking{stop: make(chan struct{})}
	for range connections {
		a.all.Go(func() {
			var c *client
			for {
				select {
				case <-a.stop:
					if c != nil {
						_ = c.conn.Close()
					}
					return
				case <-time.After(every):
				}
				if c == nil {
					var err error
					if c, err = dial(d.addr); err != nil {
						continue
					}
					_ = c.conn.SetDeadline(time.Now().Add(2 * time.Minute))
				}
				began, phase := time.Now(), a.present()
				answer, err := c.ask("GET", "/prod/x", "", "Host: "+host)
				switch {
				case err != nil:
					_ = c.conn.Close()
					c = nil
					a.lost.Add(1)
				case answer.status == 200:
					a.ok.Add(1)
					a.mu.Lock()
					a.took[phase] = append(a.took[phase], time.Since(began))
					a.mu.Unlock()
				default:
					a.other.Add(1)
				}
			}
		})
	}
	return a
}

func (a *asking) enter(phase int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = phase
}

func (a *asking) present() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase
}

func (a *asking) failed() int64 { return a.other.Load() + a.lost.Load() }

func (a *asking) end() {
	close(a.stop)
	a.all.Wait()
}

// quantiles returns the median and the 99th percentile of what some asked in a
// phase, in milliseconds.
func quantiles(phase int, some ...*asking) (median, p99 float64) {
	var all []time.Duration
	for _, a := range some {
		all = append(all, a.took[phase]...)
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return ms(all[len(all)/2]), ms(all[len(all)*99/100])
}

// slower reports whether requests take more than so many times as long as before, by
// more than other programs on the machine may cost: some milliseconds.
func slower(before, after, times, floor float64) bool { return after > times*before && after > floor }

// targetsOf returns the targets of an API by address.
func (d *daemon) targetsOf(apiID string) (states map[string]control.TargetStatus, breaker string) {
	d.t.Helper()
	all, err := d.client.Targets(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	states = map[string]control.TargetStatus{}
	for _, api := range all {
		if api.APIID != apiID {
			continue
		}
		for _, g := range api.Integrations {
			breaker = g.Breaker
			for _, target := range g.Targets {
				states[target.Address] = target
			}
		}
	}
	return states, breaker
}

// holds says what is wrong if an API has not so many requests under way.
func (d *daemon) holds(apiID string, inFlight, waiting int64) error {
	all, err := d.client.Targets(context.Background())
	if err != nil {
		return err
	}
	for _, api := range all {
		if api.APIID == apiID && (api.InFlight != inFlight || api.Waiting != waiting) {
			return fmt.Errorf("%d requests are under way, and %d wait; want %d and %d", api.InFlight, api.Waiting, inFlight, waiting)
		}
	}
	return nil
}
