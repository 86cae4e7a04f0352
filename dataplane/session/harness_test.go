package session_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// backend is what the integrations of an API reach. It remembers what it got.
type backend struct {
	*httptest.Server
	mu  sync.Mutex
	got []call
}

// call is a request that a backend got.
type call struct {
	Path, Body string
	Header     http.Header
	Query      string
}

// newBackend answers with what answer says; nil answers 200 with the body it got.
func newBackend(t *testing.T, answer func(w http.ResponseWriter, c call)) *backend {
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c := call{r.URL.Path, string(body), r.Header, r.URL.RawQuery}
		b.mu.Lock()
		b.got = append(b.got, c)
		b.mu.Unlock()
		if answer == nil {
			_, _ = w.Write(body)
			return
		}
		answer(w, c)
	}))
	t.Cleanup(b.Close)
	return b
}

// calls returns what came at a path.
func (b *backend) calls(path string) (found []call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.got {
		if c.Path == path {
			found = append(found, c)
		}
	}
	return found
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come about: " + what)
}

// api is a WebSocket API whose routes go to a backend's paths of their names.
type api struct {
	ws       definition.WebSocket
	settings definition.Settings
	stage    definition.Stage
}

const socketAPI = "sock000001"

// to makes an API with routes to a backend. A key with "!" at its end answers.
func to(b *backend, keys ...string) *api {
	a := &api{ws: definition.WebSocket{RouteSelectionExpression: "$request.body.action"}}
	for _, key := range keys {
		key, answers := strings.CutSuffix(key, "!")
		id := definition.RouteIntegrationID(key)
		a.ws.Integrations = append(a.ws.Integrations, &definition.RouteIntegration{
			ID: id, Type: definition.IntegrationHTTPProxy, HTTPMethod: "POST", TimeoutMillis: 2000,
			URI:               b.URL + "/" + strings.TrimPrefix(key, "$"),
			RequestParameters: map[string]string{"integration.request.header.connectionId": "context.connectionId"},
		})
		r := &definition.Route{ID: definition.RouteID(key), Key: key, Target: definition.IntegrationTarget(id)}
		if answers {
			r.ResponseSelectionExpression = definition.RouteDefault
			r.Responses = []*definition.RouteResponse{{ID: "rrrrrr", Key: definition.RouteDefault}}
		}
		a.ws.Routes = append(a.ws.Routes, r)
	}
	return a
}

// route returns a route and its integration.
func (a *api) route(key string) (*definition.Route, *definition.RouteIntegration) {
	r := a.ws.Route(key)
	return r, a.ws.Integration(r.Target)
}

// deploy puts the API on stage "prod" of a gateway, or says what is wrong.
func (a *api) deploy(g *gatetest.Gate) error {
	body := definition.NewWebSocketBody(socketAPI, a.ws, withDefaults(a.settings))
	n := len(g.Gateway.Catalog().Deployments) + 1
	stage := a.stage
	stage.APIID, stage.Name, stage.DeploymentID = socketAPI, "prod", fmt.Sprintf("dep%03d", n)
	return g.Gateway.Update(context.Background(), func(*definition.Catalog) (definition.Change, error) {
		return definition.Change{
			PutAPIs:        []*definition.API{{ID: socketAPI, Name: "test", Protocol: definition.ProtocolWebSocket, EndpointType: definition.EndpointRegional, Body: body}},
			PutDeployments: []*definition.Deployment{{ID: stage.DeploymentID, APIID: socketAPI, Number: n, Body: body}},
			PutStages:      []*definition.Stage{&stage},
		}, nil
	})
}

func withDefaults(s definition.Settings) definition.Settings {
	s.EndpointType = definition.EndpointRegional
	return s
}

// serve runs a gateway with the API.
func (a *api) serve(t *testing.T, edit ...func(*configs.Host)) *gatetest.Gate {
	t.Helper()
	g := gatetest.Start(t, edit...)
	if err := a.deploy(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// dial connects, and fails the test if that is refused.
func dial(t *testing.T, g *gatetest.Gate, fields ...string) *websocket.Conn {
	t.Helper()
	c, resp, err := tryDial(g, "/prod", fields...)
	if err != nil {
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		t.Fatalf("connect: %v, status %d", err, status)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	return c
}

func tryDial(g *gatetest.Gate, target string, fields ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return websocket.DefaultDialer.Dial("ws://"+g.Addr+target, h)
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	_, text, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// closeCode reads on to the end.
func closeCode(t *testing.T, c *websocket.Conn) int {
	t.Helper()
	for {
		_, text, err := c.ReadMessage()
		if err == nil {
			t.Logf("before the close: %s", text)
			continue
		}
		if e, ok := err.(*websocket.CloseError); ok {
			return e.Code
		}
		t.Fatal(err)
	}
}
