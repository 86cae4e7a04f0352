package pipeline_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// exchange sends raw bytes and reads one answer.
func exchange(t *testing.T, conn net.Conn, br *bufio.Reader, raw string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return resp, string(body)
}

// TestTraceID: a client's trace is continued, and completed if need be.
func TestTraceID(t *testing.T) {
	var got atomic.Value
	b := gatetest.Answering(t, func(r *http.Request) string {
		got.Store(r.Header.Get("X-Amzn-Trace-Id"))
		return "HTTP/1.1 204 No Content\r\n\r\n"
	})
	g := gatetest.Start(t)
	g.ProxyAll(b.Addr)
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	const root = "Root=1-67891233-abcdef012345678912345678"
	for field, want := range map[string]string{
		"":                                  `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
		"X-Amzn-Trace-Id: garbage\r\n":      `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
		"X-Amzn-Trace-Id: " + root + "\r\n": `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`,
		"x-amzn-trace-id: " + root + ";Parent=0123456789abcdef;Sampled=1\r\n": `^` + root + `;Parent=0123456789abcdef;Sampled=1$`,
	} {
		resp, _ := exchange(t, conn, br, "GET /prod/x HTTP/1.1\r\nHost: x\r\n"+field+"\r\n")
		if v := got.Load().(string); !regexp.MustCompile(want).MatchString(v) {
			t.Errorf("%q: the backend got %q, want %s", field, v, want)
		}
		if v := resp.Header.Get("X-Amzn-Trace-Id"); v != "" { // HTTP_PROXY answers have none
			t.Errorf("the client got X-Amzn-Trace-Id %q", v)
		}
	}
}

// TestFraming passes answers on to clients of both versions.
func TestFraming(t *testing.T) {
	large := strings.Repeat("0123456789", 30000)
	answers := map[string]string{
		"/length":  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"/chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: a\r\n\r\n",
		"/close":   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
		"/none":    "HTTP/1.1 204 No Content\r\n\r\n",
		"/same":    "HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n",
		"/empty":   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/large":   fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(large), large),
		"/largest": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + large,
		"/odd":     "HTTP/1.1 299 Odd Reason\r\nContent-Type: text/x\r\nContent-Length: 1\r\n\r\nx",
	}
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			text := answers[r.URL.Path]
			if r.Method == "HEAD" {
				text = text[:strings.Index(text, "\r\n\r\n")+4]
			}
			if _, err := io.WriteString(conn, text); err != nil || strings.Contains(text, "Connection: close") {
				return
			}
		}
	})
	g := gatetest.Start(t)
	g.ProxyAll(b.Addr)
	for _, version := range []string{"1.1", "1.0"} {
		conn := g.Dial(false)
		br := bufio.NewReader(conn)
		for _, c := range []struct {
			path, body string
			status     int
			kind       string
			unknown    bool // how long it is
		}{
			{"/length", "hello", 200, "application/json", false}, {"/chunks", "hello", 200, "application/json", false},
			{"/close", "hello", 200, "application/json", true}, {"/none", "", 204, "", false}, {"/same", "", 304, "", false},
			{"/empty", "", 200, "application/json", false}, {"/large", large, 200, "application/json", false},
			{"/largest", large, 200, "application/json", true}, {"/odd", "x", 299, "text/x", false},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				resp, body := exchange(t, conn, br, fmt.Sprintf("%s /prod%s HTTP/%s\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", method, c.path, version))
				want := c.body
				if method == "HEAD" {
					want = ""
				}
				if resp.StatusCode != c.status || body != want || resp.Header.Get("Content-Type") != c.kind {
					t.Errorf("HTTP/%s %s %s: %d, %d bytes, type %q", version, method, c.path, resp.StatusCode, len(body), resp.Header.Get("Content-Type"))
				}
				if len(resp.Trailer) > 0 || resp.Header.Get("X-Trailer") != "" {
					t.Errorf("%s: a trailer came through", c.path)
				}
				if c.status == 299 && resp.Status != "299 Odd Reason" {
					t.Errorf("%s: status %q", c.path, resp.Status)
				}
				if resp.Close { // as with HTTP/1.0 when the length is not known
					if version == "1.1" || !c.unknown && c.path != "/chunks" {
						t.Errorf("HTTP/%s %s %s: the connection ends", version, method, c.path)
					}
					conn = g.Dial(false)
					br = bufio.NewReader(conn)
				}
			}
		}
	}
}

// TestSlowReader has a client that does not read: the gateway holds little of
// the answer, and the backend waits.
func TestSlowReader(t *testing.T) {
	const total = 64 << 20 // more than the kernel takes for both connections
	var sent atomic.Int64
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", total)
		piece := make([]byte, 16<<10)
		for range total / len(piece) {
			if _, err := conn.Write(piece); err != nil {
				return
			}
			sent.Add(int64(len(piece)))
		}
	})
	for _, secure := range []bool{false, true} {
		sent.Store(0)
		g := gatetest.Start(t, func(h *configs.Host) { h.Limits.ResponseBytes = total })
		g.ProxyAll(b.Addr)
		conn := g.Dial(secure)
		_, _ = io.WriteString(conn, "GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n")
		last := int64(-1)
		for now := sent.Load(); now != last; now = sent.Load() { // until it moves no more
			last = now
			time.Sleep(150 * time.Millisecond)
		}
		if last == total {
			t.Errorf("secure %t: the backend could send all %d bytes", secure, total)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != total || err != nil {
			t.Errorf("secure %t: %d bytes, %v", secure, n, err)
		}
	}
}

// TestPayloadLimits are of the host: a request's and an answer's body.
func TestPayloadLimits(t *testing.T) {
	b := gatetest.Answering(t, func(r *http.Request) string {
		n, _ := io.Copy(io.Discard, r.Body)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", int(n)))
	})
	g := gatetest.Start(t, func(h *configs.Host) { h.Limits.BodyBytes, h.Limits.ResponseBytes = 2000, 1000 })
	g.ProxyAll(b.Addr)
	for n, want := range map[int]int{0: 200, 1000: 200, 1001: 502, 2000: 502, 2001: 413} {
		conn := g.Dial(false)
		resp, body := exchange(t, conn, bufio.NewReader(conn), fmt.Sprintf("PUT /prod/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n)))
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", n, resp.StatusCode, want)
		}
		if want == 413 && body != `{"message":"HTTP content length exceeded 2000 bytes"}` {
			t.Errorf("413: %s", body)
		}
	}
}
