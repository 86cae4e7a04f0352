package sockets

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// start serves in this process, to its end.
func start(t *testing.T, o Order) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Address = l.Addr().String()
	_ = l.Close()
	order, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	go func() { t.Errorf("%s ended: %v", o.Name, ServeCommand(string(order))) }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		resp, err := http.Get("http://" + o.Address + "/")
		if err == nil {
			if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: a plain request is answered with %d", o.Name, resp.StatusCode)
			}
			return o.Address
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func dial(t *testing.T, address string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws://"+address+"/any", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	return c
}

func TestServersEcho(t *testing.T) {
	for name := range Modules {
		if name == Nbio && underRace {
			continue // its engine races with itself when it starts
		}
		address := start(t, Order{Name: name})
		c, other := dial(t, address), dial(t, address)
		for _, size := range []int{1, 126, 128, 70_000} {
			text := strings.Repeat("x", size)
			for _, of := range []*websocket.Conn{c, other} {
				if err := of.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			for _, of := range []*websocket.Conn{c, other} {
				if kind, got, err := of.ReadMessage(); err != nil || kind != websocket.TextMessage || string(got) != text {
					t.Fatalf("%s: %d bytes come back as %d, %v", name, size, len(got), err)
				}
			}
		}
	}
}

// Frames come in pieces, and several at once.
func TestGobwasPiecesAndBursts(t *testing.T) {
	c := dial(t, start(t, Order{Name: Gobwas}))
	var wire []byte
	for _, text := range []string{"one", "", "three"} {
		wire = append(wire, 0x81, 0x80|byte(len(text)), 0, 0, 0, 0)
		wire = append(wire, text...)
	}
	raw := c.NetConn()
	for _, piece := range [][]byte{wire, wire[:1], wire[1:7], wire[7:8], wire[8:]} {
		if _, err := raw.Write(piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	for range 2 {
		for _, want := range []string{"one", "", "three"} {
			if _, got, err := c.ReadMessage(); err != nil || string(got) != want {
				t.Fatalf("%q, %v, want %q", got, err, want)
			}
		}
	}
	var pong string
	c.SetPongHandler(func(text string) error { pong = text; return nil })
	_ = c.WriteControl(websocket.PingMessage, []byte("p"), time.Now().Add(time.Second))
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 1000) || pong != "p" {
		t.Errorf("%v, pong %q", err, pong)
	}
}

func TestPush(t *testing.T) {
	for _, writers := range []int{1, 2} {
		address := start(t, Order{Name: FastHTTP, Writers: writers})
		clients := []*websocket.Conn{dial(t, address), dial(t, address), dial(t, address)}
		for _, c := range clients { // it knows all of them when it has answered all
			_ = c.WriteMessage(websocket.TextMessage, []byte("hello"))
			if _, _, err := c.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range []string{"first", "second"} {
			resp, err := http.Post("http://"+address+PushPath, "text/plain", strings.NewReader(text))
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%+v, %v", resp, err)
			}
			_ = resp.Body.Close()
		}
		for _, text := range []string{"first", "second"} {
			for _, c := range clients {
				if _, got, err := c.ReadMessage(); err != nil || string(got) != text {
					t.Errorf("%d writers: %q, %v, want %q", writers, got, err, text)
				}
			}
		}
	}
}

func TestOrders(t *testing.T) {
	for order, says := range map[string]string{"{": "order", `{"Name":"nothing"}`: `no server "nothing"`, `{"Name":"gobwas","Address":"nowhere"}`: "nowhere"} {
		if err := ServeCommand(order); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", order, err)
		}
	}
}
