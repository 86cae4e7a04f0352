package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestR14GracefulStop: what is in flight at SIGTERM is answered, nobody new gets
// in, and the process ends when the last answer is out.
func TestR14GracefulStop(t *testing.T) {
	t.Parallel()
	const slow = 2 * time.Second
	arrived := make(chan struct{}, 1000)
	b := gatetest.Answering(t, func(r *http.Request) string {
		if r.URL.Path == "/slow" {
			arrived <- struct{}{}
			time.Sleep(slow)
		}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	d := start(t, host{more: "timeouts: {drain: 5s}"})
	d.deploy("prod", gatetest.ProxyAll(b.Addr, 29000), nil)
	idle, err := dial(d.addr) // it has had its answer
	if err != nil {
		t.Fatal(err)
	}
	defer idle.conn.Close()
	if err := get("/prod/x", 2)(idle, 0); err != nil {
		t.Fatal(err)
	}
	// Requests that go on meanwhile may find their connection closed between
	// two of them, but none may break off.
	steady := newTraffic(16, d.addr, 5*time.Millisecond, func(c *client, turn int) error {
		err := get("/prod/x", 2)(c, turn)
		if err == io.EOF || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			time.Sleep(time.Second)
			return nil
		}
		return err
	})
	const inFlight = 64
	var wg sync.WaitGroup
	for range inFlight {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a, err := askOnce(d.addr, "POST", "/prod/slow", "body")
			if err != nil {
				t.Errorf("in flight: %v", err)
				return
			}
			a.expect(t, "in flight", 200, "ok")
			if !a.last {
				t.Error("in flight: the answer does not say that the connection ends")
			}
		}()
	}
	for range inFlight {
		<-arrived
	}
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, func() error {
		conn, err := net.Dial("tcp", d.addr)
		if err == nil {
			_ = conn.Close()
			return errors.New("a new connection was accepted")
		}
		return nil
	})
	if _, err := idle.br.ReadByte(); err != io.EOF {
		t.Errorf("an idle connection: %v, want EOF", err)
	}
	if resp, err := adminClient.Get("http://" + d.admin + "/readyz"); err != nil || resp.StatusCode != 503 {
		t.Errorf("/readyz while draining: %v %v, want 503", resp, err)
	}
	d.waitExit(6 * time.Second) // drain and one second; it takes two
	found(t, "R14", "exit after %s, with %d requests of %s in flight", tenths(time.Since(began)), inFlight, slow)
	wg.Wait()
	steady.Stop(t)
}

// TestDrainGivesUp: a backend that never answers holds the process no longer
// than timeouts.drain, and the exit code tells.
func TestDrainGivesUp(t *testing.T) {
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	d := start(t, host{more: "timeouts: {drain: 500ms}"})
	d.deploy("prod", gatetest.ProxyAll(hanging.Addr, 29000), nil)
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	if err := c.send("GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, func() error {
		if hanging.Connections() == 0 {
			return fmt.Errorf("the request has not arrived")
		}
		return nil
	})
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.exited:
	case <-time.After(1500 * time.Millisecond):
		t.Fatal("it waits on")
	}
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("it gave up after %s", took)
	}
	if d.err == nil || !strings.Contains(d.stderr.String(), "still open") {
		t.Errorf("exit %v; %s", d.err, d.stderr.tail(300))
	}
}
