package gatetest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestGateServes(t *testing.T) {
	backend := Answering(t, func(r *http.Request) string {
		body, _ := io.ReadAll(r.Body)
		text := fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
	g := Start(t)
	g.ProxyAll(backend.Addr)
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		for _, c := range []struct{ request, want string }{
			{"GET /prod/a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a/b?c=d "},
			{"GET /prod/health HTTP/1.1\r\nHost: x\r\n\r\n", `{"status":"ok"}`},
			{"POST /prod/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz", "POST /a xyz"},
			{"POST /prod/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n", "POST /a xyz"},
		} {
			if _, err := io.WriteString(conn, c.request); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatalf("%q: %v", c.request, err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != c.want || resp.StatusCode != 200 {
				t.Errorf("%q: %d %q %v, want %q", c.request, resp.StatusCode, body, err, c.want)
			}
		}
		// A large body each way.
		large := strings.Repeat("0123456789abcdef", 40000)
		fmt.Fprintf(conn, "PUT /prod/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(large))
		go func() { _, _ = io.WriteString(conn, large) }()
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "PUT /a "+large {
			t.Errorf("large body: %d bytes, %v", len(body), err)
		}
	}
}
