package front_test

import (
	"bufio"
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

func TestKeepAlive(t *testing.T) {
	g := gate(t, echo(t).Addr)
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		for i := range 200 {
			send(t, conn, fmt.Sprintf("POST /prod/%d HTTP/1.1\r\n%sContent-Length: 2\r\n\r\nab", i, host))
			if resp, body := answer(t, br, "POST"); body != fmt.Sprintf("POST /%d ab", i) || resp.Close {
				t.Fatalf("request %d: %d %q, close %v", i, resp.StatusCode, body, resp.Close)
			}
		}
	}
}

// TestPipelining: 100 requests at once are answered in order, also when the
// client has closed its sending end behind them.
func TestPipelining(t *testing.T) {
	g := gate(t, echo(t).Addr)
	for _, secure := range []bool{false, true} {
		for _, half := range []bool{false, true} {
			for _, filler := range []int{0, 3000} { // with it they are more than any buffer
				conn := g.Dial(secure)
				var all strings.Builder
				for i := range 100 {
					fmt.Fprintf(&all, "PUT /prod/%d HTTP/1.1\r\n%sX: %s\r\nContent-Length: 1\r\n\r\nx", i, host, strings.Repeat("y", filler))
				}
				go func() {
					_, _ = io.WriteString(conn, all.String())
					if half {
						_ = conn.(interface{ CloseWrite() error }).CloseWrite()
					}
				}()
				br := bufio.NewReader(conn)
				for i := range 100 {
					if _, body := answer(t, br, "PUT"); body != fmt.Sprintf("PUT /%d x", i) {
						t.Fatalf("TLS %v, half-closed %v, filler %d: answer %d is %q", secure, half, filler, i, body)
					}
				}
				if half {
					ends(t, br)
				}
			}
		}
	}
}

// TestHalfClosedClient: who has closed only its sending end still gets an
// answer that comes late, and a large one that it reads slowly.
func TestHalfClosedClient(t *testing.T) {
	const size = 10 << 20
	late := gatetest.Answering(t, func(*http.Request) string {
		time.Sleep(200 * time.Millisecond)
		return "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
	})
	for _, row := range []struct {
		backend *gatetest.Backend
		length  int
	}{{late, 4}, {large(t, size), size}} {
		g := gate(t, row.backend.Addr, func(h *configs.Host) { h.Timeouts.Send = 2 * time.Second })
		for _, secure := range []bool{false, true} {
			conn := g.Dial(secure)
			send(t, conn, "GET /prod/a HTTP/1.1\r\n"+host+"\r\n")
			if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond) // the gateway has all it can hold
			br := bufio.NewReader(conn)
			if _, body := answer(t, br, "GET"); len(body) != row.length {
				t.Errorf("TLS %v: %d bytes, want %d", secure, len(body), row.length)
			}
			ends(t, br)
		}
	}
}

func TestExpectContinue(t *testing.T) {
	g := gate(t, echo(t).Addr)
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		send(t, conn, "POST /prod/a HTTP/1.1\r\n"+host+"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
		if line, err := br.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("TLS %v: %q, %v", secure, line, err)
		}
		_, _ = br.ReadString('\n')
		send(t, conn, "abc")
		if resp, body := answer(t, br, "POST"); body != "POST /a abc" || resp.Close {
			t.Errorf("TLS %v: %q", secure, body)
		}
		// Refused: no 100, and the connection ends, for the body may come or not.
		send(t, conn, "TRACE /prod/a HTTP/1.1\r\n"+host+"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != 403 || !resp.Close {
			t.Fatalf("TLS %v: refused with %v, %v", secure, resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		ends(t, br)
	}
}

func TestHead(t *testing.T) {
	g := gate(t, echo(t).Addr)
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	for range 2 {
		send(t, conn, "HEAD /prod/abc HTTP/1.1\r\n"+host+"\r\n")
		if resp, body := answer(t, br, "HEAD"); resp.ContentLength != int64(len("HEAD /abc ")) || body != "" {
			t.Errorf("length %d, body %q", resp.ContentLength, body)
		}
	}
}

func TestHTTP10(t *testing.T) {
	open := gatetest.NewBackend(t, func(conn net.Conn) { // an answer of unknown length
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
			time.Sleep(50 * time.Millisecond)
			_, _ = io.WriteString(conn, "3\r\ndef\r\n0\r\n\r\n")
		}
	})
	for _, row := range []struct {
		backend, fields, want string
		keep                  bool
	}{
		{echo(t).Addr, "", "GET /a ", false},
		{echo(t).Addr, "Connection: keep-alive\r\n", "GET /a ", true},
		{echo(t).Addr, "Connection: close\r\n", "GET /a ", false},
		{open.Addr, "Connection: keep-alive\r\n", "abcdef", false}, // the end of the connection is the end of the body
	} {
		g := gate(t, row.backend)
		conn := g.Dial(false)
		br := bufio.NewReader(conn)
		send(t, conn, "GET /prod/a HTTP/1.0\r\n"+row.fields+"\r\n")
		resp, body := answer(t, br, "GET")
		if body != row.want || resp.TransferEncoding != nil || strings.EqualFold(resp.Header.Get("Connection"), "keep-alive") != row.keep {
			t.Errorf("%q: %q, %v", row.fields, body, resp.Header)
		}
		if !row.keep {
			ends(t, br)
			continue
		}
		send(t, conn, "GET /prod/a HTTP/1.0\r\n\r\n")
		answer(t, br, "GET")
		ends(t, br)
	}
}

// TestChunkedBothWays: chunks of odd sizes, in pieces of odd sizes, come out
// with the same data on the other side and back.
func TestChunkedBothWays(t *testing.T) {
	backend := gatetest.Answering(t, func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return ""
		}
		out := &strings.Builder{}
		out.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		chunk(out, string(body), 777)
		return out.String()
	})
	g := gate(t, backend.Addr)
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		for _, size := range []int{0, 1, 4095, 65536, 65537, 1 << 20} {
			data := strings.Repeat("0123456789abcdefg", size/17+1)[:size]
			request := &strings.Builder{}
			request.WriteString("POST /prod/a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n")
			chunk(request, data, 1313)
			go func() {
				for text := request.String(); text != ""; {
					n := min(1999, len(text))
					if _, err := io.WriteString(conn, text[:n]); err != nil {
						return
					}
					text = text[n:]
				}
			}()
			if resp, body := answer(t, br, "POST"); body != data || resp.StatusCode != 200 {
				t.Fatalf("TLS %v, %d bytes: %d with %d bytes", secure, size, resp.StatusCode, len(body))
			}
		}
	}
}

func chunk(out *strings.Builder, data string, size int) {
	for data != "" {
		n := min(size, len(data))
		fmt.Fprintf(out, "%x\r\n%s\r\n", n, data[:n])
		data = data[n:]
	}
	out.WriteString("0\r\n\r\n")
}

// TestConnectionLimit: connections over the limit are closed at once, and a
// place that becomes free is used again.
func TestConnectionLimit(t *testing.T) {
	const limit = 4
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Limits.Connections = limit })
	serves := func() (conn net.Conn, ok bool) {
		conn = g.Dial(false)
		if _, err := io.WriteString(conn, "GET /prod/a HTTP/1.1\r\n"+host+"\r\n"); err != nil {
			return conn, false
		}
		_, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return conn, err == nil
	}
	var held []net.Conn
	for range 5 * limit {
		if conn, ok := serves(); ok {
			held = append(held, conn)
		}
	}
	if len(held) != limit {
		t.Fatalf("%d connections are served, want %d", len(held), limit)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	for start := time.Now(); ; {
		if _, ok := serves(); ok {
			return
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("no connection is served after others were closed")
		}
	}
}

// TestBodyBehindTheHandshake: a TLS client need not wait before it sends a
// large request, more than is read ahead of a handshake.
func TestBodyBehindTheHandshake(t *testing.T) {
	const size = 1 << 20
	g := gate(t, counting(t).Addr)
	body := make([]byte, size)
	for range 30 {
		conn := g.Dial(true)
		go func() {
			_, _ = conn.Write(append(fmt.Appendf(nil, "POST /prod/a HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n", host, size), body...))
		}()
		if resp, text := answer(t, bufio.NewReader(conn), "POST"); text != fmt.Sprintf("2 %d", size) {
			t.Fatalf("%d %q", resp.StatusCode, text)
		}
		_ = conn.Close()
	}
}
