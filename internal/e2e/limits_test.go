package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// limitTests hit each limit of the host file, by its key: what is at the limit is
// served, and what is beyond it is not.
var limitTests = map[string]func(*testing.T){
	"limits.header_bytes":            limitHeaderBytes,
	"limits.header_count":            limitHeaderCount,
	"limits.url_bytes":               limitURLBytes,
	"limits.body_bytes":              limitBodyBytes,
	"limits.response_bytes":          limitResponseBytes,
	"limits.integration_timeout":     limitIntegrationTimeout,
	"limits.connections":             limitConnections,
	"limits.connections_per_source":  limitConnectionsPerSource,
	"limits.connection_buffer_bytes": limitConnectionBuffer,
	"limits.buffer_bytes":            limitBuffer,
}

// limitsElsewhere names the tests that hit the others: folder and function.
var limitsElsewhere = map[string]string{
	"limits.in_flight":            "internal/e2e TestInFlight",
	"limits.reserved_descriptors": "internal/e2e TestR40Descriptors",

	"timeouts.first_byte":    "dataplane/front TestFirstByteTimeout",
	"timeouts.header":        "internal/e2e TestR4Slowloris",
	"timeouts.idle":          "dataplane/front TestIdleTimeout",
	"timeouts.send":          "dataplane/front TestSendTimeout",
	"timeouts.drain":         "internal/e2e TestR14GracefulStop",
	"timeouts.tls_handshake": "dataplane/front TestTLSHandshakeTimeout",
	"timeouts.body_min_rate": "dataplane/front TestBodyMinimumRate",

	"overload.memory_bytes":      "internal/e2e TestMemory",
	"overload.memory.start":      "dataplane/overload TestSteps",
	"overload.memory.full":       "internal/e2e TestMemory",
	"overload.delay.start":       "dataplane/overload TestSteps",
	"overload.delay.full":        "dataplane TestPriorities",
	"overload.descriptors.start": "dataplane/overload TestSteps",
	"overload.descriptors.full":  "internal/e2e TestR40Descriptors",
	"overload.in_flight.start":   "dataplane/overload TestAllowance",
	"overload.in_flight.full":    "internal/e2e TestInFlight",
}

// TestEveryLimitIsHit: a limit of the host file has a test, or it is no limit.
func TestEveryLimitIsHit(t *testing.T) {
	known := map[string]bool{}
	var walk func(at string, s reflect.Type)
	walk = func(at string, s reflect.Type) {
		for i := range s.NumField() {
			f := s.Field(i)
			key := at + "." + f.Tag.Get("yaml")
			if f.Type.Kind() == reflect.Struct {
				walk(key, f.Type)
				continue
			}
			known[key] = true
			if limitTests[key] == nil && limitsElsewhere[key] == "" {
				t.Errorf("%s has no test that hits it; add one to limitTests", key)
			}
		}
	}
	walk("limits", reflect.TypeFor[configs.Limits]())
	walk("timeouts", reflect.TypeFor[configs.Timeouts]())
	walk("overload", reflect.TypeFor[configs.Overload]())
	for key, where := range limitsElsewhere {
		folder, name, _ := strings.Cut(where, " ")
		if !known[key] || limitTests[key] != nil || !defines(t, folder, name) {
			t.Errorf("%s: %q: no such key, or no such test", key, where)
		}
	}
	for key, hit := range limitTests {
		if !known[key] {
			t.Errorf("%s is not in the host file", key)
			continue
		}
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			hit(t)
		})
	}
}

// defines reports whether a test is in a folder.
func defines(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}

// limited starts a daemon with these lines in its limits, in front of a backend
// that answers with as many bytes as ?n= says.
func limited(t *testing.T, limits string, more ...string) *daemon {
	t.Helper()
	b := gatetest.Answering(t, func(r *http.Request) string {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return ""
		}
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
	})
	d := start(t, host{more: "limits: {" + limits + "}\n" + strings.Join(more, "\n")})
	d.deploy("prod", gatetest.ProxyAll(b.Addr, 1000), nil)
	return d
}

func limitHeaderBytes(t *testing.T) {
	d := limited(t, "header_bytes: 1000")
	const other = "Host: localhost\r\nX: \r\n"
	d.ask("GET", "/prod/x", "", "Host: localhost", "X: "+strings.Repeat("y", 1000-len(other))).expect(t, "at the limit", 200, "")
	d.ask("GET", "/prod/x", "", "Host: localhost", "X: "+strings.Repeat("y", 1001-len(other))).
		expectError(t, "beyond it", 431, "Request Header Fields Too Large", "RequestTooLargeException")
}

func limitHeaderCount(t *testing.T) {
	d := limited(t, "header_count: 5")
	fields := []string{"Host: localhost", "A: 1", "B: 2", "C: 3", "D: 4", "E: 5"}
	d.ask("GET", "/prod/x", "", fields[:5]...).expect(t, "at the limit", 200, "")
	d.ask("GET", "/prod/x", "", fields...).expectError(t, "beyond it", 431, "Request Header Fields Too Large", "RequestTooLargeException")
}

func limitURLBytes(t *testing.T) {
	d := limited(t, "url_bytes: 100")
	path := func(n int) string { return "/prod/" + strings.Repeat("a", n-len("/prod/")) }
	d.ask("GET", path(100), "").expect(t, "at the limit", 200, "")
	d.ask("GET", path(101), "").expectError(t, "beyond it", 414, "Request URI too long", "RequestTooLargeException")
}

func limitBodyBytes(t *testing.T) {
	d := limited(t, "body_bytes: 1000")
	d.ask("POST", "/prod/x", strings.Repeat("y", 1000)).expect(t, "at the limit", 200, "")
	d.ask("POST", "/prod/x", strings.Repeat("y", 1001)).
		expectError(t, "beyond it", 413, "HTTP content length exceeded 1000 bytes", "RequestTooLargeException")
}

func limitResponseBytes(t *testing.T) {
	d := limited(t, "response_bytes: 1000")
	d.ask("GET", "/prod/x?n=1000", "").expect(t, "at the limit", 200, strings.Repeat("x", 1000))
	d.ask("GET", "/prod/x?n=1001", "").expectError(t, "beyond it", 502, "Internal server error", serverError)
}

func limitIntegrationTimeout(t *testing.T) {
	d := limited(t, "integration_timeout: 1s") // which is the timeout of what is deployed
	_, err := d.client.Import(context.Background(), []byte(gatetest.ProxyAll("127.0.0.1:1", 1001)), control.ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "1000") {
		t.Errorf("a timeout of 1001 ms: %v", err)
	}
}

// opened counts how many of n connections that are held open get an answer. They
// come from a local address.
func opened(t *testing.T, d *daemon, from string, n int) (served int) {
	t.Helper()
	for range n {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
		conn, err := dialer.Dial("tcp", d.addr)
		if err != nil {
			continue // a reset can come that soon
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, 12)); err == nil {
			served++
		}
	}
	return served
}

func limitConnections(t *testing.T) {
	d := limited(t, "connections: 4", "workers: 2")
	if n := opened(t, d, "127.0.0.1", 12); n != 4 {
		t.Errorf("%d connections are served, want 4", n)
	}
	if n := d.metric("tidegate_connections_refused_total"); n != 8 {
		t.Errorf("%g are counted as refused, want 8", n)
	}
}

func limitConnectionsPerSource(t *testing.T) {
	d := limited(t, "connections_per_source: 3", "workers: 2", "trusted_proxies: [127.0.0.3/32]")
	for _, c := range []struct {
		from   string
		served int
	}{{"127.0.0.1", 3}, {"127.0.0.2", 3}, {"127.0.0.3", 7}} {
		if n := opened(t, d, c.from, 7); n != c.served {
			t.Errorf("%d connections from %s are served, want %d", n, c.from, c.served)
		}
	}
	if n, err := readMetric(d.admin, "tidegate_connections_refused_total", `reason="source"`); err != nil || n != 8 {
		t.Errorf("%g are counted as refused, %v; want 8", n, err)
	}
}

// limitConnectionBuffer: what a client does not take at once of an answer has to
// fit in.
func limitConnectionBuffer(t *testing.T) {
	const large = 9 << 20 // more than the kernel takes
	for _, c := range []struct {
		limit int
		whole bool
	}{{1 << 20, true}, {40000, false}} {
		d := limited(t, fmt.Sprintf("connection_buffer_bytes: %d", c.limit), "timeouts: {send: 10s}")
		conn, err := dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.conn.Close()
		if err := conn.send(fmt.Sprintf("GET /prod/x?n=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", large)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if n, err := io.Copy(io.Discard, conn.conn); (n > large) != c.whole {
			t.Errorf("a buffer of %d: a client that did not take %d bytes at once got %d of them, %v", c.limit, large, n, err)
		}
	}
}

// limitBuffer: a head for which there is no room has to wait, at most for as long
// as it may take.
func limitBuffer(t *testing.T) {
	d := limited(t, "header_bytes: 30000, url_bytes: 1000, connection_buffer_bytes: 31000, buffer_bytes: 31000", "workers: 1", "timeouts: {header: 2s}")
	whole := "GET /prod/x HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 10000) + "\r\n\r\n"
	ask := func() bool {
		c, err := dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		_ = c.send(whole)
		a, err := c.receive("GET")
		return err == nil && a.status == 200
	}
	first, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer first.conn.Close()
	if err := first.send(whole[:len(whole)-2]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the daemon has it
	if ask() {
		t.Error("a second head was served while the first took the room")
	}
	if !ask() {
		t.Error("the first one is gone, and no other is served")
	}
}
