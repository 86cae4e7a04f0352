package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// evil is what no victim may see: a whole answer, for whoever reads next.
const evil = "HTTP/1.1 200 OK\r\nX-Victim: EVIL\r\nContent-Length: 4\r\n\r\nEVIL"

// attacks are answers after which a connection must not be used again, with the
// status that the client gets, 0 where there is none.
var attacks = []struct {
	name, method string
	body         int // bytes announced; so many that the answer comes first
	answer       string
	later        string // in a write of its own
	status       int
}{
	{"extra bytes", "GET", 0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + evil, "", 200},
	{"extra bytes in a later write", "GET", 0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", evil, 200},
	{"extra bytes after chunks", "GET", 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", evil, 200},
	{"204 with a body", "GET", 0, fmt.Sprintf("HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n", len(evil)), evil, 204},
	{"204 with extra bytes", "GET", 0, "HTTP/1.1 204 No Content\r\n\r\n" + evil, "", 204},
	{"304 with a body", "GET", 0, fmt.Sprintf("HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n", len(evil)), evil, 304},
	{"101", "GET", 0, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\n" + evil, "", 502},
	{"CL and TE", "GET", 0, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5+len(evil)) + evil, "", 502},
	{"two lengths", "GET", 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n" + evil, "", 502},
	{"HEAD with a body", "HEAD", 0, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(evil)) + evil, "", 200},
	{"HEAD with a body in a later write", "HEAD", 0, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(evil)), evil, 200},
	{"early answer", "POST", 400 << 10, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", evil, 200},
	{"1xx flood", "GET", 0, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 200) + evil, "", 502},
	{"1xx after the answer", "GET", 0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 100 Continue\r\n\r\n" + evil, 200},
}

// attacker is a backend that answers /victim/X with X, and /attack/I as attack I
// says. sent is closed when all of it is on the wire.
type attacker struct {
	mu   sync.Mutex
	sent map[string]chan struct{}
}

func (a *attacker) expect(id string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	ch := make(chan struct{})
	a.sent[id] = ch
	return ch
}

func (a *attacker) serve(conn net.Conn) {
	br := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if victim, ok := strings.CutPrefix(r.URL.Path, "/victim/"); ok {
			if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Victim: %s\r\nContent-Length: %d\r\n\r\n%[1]s", victim, len(victim)); err != nil {
				return
			}
			continue
		}
		var which int
		if _, err := fmt.Sscanf(r.URL.Path, "/attack/%d", &which); err != nil {
			return
		}
		// The gateway may have closed the connection by now.
		_, _ = io.WriteString(conn, attacks[which].answer)
		if attacks[which].later != "" {
			time.Sleep(time.Millisecond)
			_, _ = io.WriteString(conn, attacks[which].later)
		}
		a.mu.Lock()
		close(a.sent[r.Header.Get("X-Attack")])
		a.mu.Unlock()
	}
}

// TestR9UpstreamDesync interleaves attacks with a thousand victims. A worker's
// attacks and victims share a connection to the gateway, and so an event loop
// and a backend pool; the workers' APIs share the backend.
func TestR9UpstreamDesync(t *testing.T) {
	a := &attacker{sent: map[string]chan struct{}{}}
	b := gatetest.NewBackend(t, a.serve)
	d := start(t, host{domains: `[{name: "*", mappings: [{base_path: a, api: a}, {base_path: b, api: b}, {base_path: c, api: c}, {base_path: d, api: d}]}]`})
	victims := lesser(1000, 200)
	var wg sync.WaitGroup
	for _, api := range []string{"a", "b", "c", "d"} {
		d.deploy("prod", strings.Replace(gatetest.ProxyAll(b.Addr, 5000), "title: test", "title: "+api, 1), nil)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := a.work(d.addr, api, victims/4); err != nil {
				t.Errorf("worker %s: %v", api, err)
			}
		}()
	}
	wg.Wait()
	found(t, "R9", "%d victims after %d attacks, each got its own answer", victims, len(attacks))
}

func (a *attacker) work(addr, api string, victims int) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.conn.Close() }()
	for i := range victims {
		which := i % len(attacks)
		attack := &attacks[which]
		id := fmt.Sprintf("%s-%d", api, i)
		sent := a.expect(id)
		if err := c.attack(api, which, id); err != nil {
			return fmt.Errorf("%s: %w", attack.name, err)
		}
		select {
		case <-sent:
		case <-time.After(5 * time.Second):
			return fmt.Errorf("%s: it never came", attack.name)
		}
		if attack.body > 0 { // the gateway does not wait for the rest of it
			_ = c.conn.Close()
			if c, err = dial(addr); err != nil {
				return err
			}
		}
		answer, err := c.ask("GET", "/"+api+"/prod/victim/"+id, "")
		if err != nil {
			return fmt.Errorf("victim after %s: %w", attack.name, err)
		}
		if answer.status != 200 || answer.body != id || answer.header.Get("X-Victim") != id {
			return fmt.Errorf("victim after %s: %d %q %q, want %q", attack.name, answer.status, answer.header.Get("X-Victim"), answer.body, id)
		}
	}
	return nil
}

// attack does one attack and checks what its own client gets.
func (c *client) attack(api string, which int, id string) error {
	attack := &attacks[which]
	fields := []string{"X-Attack: " + id}
	body := ""
	if attack.body > 0 {
		fields = append(fields, fmt.Sprintf("Content-Length: %d", attack.body))
	}
	if attack.body == 0 {
		answer, err := c.ask(attack.method, fmt.Sprintf("/%s/prod/attack/%d", api, which), body, fields...)
		if err != nil {
			return err
		}
		if answer.status != attack.status || strings.Contains(answer.body, "EVIL") || answer.header.Get("X-Victim") != "" {
			return fmt.Errorf("%d %q, want %d", answer.status, answer.body, attack.status)
		}
		return nil
	}
	head := fmt.Sprintf("%s /%s/prod/attack/%d HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", attack.method, api, which, strings.Join(fields, "\r\n"))
	if err := c.send(head + strings.Repeat("b", attack.body/2)); err != nil {
		return err
	}
	answer, err := c.receive(attack.method)
	if err != nil {
		return err
	}
	if answer.status != attack.status || answer.body != "ok" {
		return fmt.Errorf("%d %q, want %d", answer.status, answer.body, attack.status)
	}
	if rest, err := io.ReadAll(c.br); len(rest) > 0 && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("after the answer came %q", rest)
	}
	return nil
}
