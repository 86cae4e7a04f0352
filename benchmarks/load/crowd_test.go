package load

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// socketServer is a WebSocket server whose connections a test serves.
type socketServer struct {
	address string
	mu      sync.Mutex
	conns   []*websocket.Conn
}

func newSocketServer(t *testing.T, each func(n int, c *websocket.Conn, kind int, message []byte) error) *socketServer {
	s := &socketServer{}
	s.address = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "h.test" || r.URL.Path != "/p" {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		up := websocket.Upgrader{}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		s.mu.Lock()
		s.conns = append(s.conns, c)
		n := len(s.conns)
		s.mu.Unlock()
		for {
			kind, message, err := c.ReadMessage()
			if err != nil || each(n, c, kind, message) != nil {
				return
			}
		}
	})
	return s
}

func echoes(_ int, c *websocket.Conn, kind int, message []byte) error {
	return c.WriteMessage(kind, message)
}

// gathered is a crowd that runs in this process.
func gathered(t *testing.T, c Crowd) (*Clients, error) {
	t.Helper()
	orders, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Run(orders, answers)
		_ = answers.Close()
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := <-ended; err != nil {
			t.Errorf("the crowd ended with %v", err)
		}
		_ = orders.Close()
		_ = stdout.Close()
	})
	all := &Clients{child: &child{cmd: &exec.Cmd{}, stdin: stdin, out: stdout}, lines: bufio.NewReader(stdout)}
	a, err := all.answer()
	all.IDs = a.IDs
	return all, err
}

func TestCrowdEchoes(t *testing.T) {
	s := newSocketServer(t, echoes)
	c, err := gathered(t, Crowd{Socket: Socket{Address: s.address, Host: "h.test", Path: "/p"}, Clients: 5})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sum, err := c.Echo(128, 50*time.Millisecond)
		if err != nil || sum.Messages < 10 || sum.Micros < 50e3 || sum.P50 <= 0 || sum.P99 < sum.P50 {
			t.Errorf("%+v, %v", sum, err)
		}
	}
	if n, err := c.Open(); n != 5 || err != nil {
		t.Errorf("%d are open, %v", n, err)
	}
}

// What comes back has to be what was said, by the same client.
func TestCrowdTellsEchoesApart(t *testing.T) {
	for name, serve := range map[string]func(int, *websocket.Conn, int, []byte) error{
		"changed": func(_ int, c *websocket.Conn, kind int, m []byte) error {
			m[len(m)-1] ^= 1
			return c.WriteMessage(kind, m)
		},
		"twice": func(_ int, c *websocket.Conn, kind int, m []byte) error {
			_ = c.WriteMessage(kind, m)
			return c.WriteMessage(kind, m)
		},
		"closed": func(int, *websocket.Conn, int, []byte) error { return fmt.Errorf("enough") },
	} {
		s := newSocketServer(t, serve)
		c, err := gathered(t, Crowd{Socket: Socket{Address: s.address, Host: "h.test", Path: "/p"}, Clients: 2})
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := c.Echo(64, time.Second); err == nil {
			t.Errorf("%s: %+v", name, sum)
		}
	}
}

func TestCrowdIsPushedTo(t *testing.T) {
	s := newSocketServer(t, func(n int, c *websocket.Conn, _ int, hello []byte) error {
		if string(hello) != "who am I" {
			t.Errorf("hello %q", hello)
		}
		return c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"message":"Forbidden","connectionId":"id%d","requestId":"r"}`, n))
	})
	c, err := gathered(t, Crowd{Socket: Socket{Address: s.address, Host: "h.test", Path: "/p", Hello: "who am I"}, Clients: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.IDs, " "); len(c.IDs) != 3 || !strings.Contains(got, "id1") || !strings.Contains(got, "id3") {
		t.Errorf("ids %s", got)
	}
	for range 2 {
		if err := c.Expect(6); err != nil {
			t.Fatal(err)
		}
		first := Stamp(128)
		time.Sleep(20 * time.Millisecond)
		for _, text := range [][]byte{first, Stamp(128)} {
			for _, conn := range s.conns {
				_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
				if err := conn.WriteMessage(websocket.TextMessage, text); err != nil {
					t.Fatal(err)
				}
			}
		}
		sum, err := c.Pushed()
		if err != nil || sum.Messages != 6 || sum.P99 < 20e3 || sum.Micros < 20e3 || sum.P50 > sum.P99 {
			t.Errorf("%+v, %v", sum, err)
		}
	}
	_ = s.conns[0].Close()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		n, err := c.Open()
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d are open, %v", n, err)
		}
		if n == 2 {
			break
		}
	}
}

func TestCrowdArrives(t *testing.T) {
	s := newSocketServer(t, echoes)
	c, err := gathered(t, Crowd{Socket: Socket{Address: s.address, Host: "h.test", Path: "/p", Hello: "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.Arrive(200, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	sum, err := c.Arrived()
	if err != nil || sum.Clients != 20 || sum.P50 <= 0 || sum.P99 < sum.P50 {
		t.Errorf("%+v, %v", sum, err)
	}
	if took := time.Since(began); took < 95*time.Millisecond {
		t.Errorf("they came within %v", took)
	}
	if n, err := c.Open(); n != 20 || err != nil {
		t.Errorf("%d are open, %v", n, err)
	}
}

func TestCrowdIsNotLetIn(t *testing.T) {
	s := newSocketServer(t, echoes)
	_, err := gathered(t, Crowd{Socket: Socket{Address: s.address, Path: "/p"}, Clients: 2})
	if err == nil || !strings.Contains(err.Error(), "404 Not Found") {
		t.Error(err)
	}
}
