package session_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/wstest"
)

// socketBackend is a WebSocket server that echoes.
func socketBackend(t *testing.T) *httptest.Server {
	up := websocket.Upgrader{Subprotocols: []string{"chat"}, CheckOrigin: func(*http.Request) bool { return true }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			w.Header().Set("X-Why", "because")
			http.Error(w, "not you", http.StatusTeapot)
			return
		case "/plain":
			return
		}
		c, err := up.Upgrade(w, r, http.Header{"X-Backend": {r.URL.RequestURI() + " " + r.Header.Get("X-Forwarded-For") + " " + r.Header.Get("Cookie") + r.Header.Get("Sec-Websocket-Extensions")}})
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil {
				return
			}
			if string(data) == "end" {
				_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4002, "enough"), time.Now().Add(time.Second))
				return
			}
			_ = c.WriteMessage(kind, data)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// passAll is a REST API whose paths lead to a WebSocket backend.
func passAll(addr string) string {
	return strings.ReplaceAll(gatetest.ProxyAll(addr, 1000), `uri: "http://`, `uri: "ws://`)
}

// TestPassThrough: a WebSocket is passed on to a backend by a method of a REST API.
func TestPassThrough(t *testing.T) {
	s := socketBackend(t)
	g := gatetest.Start(t)
	document := passAll(s.Listener.Addr().String())
	if !strings.Contains(document, "ws://") {
		t.Fatal(document)
	}
	g.Deploy("prod", document)
	c, resp, err := tryDial(g, "/prod/a/b?q=1", "Cookie", "k=v", "Sec-WebSocket-Protocol", "other, chat")
	if err != nil {
		t.Fatal(err, resp)
	}
	if got := resp.Header.Get("X-Backend"); got != "/a/b?q=1 127.0.0.1 k=v" || resp.Header.Get("Sec-Websocket-Protocol") != "chat" {
		t.Errorf("%q, %v", got, resp.Header)
	}
	for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
		for _, size := range []int{0, 1, 126, 30 << 10} {
			data := []byte(strings.Repeat("x", size))
			if err := c.WriteMessage(kind, data); err != nil {
				t.Fatal(err)
			}
			if k, got, err := c.ReadMessage(); err != nil || k != kind || string(got) != string(data) {
				t.Fatalf("%d bytes: %d, %d bytes, %v", size, k, len(got), err)
			}
		}
	}
	say(t, c, "end")
	if code := closeCode(t, c); code != 4002 {
		t.Errorf("closed with %d", code)
	}
	if status, body := refused(t, g, "/prod/refuse"); status != 418 || body != "not you\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, _ := refused(t, g, "/prod/plain"); status != 200 {
		t.Errorf("a backend that just answers: %d", status)
	}
	resp2, err := http.Get("http://" + g.Addr + "/prod/a")
	if err != nil || resp2.StatusCode != 426 {
		t.Errorf("a request that is no upgrade: %+v, %v", resp2, err)
	}
}

// TestPassThroughFailures: backends that are not there, are silent, or hang up.
func TestPassThroughFailures(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	hasty := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) })
	for _, c := range []struct {
		addr   string
		status int
	}{{"127.0.0.1:65533", 504}, {silent.Addr().String(), 504}, {hasty.Addr, 502}, {"no-such-host.invalid:80", 504}} {
		g := gatetest.Start(t)
		g.Deploy("prod", passAll(c.addr))
		if status, body := refused(t, g, "/prod/x"); status != c.status {
			t.Errorf("%s: %d %s", c.addr, status, body)
		}
	}
}

// TestPassedWhole: $connect of a WebSocket API can pass a whole connection on.
func TestPassedWhole(t *testing.T) {
	s := socketBackend(t)
	b := newBackend(t, nil)
	a := to(b, "$connect", "$disconnect")
	in := a.ws.Integrations[0]
	in.URI, in.HTTPMethod, in.RequestParameters = strings.Replace(s.URL, "http", "ws", 1)+"/x", "", nil
	c := dial(t, a.serve(t))
	say(t, c, "anything")
	if got := hear(t, c); got != "anything" {
		t.Error(got)
	}
	_ = c.Close()
	eventually(t, "$disconnect", func() bool { return len(b.calls("/disconnect")) == 1 })
}

// TestFamilies: RFC 6455's cases, through the whole gateway to a backend.
func TestFamilies(t *testing.T) {
	if testing.Short() {
		t.Skip("about 1,000 connections")
	}
	b := gatetest.NewBackend(t, wstest.Echo)
	g := gatetest.Start(t, func(h *configs.Host) { h.WebSocket.ConnectRate = 1 << 20 })
	g.Deploy("prod", passAll(b.Addr))
	wstest.Run(t, wstest.Options{Frame: 128 << 10, Message: 128 << 10, Fragments: 128, Remote: true}, func() (*wstest.Client, error) {
		return wstest.Dial(g.Addr, "/prod/x")
	})
}
