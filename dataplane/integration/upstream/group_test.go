package upstream_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
	"github.com/tidegate/tidegate/internal/gatetest"
)

const unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"

// resilient has the host file's defaults, with shorter times.
func resilient(c *upstream.Config) {
	c.FailureStatuses = []int{502, 503, 504}
	c.Health = health.Rules{
		Failures: 5, FailureRate: 0.2, MinRequests: 20, Window: 10 * time.Second,
		Ejection: time.Second, MaxEjection: 30 * time.Second, MaxEjected: 0.5,
		Breaker: health.BreakerRules{FailureRate: 0.8, MinRequests: 20, Single: true, Open: time.Second, MaxOpen: 30 * time.Second},
	}
}

// several is the group of backends at several addresses.
func (r *rig) several(check upstream.Check, addrs ...string) *upstream.Group {
	g := r.store.Group(upstream.Key{APIID: "api", Host: "x", Port: 80, Targets: strings.Join(addrs, ","), Check: check})
	r.store.Retain(upstream.InUse{Groups: map[*upstream.Group]bool{g: true}})
	return g
}

// counting is a backend that counts its requests and answers as it is told.
type counting struct {
	*gatetest.Backend
	requests atomic.Int64
	answer   atomic.Pointer[string] // empty closes the connection instead
}

func newCounting(t *testing.T, answer string) *counting {
	b := &counting{}
	b.answer.Store(&answer)
	b.Backend = gatetest.NewBackend(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			b.requests.Add(1)
			text := *b.answer.Load()
			if text == "" {
				return
			}
			_, _ = io.WriteString(conn, text)
		}
	})
	return b
}

func (b *counting) set(answer string) { b.answer.Store(&answer) }

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return ln.Addr().String()
}

func TestSpread(t *testing.T) {
	a, b := newCounting(t, ok), newCounting(t, ok)
	r := newRig(t, resilient)
	g := r.several(upstream.Check{}, a.Addr, b.Addr)
	for range 40 {
		r.do(g, http1.GET).expect(200, "ok")
	}
	if n := a.requests.Load(); n < 10 || n > 30 {
		t.Errorf("%d of 40 went to the first", n)
	}
}

// TestElsewhere: what failed goes to another target when that does no harm.
func TestElsewhere(t *testing.T) {
	for _, c := range []struct {
		name string
		verb http1.Verb
		bad  string // "refuse" is nobody
		want int    // 0: the failure
		sent int64
	}{
		{"nothing was sent", http1.POST, "refuse", 200, 0},
		{"nothing was sent of a PUT", http1.PUT, "refuse", 200, 0},
		{"closed", http1.GET, "", 200, 1},
		{"closed with a POST", http1.POST, "", 0, 1},
		{"unavailable", http1.GET, unavailable, 200, 1},
		{"unavailable for a DELETE", http1.DELETE, unavailable, 200, 1},
		{"unavailable for a POST", http1.POST, unavailable, 503, 1},
		{"another status", http1.GET, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 500, 1},
		{"half an answer", http1.GET, "HTTP/1.1 2\r\n", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad, good := newCounting(t, c.bad), newCounting(t, ok)
			addr := bad.Addr
			if c.bad == "refuse" {
				addr = nobody(t)
			}
			if strings.HasPrefix(c.name, "half") {
				bad.Close()
				bad.Backend = gatetest.NewBackend(t, func(conn net.Conn) {
					_, _ = http.ReadRequest(bufio.NewReader(conn))
					bad.requests.Add(1)
					_, _ = io.WriteString(conn, c.bad)
				})
				addr = bad.Addr
			}
			r := newRig(t, resilient)
			g := r.several(upstream.Check{}, addr, good.Addr)
			var x *exchange
			for moved := false; !moved; moved = bad.requests.Load() > 0 || c.bad == "refuse" { // whose turn it is nobody knows
				x = r.do(g, c.verb)
			}
			if c.bad == "refuse" {
				x = r.do(g, c.verb)
			}
			switch {
			case c.want != 0 && (x.failure != 0 || x.status != c.want):
				t.Errorf("%d, failure %d; want %d", x.status, x.failure, c.want)
			case c.want == 0 && x.failure == 0:
				t.Errorf("%d; want a failure", x.status)
			}
			if n := bad.requests.Load(); n != c.sent {
				t.Errorf("the bad one saw %d requests", n)
			}
		})
	}
}

// TestMovedKeepsConnection: an answer that is not used, and has come whole, leaves
// its connection usable.
func TestMovedKeepsConnection(t *testing.T) {
	bad, good := newCounting(t, unavailable), newCounting(t, ok)
	r := newRig(t, resilient, func(c *upstream.Config) { c.Health.Failures, c.Health.FailureRate = 0, 0 })
	g := r.several(upstream.Check{}, bad.Addr, good.Addr)
	for range 40 {
		r.do(g, http1.GET)
	}
	if bad.Connections() != 1 || good.Connections() != 1 {
		t.Errorf("%d and %d connections", bad.Connections(), good.Connections())
	}
	if moved := r.store.Moved[0].Load(); moved == 0 || moved+r.store.Denied[0].Load() != bad.requests.Load() {
		t.Errorf("%d moved, %d denied, %d failed", moved, r.store.Denied[0].Load(), bad.requests.Load())
	}
}

// TestRetryStorm: where all fail, the backends see at most a fifth more than what
// clients asked.
func TestRetryStorm(t *testing.T) {
	a, b := newCounting(t, unavailable), newCounting(t, unavailable)
	r := newRig(t, resilient, func(c *upstream.Config) { c.Health.Breaker.FailureRate = 0 })
	g := r.several(upstream.Check{}, a.Addr, b.Addr)
	const offered = 500
	for range offered {
		if x := r.do(g, http1.GET); x.status != 503 {
			t.Fatal(x.status, x.failure)
		}
	}
	if saw := a.requests.Load() + b.requests.Load(); saw > offered*12/10 || saw < offered*11/10 {
		t.Errorf("the backends saw %d of %d requests", saw, offered)
	}
}

// TestEjection: a target that fails is not asked any more, and asked again when it
// is well.
func TestEjection(t *testing.T) {
	bad, good := newCounting(t, ""), newCounting(t, ok)
	r := newRig(t, resilient)
	g := r.several(upstream.Check{}, bad.Addr, good.Addr)
	eventually(t, func() error {
		r.do(g, http1.GET)
		if r.store.Ejections.Load() == 0 {
			return fmt.Errorf("no ejection")
		}
		return nil
	})
	before := bad.requests.Load()
	for range 50 {
		r.do(g, http1.POST).expect(200, "ok") // which has no second try
	}
	if n := bad.requests.Load() - before; n > 1 {
		t.Errorf("%d requests while it was out", n)
	}
	bad.set(ok)
	eventually(t, func() error {
		r.do(g, http1.GET).expect(200, "ok")
		if n := bad.requests.Load() - before; n < 10 {
			return fmt.Errorf("%d requests after it was well", n)
		}
		return nil
	})
}

// TestBreaker: where every target fails the breaker answers, until a trial.
func TestBreaker(t *testing.T) {
	b := newCounting(t, unavailable)
	r := newRig(t, resilient)
	g := r.several(upstream.Check{}, b.Addr)
	var x *exchange
	eventually(t, func() error {
		if x = r.do(g, http1.GET); x.failure != upstream.Open {
			return fmt.Errorf("it is not open")
		}
		return nil
	})
	if x.call.RetryAfter <= 0 || x.call.RetryAfter > int64(time.Second) {
		t.Errorf("retry after %d ns", x.call.RetryAfter)
	}
	if r.store.Opens.Load() != 1 {
		t.Error("nobody counted it")
	}
	b.set(ok)
	eventually(t, func() error {
		if x := r.do(g, http1.GET); x.failure != 0 || x.status != 200 {
			return fmt.Errorf("it is still open")
		}
		return nil
	})
}

// TestOpenFailsWaiting: who waits for a connection is told too.
func TestOpenFailsWaiting(t *testing.T) {
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	r := newRig(t, resilient, func(c *upstream.Config) {
		c.MaxConnections, c.MaxWaiting, c.Health.Breaker.MinRequests = 2, 20, 2
	})
	g := r.several(upstream.Check{}, hanging.Addr)
	for range 2 {
		r.start(g, http1.GET, get, true, func(x *exchange) { x.call.Deadline = r.loop.Now() + int64(100*time.Millisecond) })
	}
	var waiting []*exchange
	for range 5 {
		waiting = append(waiting, r.start(g, http1.GET, get, true, nil))
	}
	for _, x := range waiting[2:] { // the first two got the places of those that timed out
		x.wait().expectFailure(upstream.Open)
	}
	r.loop.Do(waiting[0].call.Cancel)
	r.loop.Do(waiting[1].call.Cancel)
}

// TestCaps: an API's requests are bounded, whatever another's backend does.
func TestCaps(t *testing.T) {
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	r := newRig(t, func(c *upstream.Config) { c.MaxInFlight, c.MaxBuffered = 4, 1000 })
	g := r.target(hanging.Addr)
	var calls []*exchange
	for range 4 {
		calls = append(calls, r.start(g, http1.GET, get, true, nil))
	}
	r.do(g, http1.GET).expectFailure(upstream.Busy)
	r.loop.Do(calls[0].call.Cancel)
	r.start(g, http1.PUT, get+strings.Repeat("x", 1000), true, nil).wait().expectFailure(upstream.Busy)
	r.loop.Do(calls[1].call.Cancel)
	// A stage can have less.
	stage := r.store.StageCap("api", "prod", 1)
	capped := func(x *exchange) { x.call.Cap = stage }
	one := r.start(g, http1.GET, get, true, capped)
	r.start(g, http1.GET, get, true, capped).wait().expectFailure(upstream.Busy)
	r.loop.Do(one.call.Cancel)
	if stage.Used() != 0 {
		t.Errorf("%d are under way", stage.Used())
	}
	for _, x := range calls[2:] {
		r.loop.Do(x.call.Cancel)
	}
	good := newCounting(t, ok)
	other := r.store.Group(upstream.Key{APIID: "other", Host: "127.0.0.1", Port: 1, Targets: good.Addr})
	for range 10 { // and all is given back
		r.do(other, http1.GET).expect(200, "ok")
	}
}

// TestHealthChecks take a target out that nobody asks, and bring it back.
func TestHealthChecks(t *testing.T) {
	sick := atomic.Bool{}
	sick.Store(true)
	var host, path atomic.Value
	b := gatetest.Answering(t, func(r *http.Request) string {
		if r.UserAgent() != "Tidegate-HealthCheck" {
			return ok
		}
		host.Store(r.Host)
		path.Store(r.RequestURI)
		if sick.Load() {
			return unavailable
		}
		return ok
	})
	good := newCounting(t, ok)
	r := newRig(t, resilient)
	g := r.several(upstream.Check{Path: "/up?deep=1", Interval: 20 * time.Millisecond, Timeout: time.Second, Healthy: 2, Unhealthy: 3}, b.Addr, good.Addr)
	state := func(want string) {
		t.Helper()
		eventually(t, func() error {
			for _, s := range r.store.Status() {
				for _, target := range s.Targets {
					if target.Address == b.Addr && target.State == want {
						return nil
					}
				}
			}
			return fmt.Errorf("it is not %s: %+v", want, r.store.Status())
		})
	}
	state("unhealthy")
	if host.Load() != "x" || path.Load() != "/up?deep=1" {
		t.Errorf("asked for %v at %v", path.Load(), host.Load())
	}
	sick.Store(false)
	state("up")
	r.store.Retain(upstream.InUse{})
	n := good.requests.Load()
	eventually(t, func() error {
		before := n
		time.Sleep(60 * time.Millisecond)
		if n = good.requests.Load(); n != before {
			return fmt.Errorf("checks go on")
		}
		return nil
	})
	_ = g
}

// TestLookup: connections that are not pooled begin at a target that is asked.
func TestLookup(t *testing.T) {
	bad, good := nobody(t), newCounting(t, ok)
	r := newRig(t, resilient, func(c *upstream.Config) { c.Health.Ejection = time.Minute })
	g := r.several(upstream.Check{}, bad, good.Addr)
	addrs := func() (list []string) {
		r.loop.Do(func() {
			g.Lookup(r.loop, func(a *upstream.Address) {
				for _, addr := range a.Addrs {
					list = append(list, addr.String())
				}
			})
		})
		return list
	}
	first := map[string]bool{}
	for range 4 {
		list := addrs()
		if len(list) != 2 {
			t.Fatalf("%q", list)
		}
		first[list[0]] = true
	}
	if len(first) != 2 {
		t.Errorf("always %v comes first", first)
	}
	eventually(t, func() error {
		r.do(g, http1.POST).expect(200, "ok")
		if list := addrs(); len(list) != 1 || list[0] != good.Addr {
			return fmt.Errorf("%q", list)
		}
		return nil
	})
}

// TestTargetsOfNames: names among the targets are looked up, and what is an address
// of several is one target.
func TestTargetsOfNames(t *testing.T) {
	b := newCounting(t, ok)
	_, port, _ := net.SplitHostPort(b.Addr)
	r := newRig(t, resilient)
	g := r.several(upstream.Check{}, "localhost:"+port, b.Addr)
	for range 4 {
		r.do(g, http1.GET).expect(200, "ok")
	}
	for _, target := range r.store.Status()[0].Targets {
		if target.Address == b.Addr && target.Requests != 4 {
			t.Errorf("%+v", target)
		}
	}
	if n := b.requests.Load(); n != 4 {
		t.Errorf("%d requests", n)
	}
}
