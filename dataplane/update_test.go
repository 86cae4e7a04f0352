package dataplane_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// ask makes one request on a connection of its own.
func ask(t *testing.T, g *gatetest.Gate, target string) (status int, body string) {
	t.Helper()
	conn := g.Dial(false)
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestFailedUpdateLeavesNoTrace: an edit that refuses, and one whose result
// cannot be compiled.
func TestFailedUpdateLeavesNoTrace(t *testing.T) {
	backend := gatetest.Answering(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" })
	g := gatetest.Start(t)
	id := g.ProxyAll(backend.Addr)
	if _, body := ask(t, g, "/prod/x"); body != "ok" {
		t.Fatalf("answer %q", body)
	}
	catalog := g.Gateway.Catalog()
	refused := errors.New("refused")
	for name, edit := range map[string]func(*definition.Catalog) (definition.Change, error){
		"refusing edit": func(*definition.Catalog) (definition.Change, error) { return definition.Change{}, refused },
		"bad endpoint": func(c *definition.Catalog) (definition.Change, error) {
			m := &definition.Method{HTTPMethod: "GET", Integration: &definition.Integration{Type: definition.IntegrationHTTPProxy,
				HTTPMethod: "GET", URI: "http://h:99999/", TimeoutMillis: 29000}}
			b := definition.NewBody(id, []*definition.Resource{{ID: "r", Path: "/x", Methods: map[string]*definition.Method{"GET": m}}}, definition.Settings{EndpointType: definition.EndpointRegional})
			return definition.Change{
				PutDeployments: []*definition.Deployment{{ID: "broken", APIID: id, Number: 2, Body: b}},
				PutStages:      []*definition.Stage{{APIID: id, Name: "prod", DeploymentID: "broken"}, {APIID: id, Name: "new", DeploymentID: "broken"}},
			}, nil
		},
	} {
		err := g.Gateway.Update(context.Background(), edit)
		var invalid *definition.InvalidError
		if !errors.Is(err, refused) && (!errors.As(err, &invalid) || !strings.Contains(err.Error(), "GET /x")) {
			t.Errorf("%s: %v", name, err)
		}
		if g.Gateway.Catalog() != catalog {
			t.Errorf("%s: another catalog", name)
		}
		if status, body := ask(t, g, "/prod/x"); status != 200 || body != "ok" {
			t.Errorf("%s: %d %q", name, status, body)
		}
		if status, _ := ask(t, g, "/new/x"); status != 403 {
			t.Errorf("%s: stage new answers %d", name, status)
		}
	}
	if n := backend.Connections(); n > 2 { // one for each event loop: the pools stayed
		t.Errorf("%d connections to the backend", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.Gateway.Update(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone: %v", err)
	}
}

// TestRestartServesTheSame from what was written.
func TestRestartServesTheSame(t *testing.T) {
	g := gatetest.Start(t)
	g.ProxyAll("127.0.0.1:8081")
	before := g.Gateway.Catalog()
	if err := g.Gateway.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := dataplane.New(g.Host, dataplane.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "test", Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !reflect.DeepEqual(again.Catalog(), before) {
		t.Errorf("catalog %+v, want %+v", again.Catalog(), before)
	}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	status, err := control.Dial(g.Host.Control.Socket).Status(context.Background())
	if err != nil || status.State != control.StateReady || status.APIs != 1 || status.Stages != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
}

// TestStartFailures name what is wrong, and leave nothing open.
func TestStartFailures(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		edit func(*configs.Host)
		want string
	}{
		"port taken":  {func(h *configs.Host) { h.Listeners[0].Address = taken.Addr().String() }, "address already in use"},
		"admin taken": {func(h *configs.Host) { h.Admin.Address = taken.Addr().String() }, "admin listener"},
		"no certificate": {func(h *configs.Host) {
			h.Listeners[0].TLS = &configs.TLS{Certificates: []configs.Certificate{{Cert: "none", Key: "none"}}}
		}, "certificate none"},
		"no CA file":      {func(h *configs.Host) { h.Upstream.CAFile = "none" }, "upstream.ca_file"},
		"no state folder": {func(h *configs.Host) { h.StateDir = "/proc/none/state" }, "make state directory"},
		"no places":       {func(h *configs.Host) { h.WAF.GeoFile = "none" }, "waf.geo_file: none: open none: no such file"},
		"no log folder":   {func(h *configs.Host) { h.AccessLog.Path = "/none/access.log" }, "access log"},
	} {
		h := configs.Defaults()
		dir := t.TempDir()
		h.StateDir, h.Control.Socket = dir+"/state", dir+"/c.sock"
		h.Listeners[0].Address, h.Admin.Address = "127.0.0.1:0", ""
		c.edit(h)
		gateway, err := dataplane.New(h, dataplane.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Stderr: io.Discard})
		if err == nil {
			err = gateway.Start()
			_ = gateway.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
