package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Requests that wait for an authorizer are let go when their clients leave, and are
// answered as they would have been when the API is deployed anew meanwhile, or the
// gateway is told to stop.
func TestWaitingForAnAuthorizer(t *testing.T) {
	g := startGuarded(t, "")
	document := func(path string) string {
		return callersAPI(g.backend.addr, "", []string{tokenScheme("token", g.owner.http(), "")}, map[string]string{path: "[{token: []}]"})
	}
	g.deploy("prod", document("/pets"), nil)
	waiting := func(want int) {
		t.Helper()
		eventually(t, 5*time.Second, func() error {
			if n, err := readMetric(g.admin, "tidegate_authorizer_requests_waiting", ""); err != nil || int(n) != want {
				return fmt.Errorf("%v wait, want %d: %w", n, want, err)
			}
			return nil
		})
	}
	descriptors := g.descriptors()
	var conns []net.Conn
	for n := range 20 {
		conn, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /prod/pets HTTP/1.1\r\nHost: x\r\nAuthorization: slow-%d\r\n\r\n", n%3)
	}
	waiting(20)
	eventually(t, 5*time.Second, func() error { // a call is on its way before it has come
		if n := g.owner.under.Load(); n != 3 {
			return fmt.Errorf("%d calls for 3 callers", n)
		}
		return nil
	})
	for _, conn := range conns {
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		conn.Close()
	}
	waiting(0)
	if n := g.owner.under.Load(); n != 3 { // they go on, for whoever comes next
		t.Errorf("%d calls once the callers have left", n)
	}
	eventually(t, 5*time.Second, func() error {
		if n := g.descriptors(); n > descriptors+3 { // of the calls
			return fmt.Errorf("%d descriptors, %d before", n, descriptors)
		}
		return nil
	})

	g.owner.mu.Lock()
	g.owner.delay = 700 * time.Millisecond
	g.owner.mu.Unlock()
	ask := func(token string) <-chan string {
		got := make(chan string, 1)
		go func() {
			a, err := askOnce(g.addr, "GET", "/prod/pets", "", "Authorization: "+token)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- fmt.Sprint(a.status, " ", a.body)
		}()
		return got
	}
	before, silent := ask("allow-1"), ask("silent-1")
	waiting(2)
	g.deploy("prod", document("/others"), nil)
	if a := g.ask("GET", "/prod/pets", ""); a.status != 403 || a.errorType() != missingTokenType {
		t.Errorf("the new deployment: %d %s", a.status, a.body)
	}
	if got := <-before; got != "200 id=user|allow-1 tenant=blue level=7 admin=true" {
		t.Errorf("deployed while it waited: %s", got)
	}
	if got := <-silent; !strings.HasPrefix(got, "403 ") {
		t.Errorf("deployed while it waited: %s", got)
	}

	g.deploy("prod", document("/pets"), nil)
	last := ask("allow-2")
	waiting(1)
	g.terminate(20 * time.Second)
	if got := <-last; got != "200 id=user|allow-2 tenant=blue level=7 admin=true" {
		t.Errorf("stopped while it waited: %s", got)
	}
}
