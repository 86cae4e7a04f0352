package corpus

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

// minResponses is the least that the corpus may have, and rounds how often each is
// given, with a victim behind it.
const (
	minResponses = 90
	rounds       = 12
)

// confuser is a backend that answers /confuse/N with answer N, and /victim/X with
// X. It knows which of its connections each request came by.
type confuser struct {
	responses []*Response

	mu    sync.Mutex
	sent  map[string]chan struct{} // by the id of a request: closed when all is on the wire
	conns map[string]net.Conn      // by the same, or by a victim's name
}

func (b *confuser) serve(conn net.Conn) {
	br := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if victim, ok := strings.CutPrefix(r.URL.Path, "/victim/"); ok {
			b.came(victim, conn)
			if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Victim: %s\r\nContent-Length: %d\r\n\r\n%[1]s", victim, len(victim)); err != nil {
				return
			}
			continue
		}
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/confuse/%d", &n); err != nil {
			return
		}
		id := r.Header.Get("X-Id")
		b.came(id, conn)
		_, _ = io.WriteString(conn, b.responses[n].Now) // the gateway may close it meanwhile
		if b.responses[n].Later != "" {
			time.Sleep(time.Millisecond)
			_, _ = io.WriteString(conn, b.responses[n].Later)
		}
		if b.responses[n].Closes {
			_ = conn.Close()
		}
		b.mu.Lock()
		if sent := b.sent[id]; sent != nil { // the first of two tries
			close(sent)
			delete(b.sent, id)
		}
		b.mu.Unlock()
		if b.responses[n].Closes {
			return
		}
	}
}

func (b *confuser) came(what string, conn net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[what] = conn
}

func (b *confuser) expect(id string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent[id] = make(chan struct{})
	return b.sent[id]
}

func (b *confuser) same(id, victim string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conns[id] == b.conns[victim]
}

// TestR9Responses: each answer is what the golden file says to who asked for it,
// and nothing of it, not a byte, reaches the next one on the connection, who is
// answered by the backend's next word or on a connection of his own.
func TestR9Responses(t *testing.T) {
	responses, err := Responses()
	if err != nil {
		t.Fatal(err)
	}
	if len(responses) < minResponses {
		t.Errorf("%d answers, want %d", len(responses), minResponses)
	}
	const workers = 4
	var wg sync.WaitGroup
	for w := range workers {
		// With a gateway each: bytes that come when another request is under way on
		// the connection are its answer, whatever HTTP/1 client one is.
		b := &confuser{responses: responses, sent: map[string]chan struct{}{}, conns: map[string]net.Conn{}}
		g := gatetest.Start(t)
		g.Deploy("prod", gatetest.ProxyAll(gatetest.NewBackend(t, b.serve).Addr, 5000))
		wg.Go(func() {
			c := &asker{b: b, addr: g.Addr}
			defer c.close()
			for round := w; round < rounds; round += workers {
				for i := range responses {
					// Each worker by an order of its own.
					n := (i*(2*w+1) + round) % len(responses)
					if err := c.confuse(n, fmt.Sprintf("%d-%d-%d", w, round, i)); err != nil {
						t.Errorf("%s: %v\n%s", responses[n].Name, err, responses[n].Why)
						c.close()
					}
				}
			}
		})
	}
	wg.Wait()
}

// asker is one client with one connection, as long as that lasts.
type asker struct {
	b    *confuser
	addr string
	conn net.Conn
	br   *bufio.Reader
}

func (c *asker) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	c.conn = nil
}

func (c *asker) send(text string) (err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.addr); err != nil {
			return err
		}
		c.br = bufio.NewReader(c.conn)
	}
	_ = c.conn.SetDeadline(time.Now().Add(2 * patience))
	_, err = io.WriteString(c.conn, text)
	return err
}

// confuse asks for one answer, and then as a victim.
func (c *asker) confuse(n int, id string) error {
	want := c.b.responses[n]
	sent := c.b.expect(id)
	request := fmt.Sprintf("%s /prod/confuse/%d HTTP/1.1\r\nHost: gate.test\r\nX-Id: %s\r\n", want.Method, n, id)
	if want.Early {
		const length = 400 << 10
		request += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", length, strings.Repeat("b", length/2))
	} else {
		request += "\r\n"
	}
	if err := c.send(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.br, &http.Request{Method: want.Method})
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if cut := err != nil; cut != want.Cut {
		return fmt.Errorf("%d %.80q, read with %v; cut off: want %v", resp.StatusCode, body, err, want.Cut)
	}
	if resp.StatusCode != want.Status || resp.StatusCode < 500 && string(body) != want.Body || resp.Header.Get("X-Victim") != "" {
		return fmt.Errorf("%d %.80q, want %d %.80q", resp.StatusCode, body, want.Status, want.Body)
	}
	select {
	case <-sent:
	case <-time.After(patience):
		return errors.New("it was never sent whole")
	}
	if resp.Close || want.Cut || want.Early {
		c.close()
	}
	return c.victim(id, want)
}

func (c *asker) victim(id string, after *Response) error {
	name := "v" + id
	kept := c.conn != nil // else another event loop may have the next one
	if err := c.send("GET /prod/victim/" + name + " HTTP/1.1\r\nHost: gate.test\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return fmt.Errorf("the victim has no answer: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || string(body) != name || resp.Header.Get("X-Victim") != name {
		return fmt.Errorf("the victim got %d %q %q, %v", resp.StatusCode, resp.Header.Get("X-Victim"), body, err)
	}
	if same := c.b.same(id, name); same && !after.Reused {
		return errors.New("its connection is used again")
	} else if !same && after.Reused && kept {
		return errors.New("its connection is not used again")
	}
	return nil
}

func TestParseResponseErrors(t *testing.T) {
	for _, text := range []string{
		"## a\nwhy\n~ x\n", "## a\nwhy\n= 200 keep\n", "## a\n~ x\n= 200 keep\n", "## a\nwhy\n~ x\n= two keep\n", "## a\nwhy\n~ x\n= 200 perhaps\n",
		"## a\nwhy\n? POST late\n~ x\n= 200 keep\n", "## a\nwhy\n~ \\q\n= 200 keep\n",
	} {
		if _, err := parseResponses(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
