package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestRoutes: what a message becomes.
func TestRoutes(t *testing.T) {
	b := newBackend(t, nil)
	a := to(b, "$connect", "$disconnect", "send!", "quiet", "$default!")
	c := dial(t, a.serve(t), "User-Agent", "test", "X-Token", "a")
	connect := b.calls("/connect")
	if len(connect) != 1 || connect[0].Header.Get("X-Token") != "a" || connect[0].Header.Get("Sec-Websocket-Version") != "13" || connect[0].Header.Get("Upgrade") != "" {
		t.Fatalf("the wish to connect: %+v", connect)
	}
	id := connect[0].Header.Get("connectionId")
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("connection id %q", id)
	}
	say(t, c, `{"action":"quiet","n":1}`)
	say(t, c, `{"action":"send","n":2}`)
	if got := hear(t, c); got != `{"action":"send","n":2}` {
		t.Errorf("%q", got)
	}
	eventually(t, "the quiet message", func() bool { return len(b.calls("/quiet")) == 1 })
	if got := b.calls("/quiet")[0]; got.Body != `{"action":"quiet","n":1}` || got.Header.Get("connectionId") != id || got.Header.Get("X-Token") != "" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{`{"action":"other"}`, `hello`, `{"action":`, `{"action":7}`, `{"action":null}`, `{"action":"$connect"}`, `{"action":"$disconnect"}`} {
		say(t, c, text)
		if got := hear(t, c); got != text {
			t.Errorf("%s: %q", text, got)
		}
	}
	if n := len(b.calls("/default")); n != 7 {
		t.Errorf("%d messages at $default", n)
	}
	if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "bye"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "$disconnect", func() bool { return len(b.calls("/disconnect")) == 1 })
	if got := b.calls("/disconnect")[0]; got.Header.Get("connectionId") != id {
		t.Errorf("%+v", got)
	}
}

// TestChecklist25: a message whose action no route has is answered with an error,
// and the connection stays.
func TestChecklist25(t *testing.T) {
	b := newBackend(t, nil)
	c := dial(t, to(b, "send!").serve(t))
	for range 2 {
		say(t, c, `{"action":"unknown"}`)
		if got := hear(t, c); !regexp.MustCompile(`^\{"message": "Forbidden", "connectionId":"[A-Za-z0-9_-]{15}=", "requestId":"[A-Za-z0-9_-]{15}="\}$`).MatchString(got) {
			t.Errorf("%s", got)
		}
	}
	say(t, c, `{"action":"send"}`)
	if got := hear(t, c); got != `{"action":"send"}` {
		t.Errorf("%s", got)
	}
}

// TestChecklist26: a binary message closes the connection with 1003.
func TestChecklist26(t *testing.T) {
	c := dial(t, to(newBackend(t, nil), "send").serve(t))
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, c); code != 1003 {
		t.Errorf("closed with %d", code)
	}
}

// TestFailures: the client is told that an integration failed, and no more.
func TestFailures(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		switch c.Path {
		case "/slow":
			time.Sleep(time.Second)
		case "/large":
			_, _ = w.Write(make([]byte, 200<<10))
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/error":
			http.Error(w, "no", 500)
		}
	})
	a := to(b, "slow", "large!", "cut", "error", "gone", "empty!")
	_, slow := a.route("slow")
	slow.TimeoutMillis = 100
	_, gone := a.route("gone")
	gone.URI = "http://127.0.0.1:1/"
	c := dial(t, a.serve(t))
	for _, action := range []string{"slow", "large", "cut", "gone"} {
		say(t, c, `{"action":"`+action+`"}`)
		if got := hear(t, c); !strings.HasPrefix(got, `{"message": "Internal server error", "connectionId":"`) {
			t.Errorf("%s: %s", action, got)
		}
	}
	// One that answers with an error has answered, and an empty answer is none.
	say(t, c, `{"action":"error"}`)
	say(t, c, `{"action":"empty"}`)
	say(t, c, `{"action":"none"}`)
	if got := hear(t, c); !strings.HasPrefix(got, `{"message": "Forbidden"`) {
		t.Errorf("%s", got)
	}
}

// TestInFlight: so many messages of a connection are with integrations at once;
// where that is one, they keep their order.
func TestInFlight(t *testing.T) {
	for _, limit := range []int{1, 3} {
		gate := make(chan struct{})
		b := newBackend(t, func(http.ResponseWriter, call) { <-gate })
		c := dial(t, to(b, "slow").serve(t, func(h *configs.Host) { h.WebSocket.InFlight = limit }))
		for i := range 10 {
			say(t, c, fmt.Sprintf(`{"action":"slow","n":%d}`, i))
		}
		eventually(t, "some under way", func() bool { return len(b.calls("/slow")) == limit })
		time.Sleep(50 * time.Millisecond)
		if n := len(b.calls("/slow")); n != limit {
			t.Errorf("%d are under way, and %d may be", n, limit)
		}
		close(gate)
		eventually(t, "all came", func() bool { return len(b.calls("/slow")) == 10 })
		seen := map[int]bool{}
		for i, got := range b.calls("/slow") {
			var m struct{ N int }
			if err := json.Unmarshal([]byte(got.Body), &m); err != nil || seen[m.N] || limit == 1 && m.N != i {
				t.Errorf("%d at once: message %d came as number %d", limit, m.N, i)
			}
			seen[m.N] = true
		}
	}
}

// TestDeployment: those who are connected get what is deployed, and are closed
// when their stage is gone.
func TestDeployment(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) { _, _ = w.Write([]byte(c.Path)) })
	a := to(b, "send!")
	g := a.serve(t)
	c := dial(t, g)
	say(t, c, `{"action":"send"}`)
	if got := hear(t, c); got != "/send" {
		t.Error(got)
	}
	_, in := a.route("send")
	changed := *in
	changed.URI = b.URL + "/other"
	a.ws.Integrations = []*definition.RouteIntegration{&changed}
	if err := a.deploy(g); err != nil {
		t.Fatal(err)
	}
	say(t, c, `{"action":"send"}`)
	if got := hear(t, c); got != "/other" {
		t.Error(got)
	}
	if err := g.Gateway.Update(t.Context(), func(*definition.Catalog) (definition.Change, error) {
		return definition.Change{DeleteStages: []definition.StageKey{{APIID: socketAPI, Stage: "prod"}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	say(t, c, `{"action":"send"}`)
	if code := closeCode(t, c); code != 1001 {
		t.Errorf("closed with %d", code)
	}
}

// TestThrottle: routes have limits, and the account's is under all of them.
func TestThrottle(t *testing.T) {
	b := newBackend(t, nil)
	a := to(b, "send!", "free!")
	rate, burst := 1.0, 2
	a.stage.RouteSettings = map[string]*definition.RouteSetting{"send": {Throttle: definition.Throttle{RateLimit: &rate, BurstLimit: &burst}}}
	c := dial(t, a.serve(t))
	for i := range 4 {
		say(t, c, `{"action":"send"}`)
		got := hear(t, c)
		if want := i >= 2; strings.HasPrefix(got, `{"message": "Too Many Requests", "connectionId":"`) != want {
			t.Errorf("message %d: %s", i, got)
		}
	}
	say(t, c, `{"action":"free"}`)
	if got := hear(t, c); got != `{"action":"free"}` {
		t.Error(got)
	}
}

// TestTemplates: integrations that are not proxies.
func TestTemplates(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		if strings.Contains(c.Body, "bad") {
			w.WriteHeader(400)
		}
		_, _ = w.Write([]byte(`{"got":` + c.Body + `}`))
	})
	a := to(b, "say!")
	_, in := a.route("say")
	in.Type = definition.IntegrationHTTP
	in.RequestTemplates = map[string]string{"$default": `{"text":$input.json('$.text'),"from":"$context.connectionId","stage":"$context.stage"}`}
	in.Responses = []*definition.RouteIntegrationResponse{
		{Key: "$default", ResponseTemplates: map[string]string{"$default": `ok $input.path('$.got.text') of $context.routeKey`}},
		{Key: `/4\d\d/`, ResponseTemplates: map[string]string{"$default": `no`, "loud": `NO`}, TemplateSelection: "${request.body.voice}"},
	}
	a.ws.Integrations = append(a.ws.Integrations, &definition.RouteIntegration{
		ID: "mock001", Type: definition.IntegrationMock, RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
		Responses: []*definition.RouteIntegrationResponse{{Key: "200", ResponseTemplates: map[string]string{"$default": "never"}}, {Key: "$default", ResponseTemplates: map[string]string{"$default": "pong"}}},
	})
	a.ws.Routes = append(a.ws.Routes, &definition.Route{Key: "ping", Target: "integrations/mock001", ResponseSelectionExpression: "$default",
		Responses: []*definition.RouteResponse{{Key: "$default"}}})
	if err := a.deploy(gatetest.Start(t)); err == nil || !strings.Contains(err.Error(), "between slashes") {
		t.Errorf("a key that is no expression: %v", err)
	}
	a.ws.Integrations[1].Responses = a.ws.Integrations[1].Responses[1:]
	c := dial(t, a.serve(t))
	for text, want := range map[string]string{
		`{"action":"say","text":"hi \"you\""}`:            `ok hi "you" of say`,
		`{"action":"say","text":"bad"}`:                   `no`,
		`{"action":"say","text":"bad","voice":"loud"}`:    `NO`,
		`{"action":"ping"}`:                               `pong`,
		`{"action":"say","text":"bad","voice":"unknown"}`: `no`,
	} {
		say(t, c, text)
		if got := hear(t, c); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := b.calls("/say")[0]; !strings.HasSuffix(got.Body, `,"stage":"prod"}`) {
		t.Errorf("%+v", got)
	}
}

// TestDrain: whoever is connected is told to go away, one after the other, and
// nobody new comes.
func TestDrain(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect", "$disconnect").serve(t)
	var open []*websocket.Conn
	for range 20 {
		open = append(open, dial(t, g))
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- g.Gateway.Drain(ctx) }()
	var first, last time.Duration
	for i, c := range open {
		if code := closeCode(t, c); code != 1001 {
			t.Errorf("closed with %d", code)
		}
		if last = time.Since(began); i == 0 {
			first = last
		}
		_ = c.Close()
	}
	if last-first < 200*time.Millisecond {
		t.Errorf("all were closed within %s", last-first)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	eventually(t, "$disconnect", func() bool { return len(b.calls("/disconnect")) == 20 })
}
