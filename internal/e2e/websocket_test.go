package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/wstest"
)

// moreSockets is for tests that connect faster than AWS lets anybody.
const moreSockets = "websocket: {connect_rate: 1000000}"

// TestRFC6455 has the binary answer about 1,000 cases of frames, right and wrong,
// which it passes on to a server that checks nothing.
func TestRFC6455(t *testing.T) {
	b := gatetest.NewBackend(t, wstest.Echo)
	for _, secure := range []bool{false, true} {
		name, h := "cleartext", host{more: moreSockets}
		if secure {
			if name = "TLS"; testing.Short() {
				continue
			}
			cert, key := gatetest.Certificate(t, t.TempDir())
			h.tls = `{certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`
		}
		t.Run(name, func(t *testing.T) {
			d := start(t, h)
			d.deploy("prod", strings.ReplaceAll(gatetest.ProxyAll(b.Addr, 10000), `uri: "http://`, `uri: "ws://`), nil)
			wstest.Run(t, wstest.Options{Frame: 128 << 10, Message: 128 << 10, Fragments: 128, Remote: true}, func() (*wstest.Client, error) {
				if !secure {
					return wstest.Dial(d.addr, "/prod/echo")
				}
				c, err := d.dialTLS(&tls.Config{})
				if err != nil {
					return nil, err
				}
				client, _, err := wstest.Upgrade(c.conn, "localhost", "/prod/echo")
				return client, err
			})
		})
	}
}

// echoAPI answers a message with itself, and "quiet" with nothing.
func echoAPI(backend string) string {
	return strings.ReplaceAll(`
protocolType: WEBSOCKET
name: test
routeSelectionExpression: $request.body.action
integrations:
  echo: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: "BACKEND/echo"}
  template:
    integrationType: HTTP
    integrationMethod: POST
    integrationUri: "BACKEND/echo"
    requestTemplates: {$default: '{"said": $input.json(''$.text''), "by": "$context.connectionId"}'}
    integrationResponses: {$default: {responseTemplates: {$default: '$input.path(''$.said'') of $context.routeKey'}}}
routes:
  echo: {target: integrations/echo, routeResponseSelectionExpression: $default}
  quiet: {target: integrations/echo}
  template: {target: integrations/template, routeResponseSelectionExpression: $default}
`, "BACKEND", backend)
}

// echoBackend answers with what it is sent, and returns its URL.
func echoBackend(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(s.Close)
	return s.URL
}

// deploySockets deploys the document of a WebSocket API, and returns what the CLI says.
func (d *daemon) deploySockets(text string) string {
	d.t.Helper()
	document := filepath.Join(d.dir, "sockets.yaml")
	if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return d.cli("deploy", document, "--stage", "prod")
}

// TestWebSocketAPI is a document deployed by the CLI, served, changed, rolled back,
// and still there after a restart.
func TestWebSocketAPI(t *testing.T) {
	t.Parallel()
	backend := echoBackend(t)
	d := start(t, host{})
	if out := d.deploySockets(echoAPI(backend)); !strings.Contains(out, "ws://") {
		t.Errorf("deploy says %s", out)
	}
	connect := func() *websocket.Conn {
		c, _, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		return c
	}
	ask := func(c *websocket.Conn, text string) string {
		t.Helper()
		if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	c := connect()
	for text, want := range map[string]string{
		`{"action":"echo","n":1}`:                `{"action":"echo","n":1}`,
		`{"action":"template","text":"a \"b\""}`: `a "b" of template`,
		`{"action":"none"}`:                      `{"message": "Forbidden", "connectionId":"`,
		`{"action":"quiet"}`:                     "", // asked with the next
	} {
		if want == "" {
			continue
		}
		if got := ask(c, text); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	d.deploySockets(strings.ReplaceAll(echoAPI(backend), "of $context.routeKey", "anew"))
	if got := ask(c, `{"action":"template","text":"x"}`); got != "x anew" {
		t.Errorf("after a deployment, who was connected gets %s", got)
	}
	d.cli("rollback", "test", "prod")
	if got := ask(c, `{"action":"template","text":"x"}`); got != "x of template" {
		t.Errorf("after the rollback: %s", got)
	}
	closed := make(chan error, 1)
	go func() {
		_, _, err := c.ReadMessage()
		closed <- err
	}()
	d.terminate(20 * time.Second)
	if err := <-closed; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("at a stop: %v", err)
	}
	d.run()
	d.waitReady()
	if got := ask(connect(), `{"action":"template","text":"x"}`); got != "x of template" {
		t.Errorf("after a restart: %s", got)
	}
}
