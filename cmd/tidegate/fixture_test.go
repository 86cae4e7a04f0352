package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// memory is a gateway that only remembers what it is told.
type memory struct {
	mu      sync.Mutex
	catalog *definition.Catalog
	refuse  error         // of the next updates that make a deployment
	delay   time.Duration // of every look at the catalog

	upstream    []control.UpstreamStatus
	offenders   []control.Offender
	caches      []control.CacheStatus
	issuers     []control.IssuerStatus
	authorizers []control.AuthorizerStatus
	flushed     []string // stages of any API
	kept        *control.StateStatus
	keyring     *keyring
	gate        *fakeGate

	waf         fakeWAF
	connections fakeConnections
}

func (m *memory) Catalog() *definition.Catalog {
	time.Sleep(m.delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.catalog
}

func (m *memory) Update(_ context.Context, edit func(*definition.Catalog) (definition.Change, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	change, err := edit(m.catalog)
	if err != nil {
		return err
	}
	if m.refuse != nil && len(change.PutDeployments) > 0 {
		return m.refuse
	}
	next := m.catalog.With(change)
	if _, err := iam.NewStore("000000000000").Compile(next); err != nil {
		return &definition.InvalidError{Err: err}
	}
	acls, err := m.waf.compile(next)
	if err != nil {
		return err
	}
	m.waf.acls = acls
	m.catalog = next
	m.keyring.apply(change)
	return nil
}

func (m *memory) Status() control.Status {
	c := m.Catalog()
	return control.Status{
		Version: "1.2.3", State: control.StateReady, StartedAt: time.Now().Add(-90 * time.Second),
		Region: "us-east-1", AccountID: "000000000000", GatewayDomain: "localhost", Workers: 2,
		Listeners: []control.ListenerStatus{{Name: "public", Address: "127.0.0.1:8080", Refusal: "respond", Connections: 3}},
		APIs:      len(c.APIs), Deployments: len(c.Deployments), Stages: len(c.Stages),
		Notes: []string{"the kernel gate is off"},
		Kept:  m.kept,
		Overload: &control.OverloadStatus{
			Step: "idle connections are closed", MemoryUsed: 466 << 20, MemoryLimit: 512 << 20, MemoryLimitOf: "the control group",
			Signals: []control.OverloadSignal{{Name: "memory", Value: 0.91, Level: 0.6}, {Name: "delay", Value: 0.0012}, {Name: "descriptors", Value: 0.02}, {Name: "in_flight"}},
			Shed:    map[string]uint64{"low": 10, "normal": 2},
		},
		Gate: &m.gate.status, Issuers: m.issuers, Authorizers: m.authorizers,
	}
}

func (m *memory) Offenders(int) []control.Offender { return m.offenders }

func (m *memory) Upstream() []control.UpstreamStatus { return m.upstream }

func (m *memory) Gate() control.Gate { return m.gate }

func (m *memory) WAF() control.WAF { return &m.waf }

func (m *memory) Connections() control.Connections { return &m.connections }

func (m *memory) Caches() []control.CacheStatus { return m.caches }

func (m *memory) FlushCache(_, stage string) error {
	m.flushed = append(m.flushed, stage)
	return nil
}

func (m *memory) FlushAuthorizers(_, stage string) error { return m.FlushCache("", stage) }

func (m *memory) AcknowledgeFallback() error {
	m.kept.Fallback = nil
	return nil
}

func (m *memory) Drain(context.Context) error { return nil }

func (m *memory) Upgrade(context.Context) (control.Successor, error) {
	return control.Successor{PID: 4711, Version: "2.0.0"}, nil
}

// fixture is a control socket with an empty gateway behind it.
type fixture struct {
	*memory
	socket   string
	terminal bool
	columns  int       // of the terminal that stdout is
	stdin    string    // petstore when empty
	now      time.Time // the time it is when zero
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		memory: &memory{catalog: (&definition.Catalog{}).With(definition.Change{}), keyring: newKeyring()},
		socket: filepath.Join(t.TempDir(), "control.sock"),
	}
	f.gate = &fakeGate{memory: f.memory, status: control.GateStatus{Interfaces: []control.GateInterface{}}, stats: []control.GateStats{{}}}
	server := control.NewServer(f.memory, control.Options{
		Socket: f.socket, Mode: 0o600, Region: "us-east-1", AccountID: "000000000000", GatewayDomain: "localhost",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
			t.Error(err)
		}
	})
	return f
}

// run runs the command line and returns its exit code and what it printed.
func (f *fixture) run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = dispatch(&env{
		args: args, stdin: strings.NewReader(cmp.Or(f.stdin, petstore)), stdout: &out, stderr: &errs,
		terminal: f.terminal, columns: f.columns,
		now: func() time.Time {
			if f.now.IsZero() {
				return time.Now()
			}
			return f.now
		},
		getenv: func(name string) string {
			if name == "TIDEGATE_SOCKET" {
				return f.socket
			}
			return ""
		},
	})
	return code, out.String(), errs.String()
}

// must runs a command line that has to succeed, and returns what it printed.
func (f *fixture) must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := f.run(args...)
	if code != exitOK {
		t.Fatalf("tidegate %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// refused runs a command line that has to exit with code and say want.
func (f *fixture) refused(t *testing.T, code int, want string, args ...string) {
	t.Helper()
	got, _, stderr := f.run(args...)
	if got != code || !strings.Contains(stderr, want) {
		t.Errorf("tidegate %s: exit code %d, want %d with %q:\n%s", strings.Join(args, " "), got, code, want, stderr)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const petstore = `openapi: 3.0.1
info: {title: petstore, version: "1.0"}
paths:
  /pets:
    get:
      responses: {"200": {description: all}}
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: "http://${stageVariables.backend}/pets"}
`

const chat = `protocolType: WEBSOCKET
name: chat
routeSelectionExpression: $request.body.action
integrations:
  backend: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: "http://${stageVariables.backend}/"}
routes:
  $connect: {target: integrations/backend}
  sendmessage: {target: integrations/backend}
`

const brokenAPI = `openapi: 3.0.1
info: {title: broken, version: "1.0"}
paths:
  /pets:
    get:
      responses: {"200": {description: all}}
      x-amazon-apigateway-integration:
        {type: carrier_pigeon, httpMethod: GET, uri: "http://127.0.0.1:1/"}
`
