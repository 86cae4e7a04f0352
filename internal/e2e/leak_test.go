package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/dataplane/control"
)

// level is what a process holds.
type level struct {
	descriptors, goroutines, threads, resident int // KiB
}

func (d *daemon) level() level {
	d.t.Helper()
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(d.cmd.Process.Pid) + "/task")
	if err != nil {
		d.t.Fatal(err)
	}
	return level{d.descriptors(), int(d.metric("go_goroutines")), len(threads), d.resident()}
}

// TestR41Leaks lets the daemon live through load of every kind, deployments and
// faults, again and again; whenever all is quiet it holds what it held the first time
// (R41). TIDEGATE_SOAK_FOR makes the long form longer, 2h for instance.
func TestR41Leaks(t *testing.T) {
	t.Parallel()
	during, stir := 12*time.Second, 1500*time.Millisecond
	if soaking() {
		during, stir = 4*time.Minute, 12*time.Second
		if text := os.Getenv("TIDEGATE_SOAK_FOR"); text != "" {
			var err error
			if during, err = time.ParseDuration(text); err != nil {
				t.Fatalf("TIDEGATE_SOAK_FOR: %v", err)
			}
		}
	}
	good, ill := nginx(t, "one")[0], newFaulty(t)
	d := start(t, host{
		domains: `[{name: sockets.example, mappings: [{api: sockets}]}, {name: "*", mappings: [{api: test}]}]`,
		more:    "upstream: {idle_timeout: 1s, outliers: {ejection: 1s, max_ejection: 1s}}\n" + moreSockets,
	})
	pool := poolOf("pool", time.Second, "", good, ill.addr)
	host := d.deploy("prod", pool, nil) + ".execute-api.localhost"
	d.deploy("prod", mocks, nil)
	d.deploySockets(strings.Replace(echoAPI(echoBackend(t)), "name: test", "name: sockets", 1))

	var first, last level
	turns, began := 0, time.Now()
	for ; turns < 3 || time.Since(began) < during; turns++ {
		d.stir(host, pool, ill, stir)
		eventually(t, 15*time.Second, func() error {
			if d.metric("tidegate_connections_open")+d.metric("tidegate_upstream_connections_open") > 0 {
				return errors.New("connections are open")
			}
			// The first turn makes what every later one finds.
			if last = d.level(); turns > 0 && (last.descriptors > first.descriptors || last.goroutines > first.goroutines) {
				return fmt.Errorf("%+v, and %+v after the first turn", last, first)
			}
			return nil
		})
		if turns == 0 {
			first = last
		}
	}
	found(t, "R41", "%d times in %s: %d descriptors, then %d; %d goroutines, then %d; %d threads, then %d; %d KiB resident, then %d", turns, tenths(time.Since(began)),
		first.descriptors, last.descriptors, first.goroutines, last.goroutines, first.threads, last.threads, first.resident, last.resident)
	if underRace {
		return
	}
	// The heap grows until a collection has seen the most of it in use.
	if most := first.resident + first.resident/10 + 16<<10; last.resident > most {
		t.Errorf("resident memory went from %d to %d KiB", first.resident, last.resident)
	}
}

// stir does some of everything to the daemon for a while, and ends it all.
func (d *daemon) stir(host, pool string, ill *faulty, during time.Duration) {
	t, ctx := d.t, context.Background()
	t.Helper()
	end := time.Now().Add(during)
	steady := newTraffic(16, d.addr, 5*time.Millisecond, get("/prod/pets", 4))
	troubled := d.keepAsking(8, 5*time.Millisecond, host)
	for turn := 0; time.Now().Before(end); turn++ {
		ill.set(t, []string{"", "refuse", "reset", "truncate", "garbage", "hang"}[turn%6])
		id := d.deploy("prod", pool, nil)
		deployments, err := d.client.Deployments(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, old := range deployments {
			_ = d.client.DeleteDeployment(ctx, id, old.ID) // but the stage's
		}
		passing, err := d.client.Import(ctx, []byte("openapi: 3.0.1\ninfo: {title: passing, version: \"1\"}\npaths: {}\n"), control.ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.client.DeleteAPI(ctx, passing.ID); err != nil {
			t.Error(err)
		}
		for i := range 10 {
			c, _, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod", http.Header{"Host": {"sockets.example"}})
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.WriteMessage(websocket.TextMessage, []byte(`{"action":"echo"}`))
			if i%2 == 0 {
				_, _, _ = c.ReadMessage()
			}
			_ = c.Close()
		}
		for i, raw := range []string{"", "GET /prod/pe", "GET /prod/pets HTTP/1.1\r\nHost: x\r\n\r\n", "POST /prod/pets HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", "garbage\r\n\r\n"} {
			conn, err := net.Dial("tcp", d.addr)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, raw)
			if i%2 == 0 {
				_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			}
			_ = conn.Close()
		}
		time.Sleep(min(during/6, 5*time.Second))
	}
	ill.set(t, "")
	troubled.end()
	steady.Stop(t)
}
