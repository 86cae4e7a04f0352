package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/need"
)

// TestR40Descriptors: with few descriptors and more clients than those, the admin
// listener and the control socket answer, the CPU is at rest, and when the clients
// are gone all is as before (R40).
func TestR40Descriptors(t *testing.T) {
	t.Parallel()
	shell := need.Tool(t, "sh")
	limit, clients := 300, 800
	if soaking() {
		limit, clients = 1024, 5000
	}
	d := prepare(t, host{more: "limits: {connections: 100000, reserved_descriptors: 60}\ntimeouts: {first_byte: 1m}"})
	d.run(shell, "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, limit), "sh")
	d.waitReady()
	d.deploy("prod", mocks, nil)
	d.ask("GET", "/prod/pets", "").expect(t, "before", 200, "pets")

	var conns []net.Conn
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if conn, err := net.DialTimeout("tcp", d.addr, 5*time.Second); err == nil {
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	eventually(t, 10*time.Second, func() error { // new ones are not accepted any more
		if s, err := d.client.Status(t.Context()); err != nil {
			return err
		} else if step := s.Overload.Step; step != "no connection is accepted" {
			return fmt.Errorf("%s: %+v", step, s.Overload.Signals)
		}
		return nil
	})
	used := d.cpuTime()
	const watched = 2 * time.Second
	for end := time.Now().Add(watched); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := readMetric(d.admin, "tidegate_overload_level", `signal="descriptors"`); err != nil {
			t.Errorf("admin listener: %v", err)
		}
		if _, err := d.client.APIs(t.Context()); err != nil {
			t.Errorf("control socket: %v", err)
		}
	}
	used = d.cpuTime() - used
	found(t, "R40", "%d clients, %d descriptors of %d, CPU %s in %s", len(conns), d.descriptors(), limit, tenths(used), watched)
	if used > watched*3/4 {
		t.Errorf("%s of CPU time in %s", used, watched)
	}
	if n := d.descriptors(); n > limit-30 {
		t.Errorf("%d descriptors of %d are in use", n, limit)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	gone := time.Now()
	eventually(t, 10*time.Second, func() error {
		a, err := askOnce(d.addr, "GET", "/prod/pets", "")
		if err != nil {
			return err
		}
		if a.status != 200 {
			return fmt.Errorf("status %d", a.status)
		}
		return nil
	})
	found(t, "R40", "served again after %s", tenths(time.Since(gone)))
}

// TestMemory: a daemon that has more resident than it may have sheds, says so in
// one line of the log, accepts nobody, and its operators get through (R3, short).
func TestMemory(t *testing.T) {
	t.Parallel()
	d := start(t, host{})
	d.deploy("prod", prioritized(), nil)
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	if a, err := c.ask("GET", "/prod/low", ""); err != nil || a.status != 200 || a.last {
		t.Fatalf("before: %+v, %v", a, err)
	}
	fresh, err := dial(d.addr) // it has not asked yet, so it stays
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.conn.Close()
	time.Sleep(100 * time.Millisecond) // it is accepted

	h := d.host
	h.more = "overload: {memory_bytes: 16777216}" // less than the program itself has
	d.write(h)
	d.reload("host file applied")
	var status *control.Status
	eventually(t, 10*time.Second, func() error {
		var err error
		if status, err = d.client.Status(t.Context()); err != nil {
			return err
		}
		if status.Overload.Step != "no connection is accepted" {
			return fmt.Errorf("%+v", status.Overload)
		}
		return nil
	})
	if o := status.Overload; o.MemoryLimit != 16<<20 || o.MemoryLimitOf != "overload.memory_bytes" || o.Signals[0].Level != 1 {
		t.Errorf("status %+v", o)
	}
	if _, err := c.receive("GET"); err == nil {
		t.Error("an idle connection was not closed")
	}
	if a, err := fresh.ask("GET", "/prod/high", ""); err != nil || a.status != 200 || !a.last {
		t.Errorf("a request of high priority: %+v, %v; want 200 and the end of the connection", a, err)
	}
	waiting, err := dial(d.addr) // by the kernel alone
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.conn.Close()
	_ = waiting.send("GET /prod/low HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = waiting.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if _, err := waiting.receive("GET"); err == nil {
		t.Error("a connection was accepted")
	}
	out, err := exec.Command(binary, "status", "--socket", d.socket).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "overload  no connection is accepted: memory ") {
		t.Errorf("tidegate status: %v\n%s", err, out)
	}
	h.more = "overload: {memory_bytes: 17179869184}"
	d.write(h)
	d.reload("host file applied")
	_ = waiting.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if a, err := waiting.receive("GET"); err != nil || a.status != 200 {
		t.Errorf("who waited got %+v, %v", a, err)
	}
	if n := strings.Count(d.stderr.String(), "level=WARN msg=overload"); n != 1 {
		t.Errorf("%d warnings of overload, want one:\n%s", n, d.stderr)
	}
}

// TestInFlight: one request more than may be in flight is refused, and a priority
// leaves room for those above it.
func TestInFlight(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	b := gatetest.Answering(t, func(*http.Request) string {
		<-hold
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	d := start(t, host{more: "workers: 1\nlimits: {in_flight: 10}"})
	d.deploy("prod", gatetest.ProxyAll(b.Addr, 29000), nil)
	var clients []*client
	send := func() *client {
		c, err := dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.conn.Close() })
		if err := c.send("GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return c
	}
	inFlight := func(want int) {
		t.Helper()
		eventually(t, 10*time.Second, func() error {
			s, err := d.client.Status(t.Context())
			if err == nil && s.RequestsInFlight != want {
				err = fmt.Errorf("%d requests are in flight, want %d", s.RequestsInFlight, want)
			}
			return err
		})
	}
	for range 9 { // nine tenths are for normal priority
		clients = append(clients, send())
	}
	inFlight(9)
	refused := send()
	a, err := refused.receive("GET")
	if err != nil {
		t.Fatal(err)
	}
	a.expectError(t, "the tenth", 503, "Service Unavailable", "ServiceUnavailableException")
	if a.header.Get("Retry-After") != "1" || a.last {
		t.Errorf("a refusal has %v", a.header)
	}
	close(hold)
	for _, c := range clients {
		if a, err := c.receive("GET"); err != nil || a.status != 200 {
			t.Errorf("in flight: %+v, %v", a, err)
		}
	}
	if a, err := refused.ask("GET", "/prod/x", ""); err != nil || a.status != 200 { // on the same connection
		t.Errorf("afterwards: %+v, %v", a, err)
	}
}
