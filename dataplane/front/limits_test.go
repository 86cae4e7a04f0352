package front_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// counting answers with the length of the target and of the body.
func counting(t *testing.T) *gatetest.Backend {
	return gatetest.Answering(t, func(r *http.Request) string {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return ""
		}
		text := fmt.Sprintf("%d %d", len(r.RequestURI), n)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
}

// prober sends requests over connections that it opens when it needs one.
type prober struct {
	t    *testing.T
	g    *gatetest.Gate
	conn net.Conn
	br   *bufio.Reader
}

// ask returns the status of the answer and whether the connection stays.
func (p *prober) ask(request ...[]byte) (status int, open bool) {
	p.t.Helper()
	if p.conn == nil {
		p.conn = p.g.Dial(false)
		_ = p.conn.SetDeadline(time.Now().Add(time.Minute))
		p.br = bufio.NewReader(p.conn)
	}
	go func(conn net.Conn) {
		for _, part := range request {
			if _, err := conn.Write(part); err != nil {
				return // refused before its end
			}
		}
	}(p.conn)
	resp, _ := answer(p.t, p.br, "GET")
	if resp.Close {
		_ = p.conn.Close()
		p.conn = nil
	}
	return resp.StatusCode, !resp.Close
}

// TestR11URL: 8,192 bytes of target for an edge API and 10,240 for a regional
// one are served, and one more is a 414.
func TestR11URL(t *testing.T) {
	backend := counting(t)
	for _, row := range []struct {
		endpoint string
		limit    int
	}{{"", 8192}, {"EDGE", 8192}, {"REGIONAL", 10240}} {
		g := gatetest.Start(t)
		document := gatetest.ProxyAll(backend.Addr, 29000)
		if row.endpoint != "" {
			document += "x-amazon-apigateway-endpoint-configuration: {types: [" + row.endpoint + "]}\n"
		}
		g.Deploy("prod", document)
		p := &prober{t: t, g: g}
		for n := len("/prod/"); n <= 10242; n++ {
			if n < row.limit-2 && n%97 != 0 || n > row.limit+2 && n < 10239 && n%97 != 0 {
				continue
			}
			for _, query := range []bool{false, true} {
				target := "/prod/" + strings.Repeat("a", n-len("/prod/"))
				if query && n > 10 {
					target = "/prod/a?" + target[8:]
				}
				want := 200
				if n > row.limit {
					want = 414
				}
				status, open := p.ask([]byte("GET " + target + " HTTP/1.1\r\n" + host + "\r\n"))
				if status != want || open != (n <= 10240) {
					t.Errorf("%s: %d bytes (query %v): %d, open %v", row.endpoint, n, query, status, open)
				}
			}
		}
	}
}

// TestR11Headers: 20,480 bytes and 100 lines of header are served, one more of
// either is a 431.
func TestR11Headers(t *testing.T) {
	p := &prober{t: t, g: gate(t, counting(t).Addr)}
	for lines := 0; lines <= 101; lines++ {
		want := 200
		if lines+1 > 100 {
			want = 431
		}
		status, open := p.ask([]byte("GET /prod/a HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", lines) + "\r\n"))
		if status != want || open != (want == 200) {
			t.Errorf("%d lines: %d, open %v", lines+1, status, open)
		}
	}
	const limit = 20480
	for size := len(host) + 5; size <= limit+2; size++ {
		if size < limit-2 && size%199 != 0 {
			continue
		}
		want := 200
		if size > limit {
			want = 431
		}
		status, open := p.ask([]byte("GET /prod/a HTTP/1.1\r\n" + host + "X: " + strings.Repeat("y", size-len(host)-5) + "\r\n\r\n"))
		if status != want || open != (want == 200) {
			t.Errorf("%d bytes of header: %d, open %v", size, status, open)
		}
	}
}

// TestR11Body: every length up to a small limit, and the real one.
func TestR11Body(t *testing.T) {
	backend := counting(t)
	for _, limit := range []int{300, 10 << 20} {
		p := &prober{t: t, g: gate(t, backend.Addr, func(h *configs.Host) { h.Limits.BodyBytes = limit })}
		data := bytes.Repeat([]byte("x"), limit+1)
		for n := range limit + 2 {
			if limit > 1000 && n < limit {
				continue
			}
			want := 200
			if n > limit {
				want = 413
			}
			status, open := p.ask(fmt.Appendf(nil, "POST /prod/a HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n", host, n), data[:n])
			if status != want || open != (want == 200) {
				t.Errorf("limit %d, length %d: %d, open %v", limit, n, status, open)
			}
			chunks := fmt.Appendf(nil, "POST /prod/a HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n", host)
			if n > 1 {
				chunks = fmt.Appendf(chunks, "1\r\nx\r\n%x\r\n", n-1)
				status, open = p.ask(chunks, data[:n-1], []byte("\r\n0\r\n\r\n"))
			} else {
				status, open = p.ask(chunks, []byte(strings.Repeat("1\r\nx\r\n", n)+"0\r\n\r\n"))
			}
			if status != want || open != (want == 200) {
				t.Errorf("limit %d, %d bytes in chunks: %d, open %v", limit, n, status, open)
			}
		}
	}
}
