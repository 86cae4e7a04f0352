package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// fakeGateway keeps a catalog in memory and refuses what it is told to.
type fakeGateway struct {
	mu                sync.Mutex
	catalog           *definition.Catalog
	keys              *fakeKeys
	iam               *iam.Store
	refuse            error    // what the next Update's compilation finds
	refuseDeployments error    // what it finds in a new deployment
	flushed           []string // API:STAGE
	caches            []CacheStatus
	drained           chan struct{}
	fallback          *StateFallback
	gate              *fakeGate

	waf         fakeWAF
	connections fakeConnections
}

func newFakeGateway() *fakeGateway {
	g := &fakeGateway{catalog: (&definition.Catalog{}).With(definition.Change{}), keys: newFakeKeys(), iam: iam.NewStore("000000000000"), drained: make(chan struct{}, 8)}
	g.gate = newFakeGate(g)
	return g
}

func (g *fakeGateway) Catalog() *definition.Catalog {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.catalog
}

func (g *fakeGateway) Update(_ context.Context, edit func(*definition.Catalog) (definition.Change, error)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ch, err := edit(g.catalog)
	if err != nil {
		return err
	}
	if g.refuse != nil {
		return g.refuse
	}
	if g.refuseDeployments != nil && len(ch.PutDeployments) > 0 {
		return g.refuseDeployments
	}
	next := g.catalog.With(ch)
	principals, err := g.iam.Compile(next)
	if err != nil {
		return &definition.InvalidError{Err: err}
	}
	acls, err := g.waf.compile(next)
	if err != nil {
		return err
	}
	g.iam.Swap(principals)
	g.waf.acls = acls
	g.catalog = next
	g.keys.apply(ch)
	return nil
}

func (g *fakeGateway) Keys() KeyReader { return g.keys }

func (g *fakeGateway) Gate() Gate { return g.gate }

func (g *fakeGateway) WAF() WAF { return &g.waf }

func (g *fakeGateway) Connections() Connections { return &g.connections }

func (g *fakeGateway) Usage(planID, keyID string, from, to int64) ([]definition.Usage, error) {
	return g.keys.usageOf(definition.PlanKey{PlanID: planID, KeyID: keyID}, from, to)
}

func (g *fakeGateway) Grant(planID, keyID string, remaining int64) error {
	q := g.Catalog().Plans[planID].Quota
	if q == nil {
		return &definition.InvalidError{Err: fmt.Errorf("usage plan %s has no quota to grant requests of", planID)}
	}
	today := dayOf(noon)
	records, err := g.Usage(planID, keyID, today, today)
	if err != nil {
		return err
	}
	u := definition.Usage{PlanID: planID, KeyID: keyID, Day: today, Remaining: remaining, Period: q.Period}
	if n := len(records); n > 0 && records[n-1].Day == today {
		u.Used = records[n-1].Used
	}
	g.keys.use(u)
	return nil
}

// AccountThrottle resolves what the account leaves open as the gateway does.
func (g *fakeGateway) AccountThrottle() definition.Throttle {
	rate, burst := 10000.0, 5000
	if t := g.Catalog().Account.Throttle; t != nil {
		if t.RateLimit != nil {
			rate, burst = *t.RateLimit, int(*t.RateLimit/2)
		}
		if t.BurstLimit != nil {
			burst = *t.BurstLimit
		}
	}
	return definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
}

func (g *fakeGateway) Status() Status {
	return Status{Version: "test", State: StateReady, GatewayDomain: "localhost", APIs: len(g.Catalog().APIs),
		Kept:      &StateStatus{Fallback: g.fallback},
		Listeners: []ListenerStatus{{Name: "public", Address: "127.0.0.1:8080"}}}
}

func (g *fakeGateway) Upstream() []UpstreamStatus {
	return []UpstreamStatus{
		{APIID: "a", APIName: "well", Integrations: []TargetGroup{{Endpoint: "b:80", Breaker: BreakerClosed, Targets: []TargetStatus{{Address: "10.0.0.1:80", State: TargetUp}}}}},
		{APIID: "b", APIName: "ill", Integrations: []TargetGroup{
			{Endpoint: "b:80", Breaker: BreakerClosed, Targets: []TargetStatus{{Address: "10.0.0.1:80", State: TargetUp}}},
			{Endpoint: "c:80", Breaker: BreakerClosed, Targets: []TargetStatus{{Address: "10.0.0.2:80", State: "ejected"}}},
			{Endpoint: "d:80", Breaker: "open", Targets: []TargetStatus{{Address: "10.0.0.3:80", State: TargetUp}}},
		}},
	}
}

func (g *fakeGateway) Offenders(int) []Offender {
	return []Offender{{Source: "192.0.2.1", Denied: 3, Reason: "THROTTLED"}}
}

func (g *fakeGateway) FlushCache(apiID, stage string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flushed = append(g.flushed, apiID+":"+stage)
	return g.refuse
}

func (g *fakeGateway) FlushAuthorizers(apiID, stage string) error {
	return g.FlushCache("authorizers of "+apiID, stage)
}

func (g *fakeGateway) Caches() []CacheStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.caches)
}

func (g *fakeGateway) AcknowledgeFallback() error {
	if g.refuse != nil {
		return g.refuse
	}
	g.fallback = nil
	return nil
}

func (g *fakeGateway) Drain(context.Context) error { g.drained <- struct{}{}; return nil }
func (g *fakeGateway) Upgrade(context.Context) (Successor, error) {
	return Successor{PID: 4711, Version: "2"}, nil
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// bench is a running server on a socket of its own.
type bench struct {
	*testing.T
	gateway *fakeGateway
	server  *Server
	socket  string
	http    *http.Client
	log     *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newBench(t *testing.T, edit ...func(*Options)) *bench {
	t.Helper()
	return newTunedBench(t, func(*Server) {}, edit...)
}

func newTunedBench(t *testing.T, tune func(*Server), edit ...func(*Options)) *bench {
	t.Helper()
	b := &bench{T: t, gateway: newFakeGateway(), log: &syncBuffer{}}
	dir, err := os.MkdirTemp("", "tg") // short: a socket path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o := Options{
		Socket: filepath.Join(dir, "run", "control.sock"), Region: "us-east-1", AccountID: "000000000000", GatewayDomain: "localhost",
		Version: "test", Logger: slog.New(slog.NewTextHandler(b.log, nil)), Now: func() time.Time { return noon },
	}
	for _, f := range edit {
		f(&o)
	}
	b.socket = o.Socket
	b.server = NewServer(b.gateway, o)
	tune(b.server)
	if err := b.server.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.server.Serve() }()
	b.http = &http.Client{Transport: unixTransport(o.Socket)}
	t.Cleanup(func() {
		b.http.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return b
}

func unixTransport(socket string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
}

// answered is one answer.
type answered struct {
	status  int
	errType string
	body    string
}

// call makes one call and checks what every answer has.
func (b *bench) call(method, target, body string) answered {
	b.Helper()
	req, err := http.NewRequest(method, "http://control"+target, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	a := answered{resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), string(text)}
	if len(resp.Header.Get("x-amzn-RequestId")) != 36 {
		b.Errorf("%s %s: x-amzn-RequestId %q", method, target, resp.Header.Get("x-amzn-RequestId"))
	}
	if (a.status >= 400) != (a.errType != "") {
		b.Errorf("%s %s: status %d with x-amzn-ErrorType %q", method, target, a.status, a.errType)
	}
	if len(text) > 0 && resp.Header.Get("Content-Type") != "application/json" {
		b.Errorf("%s %s: Content-Type %q", method, target, resp.Header.Get("Content-Type"))
	}
	return a
}

// want calls, expects the status and returns the decoded answer.
func (b *bench) want(status int, method, target, body string) map[string]any {
	b.Helper()
	a := b.call(method, target, body)
	if a.status != status {
		b.Fatalf("%s %s: %d %s, want %d", method, target, a.status, a.body, status)
	}
	out := map[string]any{}
	if a.body != "" {
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			b.Fatalf("%s %s: %v in %s", method, target, err, a.body)
		}
	}
	return out
}

// wantError calls and expects an error in AWS's shape.
func (b *bench) wantError(method, target, body string, status int, code, message string) {
	b.Helper()
	before := b.gateway.Catalog()
	a := b.call(method, target, body)
	text, _ := json.Marshal(message)
	if want := `{"message":` + unescapedHTML(string(text)) + `}`; a.status != status || a.errType != code || a.body != want {
		b.Errorf("%s %s %s\n got %d %s %s\nwant %d %s %s", method, target, body, a.status, a.errType, a.body, status, code, want)
	}
	if b.gateway.Catalog() != before {
		b.Errorf("%s %s %s: refused and yet changed something", method, target, body)
	}
}

func unescapedHTML(s string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(s)
}

const petstore = `{
  "openapi": "3.0.1",
  "info": {"title": "petstore", "version": "1.0", "description": "pets"},
  "paths": {
    "/pets": {
      "get": {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:9999/pets"}}
    },
    "/pets/{id}": {
      "get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:9999/pets/{id}", "requestParameters": {"integration.request.path.id": "method.request.path.id"}}}
    }
  }
}`

// imported returns the id of a new API of the petstore document.
func (b *bench) imported() string {
	b.Helper()
	return b.want(201, "POST", "/restapis?mode=import", petstore)["id"].(string)
}

// deployed deploys an API to a stage and returns the deployment's id.
func (b *bench) deployed(apiID, stage string) string {
	b.Helper()
	return b.want(201, "POST", "/restapis/"+apiID+"/deployments", `{"stageName":"`+stage+`"}`)["id"].(string)
}

var errCompile = &definition.InvalidError{Err: errors.New(`stage "prod": GET /pets: stage variable "backend" is not set`)}
