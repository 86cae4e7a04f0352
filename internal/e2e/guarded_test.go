package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
)

// guarded is a daemon in a network namespace of its own, which clients reach by
// one interface each: veth1, veth2…
type guarded struct {
	*daemon
	net     *testnet.Namespace
	ends    []*testnet.End // of the daemon, from 1
	clients []*testnet.End // the other ones
	pins    string
}

// public is where the daemon's first listener is.
const public = ":8080"

// network makes the namespaces of a daemon and n clients.
func network(t testing.TB, n int) *guarded {
	t.Helper()
	need.Root(t)
	need.Tool(t, "nsenter")
	g := &guarded{net: testnet.New(t), ends: make([]*testnet.End, 1), clients: make([]*testnet.End, 1)}
	g.pins = filepath.Join(testnet.FS(t), "tidegate")
	for i := 1; i <= n; i++ {
		g.connect(t, uint8(i))
	}
	return g
}

// connect adds a client, or its interface once more.
func (g *guarded) connect(t testing.TB, n uint8) {
	t.Helper()
	var client *testnet.Namespace
	if int(n) < len(g.clients) {
		client = g.clients[n].Namespace
	} else {
		client = testnet.New(t)
		g.ends, g.clients = append(g.ends, nil), append(g.clients, nil)
	}
	g.ends[n], g.clients[n] = testnet.Connect(g.net, client, n)
}

// prepare writes the host file. What h says more is in YAML; PINS stands for the
// folder of pins.
func (g *guarded) prepare(t testing.TB, h host) {
	t.Helper()
	h.more = strings.ReplaceAll(h.more, "PINS", g.pins)
	g.daemon = prepare(t, h)
	g.addr, g.admin = public, "127.0.0.1:9090"
	g.write(g.host)
}

// guard runs a daemon with a gate and n clients until the test ends.
func guard(t testing.TB, n int, h host) *guarded {
	t.Helper()
	g := network(t, n)
	g.prepare(t, h)
	g.start()
	return g
}

// start runs the daemon in its namespace, wrapped, and waits until it serves.
func (g *guarded) start(wrap ...string) {
	g.t.Helper()
	g.run(append([]string{need.Tool(g.t, "nsenter"), "--net=" + g.net.Path(), "--"}, wrap...)...)
	eventually(g.t, 20*time.Second, func() error {
		select {
		case <-g.exited:
			g.t.Fatalf("the daemon ended: %v\n%s", g.err, g.stderr)
		default:
		}
		status, err := g.client.Status(context.Background())
		if err == nil && status.State != control.StateReady {
			err = errors.New(status.State)
		}
		return err
	})
}

// url is the daemon's address as client n sees it.
func (g *guarded) url(n int, port, path string) string {
	return "http://" + g.ends[n].IPv4.String() + port + path
}

// httpIn makes a client in a namespace that dials anew for each request.
func httpIn(n *testnet.Namespace) *http.Client {
	return &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: n.Dial}}
}

// visit does a GET from client n and returns the status and the body, or 0 and
// the error.
func (g *guarded) visit(n int, port, path string, fields ...string) (int, http.Header, string) {
	return visit(g.clients[n].Namespace, g.url(n, port, path), fields...)
}

func visit(from *testnet.Namespace, url string, fields ...string) (int, http.Header, string) {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, nil, err.Error()
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Set(name, value)
	}
	resp, err := httpIn(from).Do(req)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return 0, nil, refusedConnection
	case errors.Is(err, syscall.ECONNRESET):
		return 0, nil, resetConnection
	case errors.Is(err, context.DeadlineExceeded), err != nil && os.IsTimeout(err):
		return 0, nil, silence
	case err != nil:
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, resp.Header, err.Error()
	}
	return resp.StatusCode, resp.Header, string(body)
}

// What becomes of a request that gets no answer.
const (
	refusedConnection = "refused"
	resetConnection   = "reset"
	silence           = "silence"
)

// byKernel tells the gate's answers from the gateway's own, which have ids.
func byKernel(h http.Header) bool { return h.Get("x-amzn-RequestId") == "" }

// cli runs the command line, which has to succeed.
func (g *guarded) cli(args ...string) string {
	g.t.Helper()
	out, err := g.tryCLI(args...)
	if err != nil {
		g.t.Fatalf("tidegate %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (g *guarded) tryCLI(args ...string) (string, error) {
	out, err := g.command(args...).CombinedOutput()
	return string(out), err
}

func (g *guarded) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "TIDEGATE_SOCKET="+g.socket)
	return cmd
}

// sentences lists who is shut out.
func (g *guarded) sentences() (networks []string) {
	g.t.Helper()
	entries, err := g.client.GateEntries(context.Background())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == control.GateSentence {
			networks = append(networks, e.Network)
		}
	}
	return networks
}

// free deploys an API of mocks at stage prod and returns an API key whose quota
// is so many requests a month.
func (g *guarded) free(t *testing.T, requests int) (key string) {
	t.Helper()
	api := g.deploy("prod", keyed, nil)
	g.cli("plans", "create", "gold", "--quota", fmt.Sprintf("%d/month", requests), "--stage", api+":prod")
	return strings.TrimSpace(g.cli("keys", "create", "shop", "--plan", "gold", "-q"))
}
