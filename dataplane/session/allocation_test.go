package session_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestMessagesAllocateNothing counts what the whole process allocates while a
// client sends messages that a backend answers, access log and metrics included.
func TestMessagesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	backend := gatetest.NewBackend(t, func(conn net.Conn) {
		buf, n := make([]byte, 16<<10), 0
		for {
			k, err := conn.Read(buf[n:])
			if err != nil {
				return
			}
			if n += k; !bytes.HasSuffix(buf[:n], []byte("}")) {
				continue
			}
			n = 0
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	})
	b := newBackend(t, nil)
	a := to(b, "send!", "$default!")
	for _, in := range a.ws.Integrations {
		in.URI = "http://" + backend.Addr + "/"
		in.RequestParameters["integration.request.header.X-Action"] = "route.request.body.action"
	}
	rate, burst := 1e6, 1<<20
	a.stage.DefaultRouteSetting = &definition.RouteSetting{Throttle: definition.Throttle{RateLimit: &rate, BurstLimit: &burst}}
	g := a.serve(t, func(h *configs.Host) { h.Workers = 1 })
	for name, message := range map[string]string{"routed": `{"action":"send","data":"hello"}`, "default": `{"action":"none"}`} {
		t.Run(name, func(t *testing.T) {
			conn := g.Dial(false)
			defer conn.Close()
			_, _ = io.WriteString(conn, "GET /prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 101 {
				t.Fatal(resp, err)
			}
			frame, buf := wstest.Bytes(wstest.T(message)), make([]byte, 1024)
			exchange := func() {
				if _, err := conn.Write(frame); err != nil {
					t.Fatal(err)
				}
				if n, err := conn.Read(buf); err != nil || string(buf[2:n]) != "ok" {
					t.Fatalf("%q, %v", buf[:n], err)
				}
			}
			for range 500 { // buffers grow to their sizes
				exchange()
			}
			if n := gatetest.Allocations(10000, exchange); n > 0.02 {
				t.Errorf("%.3f allocations per message", n)
			}
		})
	}
}
