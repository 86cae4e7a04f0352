package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// traffic is a number of keep-alive connections on which requests follow one
// another until Stop.
type traffic struct {
	requests atomic.Int64

	stop   chan struct{}
	wg     sync.WaitGroup
	mu     sync.Mutex
	errs   []error
	failed int
}

// newTraffic has each of n connections do one request after the other, every
// so often. The first error of a connection ends it.
func newTraffic(n int, addr string, every time.Duration, do func(c *client, turn int) error) *traffic {
	return newTrafficBy(n, func() (*client, error) { return dial(addr) }, every, do)
}

// newTrafficBy is newTraffic on connections of another kind.
func newTrafficBy(n int, dial func() (*client, error), every time.Duration, do func(c *client, turn int) error) *traffic {
	tr := &traffic{stop: make(chan struct{})}
	for i := range n {
		tr.wg.Add(1)
		go func() {
			defer tr.wg.Done()
			c, err := dial()
			if err != nil {
				tr.fail(err)
				return
			}
			defer c.conn.Close()
			_ = c.conn.SetDeadline(time.Now().Add(2 * time.Minute))
			time.Sleep(every * time.Duration(i) / time.Duration(n))
			for turn := i; ; turn++ {
				select {
				case <-tr.stop:
					return
				default:
				}
				began := time.Now()
				if err := do(c, turn); err != nil {
					tr.fail(fmt.Errorf("connection %d, turn %d: %w", i, turn, err))
					return
				}
				tr.requests.Add(1)
				if rest := every - time.Since(began); rest > 0 {
					time.Sleep(rest)
				}
			}
		}()
	}
	return tr
}

func (tr *traffic) fail(err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.failed++; tr.failed <= 5 {
		tr.errs = append(tr.errs, err)
	}
}

// Stop ends the traffic. It fails the test if a request failed or there was
// none.
func (tr *traffic) Stop(t testing.TB) {
	t.Helper()
	tr.end()
	if tr.failed > 0 {
		t.Errorf("%d connections failed after %d requests; the first: %v", tr.failed, tr.requests.Load(), tr.errs)
	}
	if tr.requests.Load() == 0 {
		t.Error("no request was made")
	}
}

// end ends the traffic, whatever became of it.
func (tr *traffic) end() {
	close(tr.stop)
	tr.wg.Wait()
}

// get does one GET that must be answered with 200 and as many bytes.
func get(target string, length int) func(*client, int) error {
	return func(c *client, _ int) error {
		a, err := c.ask("GET", target, "")
		if err != nil {
			return err
		}
		if a.status != 200 || len(a.body) != length {
			return fmt.Errorf("%s: %d, %d bytes", target, a.status, len(a.body))
		}
		return nil
	}
}

// resident returns the process's resident memory in KiB.
func (d *daemon) resident() int {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				d.t.Fatal(err)
			}
			return n
		}
	}
	d.t.Fatal("no VmRSS")
	return 0
}

// cpuTime returns what the process has used of the CPU, in ticks of 10 ms.
func (d *daemon) cpuTime() time.Duration {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest) // from state, the third of proc(5)
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			d.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// TestR1SteadyLoad: 256 keep-alive connections, small and 10 KB answers, no
// failure, and memory, descriptors and goroutines that do not grow (R1, R42).
func TestR1SteadyLoad(t *testing.T) {
	addr := nginx(t, "backend")[0]
	d := start(t, host{more: "upstream: {idle_timeout: 1s}"})
	d.deploy("prod", gatetest.ProxyAll(addr, 29000), nil)
	d.ask("GET", "/prod/", "").expect(t, "first", 200, "backend")
	goroutines := d.metric("go_goroutines")
	descriptors := 0
	eventually(t, 5*time.Second, func() error { // the backend's idle connection goes
		if descriptors = d.descriptors(); d.metric("tidegate_upstream_connections_open") != 0 {
			return fmt.Errorf("upstream connections are open")
		}
		return nil
	})

	small, big := get("/prod/", len("backend")), get("/prod/big", 10<<10)
	every := 50 * time.Millisecond
	if underRace {
		every = 400 * time.Millisecond
	}
	tr := newTraffic(256, d.addr, every, func(c *client, turn int) error {
		if turn%2 == 0 {
			return small(c, turn)
		}
		return big(c, turn)
	})
	time.Sleep(4 * time.Second)
	before := d.resident()
	time.Sleep(span(6*time.Second, time.Minute))
	after := d.resident()
	tr.Stop(t)
	found(t, "R1", "%d requests, none failed; resident %d KiB, then %d KiB", tr.requests.Load(), before, after)
	if limit := before + before/20 + 2048; after > limit && !underRace {
		t.Errorf("resident memory went from %d to %d KiB", before, after)
	}
	eventually(t, 5*time.Second, func() error {
		if n, g := d.descriptors(), d.metric("go_goroutines"); n > descriptors || g > goroutines {
			return fmt.Errorf("%d descriptors and %g goroutines, %d and %g before", n, g, descriptors, goroutines)
		}
		return nil
	})
}

// metric reads one metric without labels, or the sum over its labels.
func (d *daemon) metric(name string) float64 {
	d.t.Helper()
	sum, err := readMetric(d.admin, name, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return sum
}

// readMetric adds up the metrics of a name whose labels contain a text.
func readMetric(admin, name, labels string) (sum float64, err error) {
	resp, err := adminClient.Get("http://" + admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var text strings.Builder
	if err := resp.Write(&text); err != nil {
		return 0, err
	}
	found := false
	for line := range strings.Lines(text.String()) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != ' ' && rest[0] != '{' || !strings.Contains(rest, labels) {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", line, err)
		}
		sum, found = sum+v, true
	}
	if !found {
		return 0, fmt.Errorf("no metric %s with %q", name, labels)
	}
	return sum, nil
}

// TestDescriptorsAfterDisorder: connections that clients give up in every state
// leave nothing behind (R42).
func TestDescriptorsAfterDisorder(t *testing.T) {
	slow := gatetest.Answering(t, func(r *http.Request) string {
		if r.URL.Path == "/slow" {
			time.Sleep(100 * time.Millisecond)
		}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	d := start(t, host{more: "upstream: {idle_timeout: 1s}"})
	d.deploy("prod", gatetest.ProxyAll(slow.Addr, 29000), nil)
	d.ask("GET", "/prod/x", "").expect(t, "first", 200, "ok")
	before := 0
	eventually(t, 5*time.Second, func() error {
		if before = d.descriptors(); d.metric("tidegate_upstream_connections_open") != 0 {
			return fmt.Errorf("upstream connections are open")
		}
		return nil
	})
	for _, raw := range []string{
		"", "GET /prod/x HT", "GET /prod/slow HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n", "POST /prod/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
		"POST /prod/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "garbage\r\n\r\n",
	} {
		for i := range 20 {
			conn, err := net.Dial("tcp", d.addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte(raw))
			if i%2 == 0 {
				_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			}
			_ = conn.Close()
		}
	}
	eventually(t, 8*time.Second, func() error {
		if n := d.descriptors(); n > before {
			return fmt.Errorf("%d descriptors, %d before", n, before)
		}
		return nil
	})
	d.ask("GET", "/prod/x", "").expect(t, "afterwards", 200, "ok")
}
