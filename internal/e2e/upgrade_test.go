package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/fasthttp/websocket"
	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// upgrade has a successor take over; d is that from then on. Its predecessor must
// end without an error, in its time.
func (d *daemon) upgrade() error {
	d.t.Helper()
	s, err := d.client.Upgrade(context.Background())
	if err != nil {
		return err
	}
	// Orphans come to this process, which can wait for them then.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		d.t.Fatal(err)
	}
	next, err := os.FindProcess(s.PID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.client.Close() // its connection is to the predecessor
	before, exited := d.exited, make(chan struct{})
	d.line = append(d.line, d.cmd.Process)
	d.cmd, d.exited = &exec.Cmd{Process: next}, exited
	go func() {
		defer close(exited)
		<-before
		if d.err != nil && !strings.Contains(d.err.Error(), "killed") {
			d.t.Errorf("a predecessor ended with %v", d.err)
		}
		d.err = nil
		if state, err := next.Wait(); err != nil {
			d.err = err
		} else if !state.Success() {
			d.err = errors.New(state.String())
		}
	}()
	return nil
}

// TestR12Upgrade has successors take over one after the other while all kinds of
// clients go on. None of them sees more than that a connection ends in the regular
// way, and what is counted is counted once.
func TestR12Upgrade(t *testing.T) {
	t.Parallel()
	upgrades, sockets := lesser(20, 5), lesser(500, 50)
	if testing.Short() {
		upgrades, sockets = 3, 50
	}
	ready := make(chan struct{})
	cert, key := gatetest.Certificate(t, t.TempDir())
	d := start(t, host{
		tls:     `{certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`,
		domains: `[{name: sockets.example, mappings: [{api: sockets}]}, {name: keyed.example, mappings: [{api: keyed}]}, {name: "*", mappings: [{api: test}]}]`,
		more:    "timeouts: {drain: 4s}\n" + moreSockets,
	})
	d.deploy("prod", mocks, nil)
	keyedID := d.deploy("prod", strings.Replace(keyed, "title: test", "title: keyed", 1), nil)
	d.deploySockets(strings.Replace(echoAPI(echoBackend(t)), "name: test", "name: sockets", 1))
	a := d.account(t)
	plan := a.plan(nil, quota(1_000_000, "DAY"), keyedID+":prod")
	keyID, value := a.key(plan)

	stop := make(chan struct{})
	var clients sync.WaitGroup
	var asked, counted, greeted atomic.Int64
	repeat := func(name string, n int, do func() error) {
		for range n {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := do(); err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
	}
	// until asks on one connection until an answer says that it is the last.
	until := func(dial func() (*client, error), one func(*client) (*answer, error)) func() error {
		return func() error {
			c, err := dial()
			if err != nil {
				return err
			}
			defer c.conn.Close()
			for {
				_ = c.conn.SetDeadline(time.Now().Add(10 * time.Second))
				a, err := one(c)
				if err != nil {
					return err
				}
				if a.status != 200 {
					return fmt.Errorf("%d %s", a.status, a.body)
				}
				asked.Add(1)
				if a.last {
					return nil
				}
				select {
				case <-stop:
					return nil
				case <-time.After(2 * time.Millisecond):
				}
			}
		}
	}
	plain := func() (*client, error) { return dial(d.addr) }
	secure := func() (*client, error) { return d.dialTLS(&tls.Config{}) }
	pets := func(c *client) (*answer, error) { return c.ask("GET", "/prod/pets", "") }
	repeat("keep-alive", 8, until(plain, pets))
	repeat("keep-alive over TLS", 4, until(secure, pets))
	repeat("one request each", 2, until(plain, func(c *client) (*answer, error) { return c.ask("GET", "/prod/pets", "", "Connection: close") }))
	repeat("with a key", 4, until(plain, func(c *client) (*answer, error) {
		a, err := c.ask("GET", "/prod/pets", "", "Host: keyed.example", "x-api-key: "+value)
		if err == nil && a.status == 200 {
			counted.Add(1)
		}
		return a, err
	}))
	var open atomic.Int64
	repeat("WebSocket", sockets, func() error {
		c, answer, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod", http.Header{"Host": {"sockets.example"}})
		if err != nil {
			if answer != nil {
				body, _ := io.ReadAll(answer.Body)
				err = fmt.Errorf("%w: %s %s", err, answer.Status, body)
			}
			return err
		}
		defer c.Close()
		if open.Add(1) == int64(sockets) {
			close(ready)
		}
		for {
			if err := c.WriteMessage(websocket.TextMessage, []byte(`{"action":"echo"}`)); err != nil {
				return err
			}
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			switch _, text, err := c.ReadMessage(); {
			case websocket.IsCloseError(err, websocket.CloseGoingAway):
				return nil
			case err != nil:
				return err
			case string(text) != `{"action":"echo"}`:
				return fmt.Errorf("%s", text)
			}
			greeted.Add(1)
			select {
			case <-stop:
				return nil
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	<-ready
	for n := range upgrades {
		if err := d.upgrade(); err != nil {
			t.Errorf("upgrade %d: %v", n, err)
			break
		}
		time.Sleep(300 * time.Millisecond)
	}
	time.Sleep(time.Second)
	close(stop)
	clients.Wait()
	for _, p := range d.line {
		eventually(t, 10*time.Second, func() error {
			if err := p.Signal(syscall.Signal(0)); err == nil {
				return errors.New("a predecessor is still there")
			}
			return nil
		})
	}
	if used, _ := d.account(t).used(plan, keyID); used != counted.Load() {
		t.Errorf("%d requests are counted, %d were answered", used, counted.Load())
	}
	found(t, "R12", "%d upgrades, %d requests, %d of them with a key, %d messages: none failed", upgrades, asked.Load(), counted.Load(), greeted.Load())
	d.terminate(10 * time.Second)
}

// TestUpgradeKeepsLimits: the token buckets of a successor are as empty: of a stage's
// method, of a plan's client, and of a client's method.
func TestUpgradeKeepsLimits(t *testing.T) {
	t.Parallel()
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	a.patchStage(api, "prod", "/free/GET/throttling/rateLimit", "0.01", "/free/GET/throttling/burstLimit", "4")
	plan := a.plan(throttle(0.01, 4), nil, api+":prod")
	_, value := a.key(plan)
	at := "/apiStages/" + api + ":prod/throttle/~1pets/POST"
	_, err := a.client.UpdateUsagePlan(a.ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan,
		PatchOperations: replace(at+"/rateLimit", "0.01", at+"/burstLimit", "3")})
	a.must(err)
	for n := range 6 {
		if n%2 == 1 {
			if err := d.upgrade(); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			method, path, field string
			burst               int
		}{
			{"GET", "/prod/free", "X-None: x", 4},
			{"GET", "/prod/pets", "X-API-Key: " + value, 4},
			{"POST", "/prod/pets", "X-API-Key: " + value, 3},
		} {
			want := 200
			if n >= c.burst {
				want = 429
			}
			if a := d.ask(c.method, c.path, "", c.field); a.status != want {
				t.Errorf("request %d of %s %s: %d, want %d", n+1, c.method, c.path, a.status, want)
			}
		}
		time.Sleep(500 * time.Millisecond) // the last ones of a predecessor are told late
	}
}

// TestR13UpgradeFails: whatever is wrong with the new program, the old one goes on
// as if nothing had been, and says why.
func TestR13UpgradeFails(t *testing.T) {
	t.Parallel()
	d := prepare(t, host{})
	d.program = filepath.Join(d.dir, "tidegate")
	install := func(contents []byte) {
		t.Helper()
		next := d.program + ".new"
		if err := os.WriteFile(next, contents, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, d.program); err != nil {
			t.Fatal(err)
		}
	}
	good, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	install(good)
	d.run()
	d.waitReady()
	d.deploy("prod", mocks, nil)
	steady := newTraffic(4, d.addr, 2*time.Millisecond, get("/prod/pets", 4))
	for _, c := range []struct{ name, program, config, want string }{
		{"exits", "#!/bin/sh\nexit 1\n", "", "ended before it served"},
		{"is no program", "not a program", "", "exec format error"},
		{"hangs", "#!/bin/sh\nexec sleep 100\n", "", "did not serve within 10s"},
		{"finds a host file that is wrong", "", "nonsense: 1", "nonsense"},
		{"cannot open a listener", "", unbindable, `listener "extra"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.program != "" {
				install([]byte(c.program))
				defer install(good)
			}
			h := d.host
			if c.config == unbindable {
				h.also += unbindable
			} else {
				h.more += "\n" + c.config
			}
			d.write(h)
			defer d.write(d.host)
			if err := d.upgrade(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			// Changes go on, and so does the next upgrade.
			d.deploy("prod", mocks, nil)
		})
	}
	steady.Stop(t)
	found(t, "R13", "5 ways to fail, %d requests meanwhile: none failed", steady.requests.Load())
	if err := d.upgrade(); err != nil {
		t.Errorf("a good program after that: %v", err)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "after it", 200, "pets")
	d.deploy("prod", mocks, nil)
}

// unbindable is a listener at an address that no machine has, which shows when the
// predecessor has given up its state.
const unbindable = "  - {name: extra, address: \"192.0.2.1:8081\"}\n"

// TestUpgradeGuarded: what the kernel does goes on without a gap while successors
// take over. Who is shut out stays so, and private listeners are there for theirs.
func TestUpgradeGuarded(t *testing.T) {
	t.Parallel()
	g := guard(t, 3, host{
		also: `  - {name: inside, address: ":8443", interfaces: [veth2], endpoint: vpce-inside}
`,
		more: "kernel_gate: {interfaces: [veth1, veth2, veth3], pin_dir: PINS}\ntimeouts: {drain: 4s}",
	})
	private := g.deployPrivate()
	g.cli("gate", "deny", g.clients[1].IPv4.String(), "--status", "429")
	var stop atomic.Bool
	var visitors sync.WaitGroup
	var visits [4]atomic.Int64
	visitor := func(name string, n int, once func() (string, bool)) {
		visitors.Go(func() {
			for !stop.Load() {
				if how, ok := once(); !ok {
					t.Errorf("%s: %s", name, how)
					return
				}
				visits[n].Add(1)
			}
		})
	}
	visitor("who is denied", 1, func() (string, bool) {
		status, header, body := g.visit(1, public, "/prod/pets")
		return fmt.Sprint(status, body), status == 429 && byKernel(header)
	})
	visitor("by the private interface", 2, func() (string, bool) {
		how := ask(g.clients[2].Namespace, g.ends[2].IPv4, ":8443", private)
		return how, how == "pets"
	})
	visitor("by a public interface", 3, func() (string, bool) {
		how := ask(g.clients[3].Namespace, g.ends[3].IPv4, ":8080", anyHost)
		return how, how == "pets"
	})
	outsider := g.clients[3].Namespace
	for range 4 {
		if err := g.upgrade(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if how := ask(outsider, g.ends[3].IPv4, ":8443", private); how == "pets" {
			t.Error("the private listener answers by a public interface")
		}
	}
	// One that fails when it had all that changes nothing either.
	h := g.host
	h.also += unbindable
	g.write(h)
	if err := g.upgrade(); err == nil {
		t.Error("it took over without a listener")
	}
	g.write(g.host)
	time.Sleep(300 * time.Millisecond)
	stop.Store(true)
	visitors.Wait()
	g.cli("gate", "deny", g.clients[3].IPv4.String(), "--status", "429")
	if status, header, _ := g.visit(3, public, "/prod/pets"); status != 429 || !byKernel(header) {
		t.Errorf("denied after the upgrades: %d, %v", status, header)
	}
	found(t, "R12", "kernel gate: %d visits refused, %d private, %d public, none astray", visits[1].Load(), visits[2].Load(), visits[3].Load())
}
