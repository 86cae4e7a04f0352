package session_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// refused connects, and returns the status and the body of the refusal.
func refused(t *testing.T, g *gatetest.Gate, target string, fields ...string) (int, string) {
	t.Helper()
	c, resp, err := tryDial(g, target, fields...)
	if err == nil {
		_ = c.Close()
		t.Fatalf("%s %v: it connects", target, fields)
	}
	if resp == nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// TestConnectStatus: what the integration of $connect answers decides.
func TestConnectStatus(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		status := 200
		_, _ = fmt.Sscanf(c.Query, "status=%d", &status)
		if status == 1 {
			panic(http.ErrAbortHandler)
		}
		if status == 2 {
			time.Sleep(time.Second)
		}
		w.WriteHeader(max(status, 200))
	})
	a := to(b, "$connect", "$disconnect")
	_, in := a.route("$connect")
	in.TimeoutMillis = 200
	g := a.serve(t)
	for query, want := range map[string]struct {
		status int
		body   string
	}{
		"status=401": {401, `{"message": "Unauthorized", "connectionId":"`}, "status=403": {403, `{"message": "Forbidden", "connectionId":"`}, "status=400": {400, `{"message": "Bad Request"`},
		"status=500": {500, `{"message": "Internal server error"`}, "status=302": {502, `{"message": "Internal server error"`},
		"status=1": {502, `{"message":"Internal server error"}`}, "status=2": {504, `{"message":"Endpoint request timed out"}`},
	} {
		status, body := refused(t, g, "/prod?"+query)
		if status != want.status || !strings.HasPrefix(body, want.body) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	for _, query := range []string{"", "?status=204"} {
		c, _, err := tryDial(g, "/prod"+query)
		if err != nil {
			t.Fatal(query, err)
		}
		_ = c.Close()
	}
	if n := len(b.calls("/disconnect")); n > 2 {
		t.Errorf("%d were told to have disconnected, and two were connected", n)
	}
	in.URI = "http://127.0.0.1:1/"
	if err := a.deploy(g); err != nil {
		t.Fatal(err)
	}
	if status, body := refused(t, g, "/prod"); status != 504 || body != `{"message":"Network error communicating with endpoint"}` {
		t.Errorf("%d %s", status, body)
	}
	if open := g.Gateway.Status().Connections; open > 2 {
		t.Errorf("%d connections are open", open)
	}
}

// TestHandshake: what is no proper wish to connect, before anybody is asked.
func TestHandshake(t *testing.T) {
	b := newBackend(t, nil)
	a := to(b, "$connect", "send!")
	a.ws.Routes[0].RequestParameters = map[string]bool{"route.request.querystring.room": true, "route.request.header.X-Name": true, "route.request.header.X-Free": false}
	g := a.serve(t)
	const upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
		field   string
	}{
		"plain":         {"GET /prod HTTP/1.1\r\nHost: x\r\n", 426, "Upgrade"},
		"old version":   {"GET /prod HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Version: 8\r\n", 426, "Sec-Websocket-Version"},
		"POST":          {"POST /prod HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n", 405, "Allow"},
		"no version":    {"GET /prod HTTP/1.1\r\n" + upgrade, 400, ""},
		"path":          {"GET /prod/x HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\n", 403, ""},
		"no parameters": {"GET /prod HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\n", 400, ""},
		"one parameter": {"GET /prod?room=1 HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\n", 400, ""},
	} {
		conn := g.Dial(false)
		_, _ = io.WriteString(conn, c.request+"\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.status || c.field != "" && resp.Header.Get(c.field) == "" {
			t.Errorf("%s: %+v, %v", name, resp, err)
		}
		_ = conn.Close()
	}
	if n := len(b.calls("/connect")); n != 0 {
		t.Errorf("%d were asked about", n)
	}
	c, _, err := tryDial(g, "/prod/?room=1", "X-Name", "me")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, `{"action":"send"}`)
	if got := hear(t, c); got != `{"action":"send"}` {
		t.Error(got)
	}
}

// TestPipelinedUpgrade: an upgrade behind another request, with frames behind it.
func TestPipelinedUpgrade(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect", "send!").serve(t)
	conn := g.Dial(false)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	frame := []byte{0x81, 0x80 | 17, 0, 0, 0, 0}
	frame = append(frame, `{"action":"send"}`...)
	_, _ = conn.Write(append([]byte("GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET /prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"), frame...))
	br := bufio.NewReader(conn)
	for _, want := range []int{403, 101} {
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%+v, %v", resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	answer := make([]byte, 2+17)
	if _, err := io.ReadFull(br, answer); err != nil || string(answer[2:]) != `{"action":"send"}` {
		t.Errorf("%q, %v", answer, err)
	}
}

// TestSubprotocols: the integration's choice, or the API's.
func TestSubprotocols(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		if c.Query != "" {
			w.Header().Set("Sec-WebSocket-Protocol", strings.TrimPrefix(c.Query, "choose="))
		}
	})
	a := to(b, "$connect")
	a.ws.Subprotocols = []string{"v2", "v1"}
	g := a.serve(t)
	for _, c := range []struct{ query, offer, want string }{
		{"?choose=v1", "v2, v1", "v1"}, {"", "v1, v0", "v1"}, {"", "v0", ""}, {"", "", ""}, {"?choose=v0", "v0", "v0"},
	} {
		var fields []string
		if c.offer != "" {
			fields = []string{"Sec-WebSocket-Protocol", c.offer}
		}
		conn, resp, err := tryDial(g, "/prod"+c.query, fields...)
		if err != nil || resp.Header.Get("Sec-WebSocket-Protocol") != c.want {
			t.Errorf("%+v: %v, %v", c, resp, err)
			continue
		}
		_ = conn.Close()
	}
	if status, _ := refused(t, g, "/prod?choose=v9", "Sec-WebSocket-Protocol", "v1"); status != 502 {
		t.Errorf("a protocol that was not offered: %d", status)
	}
}

// TestOrigins: pages of other origins do not connect.
func TestOrigins(t *testing.T) {
	a := to(newBackend(t, nil), "send")
	a.ws.AllowedOrigins = []string{"https://*.example.com"}
	g := a.serve(t)
	for origin, ok := range map[string]bool{"https://chat.example.com": true, "https://example.com.evil": false, "http://chat.example.com": false, "null": false, "": true} {
		var fields []string
		if origin != "" {
			fields = []string{"Origin", origin}
		}
		c, resp, err := tryDial(g, "/prod", fields...)
		if ok != (err == nil) || !ok && resp.StatusCode != 403 {
			t.Errorf("%q: %v, %+v", origin, err, resp)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// TestConnectRate: so many connections begin in a second, and no more.
func TestConnectRate(t *testing.T) {
	g := to(newBackend(t, nil), "send").serve(t, func(h *configs.Host) { h.WebSocket.ConnectRate = 5 })
	ok, denied := 0, 0
	for range 20 {
		c, resp, err := tryDial(g, "/prod")
		switch {
		case err == nil:
			ok++
			defer c.Close()
		case resp != nil && resp.StatusCode == 429:
			denied++
		default:
			t.Fatal(err)
		}
	}
	if ok < 5 || denied == 0 {
		t.Errorf("%d connected, %d were denied", ok, denied)
	}
}

// TestRoom: no more connections than the host allows, and their ids come back.
func TestRoom(t *testing.T) {
	g := to(newBackend(t, nil), "send").serve(t, func(h *configs.Host) { h.WebSocket.Connections, h.Workers = 3, 1 })
	var open []*websocket.Conn
	for range 3 {
		open = append(open, dial(t, g))
	}
	if status, _ := refused(t, g, "/prod"); status != 503 {
		t.Errorf("the fourth: %d", status)
	}
	_ = open[0].Close()
	eventually(t, "room again", func() bool {
		c, _, err := tryDial(g, "/prod")
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// TestAuthorizer: an authorizer is asked about $connect, and what it says stays
// with the connection.
func TestAuthorizer(t *testing.T) {
	events := make(chan string, 10)
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		events <- string(body)
		effect := "Deny"
		if strings.Contains(string(body), `"token":"good"`) {
			effect = "Allow"
		}
		_, _ = fmt.Fprintf(w, `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":%q,"Resource":"arn:aws:execute-api:*:*:*/prod/$connect"}]},"context":{"role":"admin"}}`, effect)
	}))
	t.Cleanup(auth.Close)
	b := newBackend(t, nil)
	a := to(b, "$connect", "send!")
	a.settings.Authorizers = []*definition.Authorizer{{ID: "auth01", Name: "tokens", Type: definition.AuthorizerRequest, URI: auth.URL, IdentitySource: "method.request.querystring.token", ResultTTLSeconds: new(int)}}
	a.ws.Routes[0].AuthorizationType, a.ws.Routes[0].AuthorizerID = definition.AuthCustom, "auth01"
	_, in := a.route("send")
	in.RequestParameters = map[string]string{"integration.request.header.X-Role": "context.authorizer.role", "integration.request.header.X-Who": "context.authorizer.principalId"}
	g := a.serve(t)
	if status, body := refused(t, g, "/prod"); status != 401 || body != `{"message":"Unauthorized"}` {
		t.Errorf("without a token: %d %s", status, body)
	}
	if status, body := refused(t, g, "/prod?token=bad"); status != 403 || !strings.Contains(body, "not authorized") {
		t.Errorf("with a bad one: %d %s", status, body)
	}
	c, _, err := tryDial(g, "/prod?token=good")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, `{"action":"send"}`)
	hear(t, c)
	if got := b.calls("/send")[0].Header; got.Get("X-Role") != "admin" || got.Get("X-Who") != "me" {
		t.Errorf("%v", got)
	}
	event := <-events
	for _, part := range []string{`"type":"REQUEST"`, `/prod/$connect"`, `"routeKey":"$connect"`, `"eventType":"CONNECT"`, `"connectionId":"`} {
		if !strings.Contains(event, part) {
			t.Errorf("the event has no %s: %s", part, event)
		}
	}
	if n := len(b.calls("/connect")); n != 1 {
		t.Errorf("%d reached $connect", n)
	}
}

// TestAPIKeys: of $connect and of routes.
func TestAPIKeys(t *testing.T) {
	b := newBackend(t, nil)
	a := to(b, "$connect", "send!", "free!")
	a.ws.Routes[1].APIKeyRequired = true
	g := a.serve(t)
	rate, burst := 1.0, 2
	const value = "0123456789abcdefghijklmn"
	if err := g.Gateway.Update(t.Context(), func(*definition.Catalog) (definition.Change, error) {
		return definition.Change{
			PutPlans: []*definition.UsagePlan{{ID: "plan01", Name: "p", APIStages: []definition.PlanStage{{APIID: socketAPI, Stage: "prod"}},
				Throttle: &definition.Throttle{RateLimit: &rate, BurstLimit: &burst}}},
			PutKeys:     []*definition.APIKey{{ID: "key0000001", Value: value, Enabled: true}},
			PutPlanKeys: []definition.PlanKey{{PlanID: "plan01", KeyID: "key0000001"}},
		}, nil
	}); err != nil {
		t.Fatal(err)
	}
	without, with := dial(t, g), dial(t, g, "X-Api-Key", value)
	say(t, without, `{"action":"send"}`)
	if got := hear(t, without); !strings.HasPrefix(got, `{"message": "Forbidden"`) {
		t.Error(got)
	}
	say(t, without, `{"action":"free"}`)
	if got := hear(t, without); got != `{"action":"free"}` {
		t.Error(got)
	}
	for i := range 3 {
		say(t, with, `{"action":"send"}`)
		if got := hear(t, with); strings.HasPrefix(got, `{"message": "Too Many Requests"`) != (i == 2) {
			t.Errorf("%d: %s", i, got)
		}
	}
	a.ws.Routes[0].APIKeyRequired = true
	if err := a.deploy(g); err != nil {
		t.Fatal(err)
	}
	if status, body := refused(t, g, "/prod"); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("%d %s", status, body)
	}
}
